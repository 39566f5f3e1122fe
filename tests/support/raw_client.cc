#include "tests/support/raw_client.h"

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/slice.h>

#include <cassert>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"

namespace pedigree::testing {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

constexpr int kBackOffMs = 100;  // gRPC takes nothing shorter.
constexpr char kService[] = "ml_metadata.MetadataStoreService";

grpc::ByteBuffer ToBytes(const Message& message) {
  const std::string bytes = message.SerializeAsString();
  grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

grpc::Status FromBytes(grpc::ByteBuffer& bytes, Message* message) {
  grpc::Slice slice;
  if (const grpc::Status dumped = bytes.DumpToSingleSlice(&slice); !dumped.ok()) return dumped;
  const bool parsed = slice.size() <= std::numeric_limits<int>::max() &&
                      message->ParseFromArray(slice.begin(), static_cast<int>(slice.size()));
  if (parsed) return grpc::Status::OK;
  return grpc::Status(grpc::StatusCode::INTERNAL,
                      absl::StrCat("client: the ", slice.size(), " bytes of the answer are no ",
                                   message->GetTypeName()));
}

}  // namespace

const MethodDescriptor* FindMethod(absl::string_view rpc) {
  // The first use of a generated type puts its file into the pool.
  const auto* file = ml_metadata::PutArtifactsRequest::descriptor()->file();
  const auto* service = file->pool()->FindServiceByName(kService);
  return service == nullptr ? nullptr : service->FindMethodByName(std::string(rpc));
}

std::unique_ptr<Message> NewMessage(const Descriptor* type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

std::shared_ptr<grpc::Channel> NewChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kBackOffMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kBackOffMs);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

RawClient::RawClient(const std::string& address, absl::Duration call_timeout)
    : call_timeout_(call_timeout), channel_(NewChannel(address)), stub_(channel_) {}

bool RawClient::WaitForConnection(absl::Duration timeout) {
  return channel_->WaitForConnected(absl::ToChronoTime(absl::Now() + timeout));
}

grpc::Status RawClient::Call(absl::string_view rpc, const Message& request, Message* response) {
  const MethodDescriptor* method = FindMethod(rpc);
  if (method == nullptr) {
    return grpc::Status(grpc::StatusCode::UNIMPLEMENTED,
                        absl::StrCat("client: ", kService, " has no method ", rpc));
  }
  assert(request.GetDescriptor() == method->input_type());
  assert(response->GetDescriptor() == method->output_type());

  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + call_timeout_));
  const grpc::ByteBuffer request_bytes = ToBytes(request);
  grpc::ByteBuffer response_bytes;
  grpc::Status status;
  absl::Notification done;
  stub_.UnaryCall(&context, absl::StrCat("/", kService, "/", rpc), grpc::StubOptions(),
                  &request_bytes, &response_bytes, [&status, &done](grpc::Status answered) {
                    status = std::move(answered);
                    done.Notify();
                  });
  done.WaitForNotification();
  return status.ok() ? FromBytes(response_bytes, response) : status;
}

}  // namespace pedigree::testing
