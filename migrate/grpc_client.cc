#include "migrate/grpc_client.h"

#include <google/protobuf/message_lite.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/client_unary_call.h>

#include <chrono>
#include <limits>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pedigree::migrate {
namespace {

constexpr auto kConnectTime = std::chrono::seconds(10);
// The longest that one answer may take.
constexpr auto kCallTime = std::chrono::minutes(5);
constexpr int kTries = 5;
constexpr auto kFirstPause = std::chrono::milliseconds(200);
constexpr int kBackOffMs = 200;

bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsAborted(status);
}

absl::Status CallOver(grpc::Channel& channel, const std::string& path,
                      const google::protobuf::MessageLite& request,
                      google::protobuf::MessageLite* response) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallTime);
  const grpc::Slice bytes(request.SerializeAsString());
  grpc::ByteBuffer reply;
  const grpc::internal::RpcMethod method(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC);
  const grpc::Status status = grpc::internal::BlockingUnaryCall(
      &channel, method, &context, grpc::ByteBuffer(&bytes, 1), &reply);
  if (!status.ok()) {
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  }
  grpc::Slice slice;
  if (!reply.DumpToSingleSlice(&slice).ok() || slice.size() > std::numeric_limits<int>::max() ||
      !response->ParseFromArray(slice.begin(), static_cast<int>(slice.size()))) {
    return absl::InternalError("the answer does not parse");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcClient>> GrpcClient::Open(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kBackOffMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kBackOffMs);
  // Channels of one process would otherwise share a connection, and wait for its back-off.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  grpc_connectivity_state state = channel->GetState(/*try_to_connect=*/true);
  const auto deadline = std::chrono::system_clock::now() + kConnectTime;
  while (state != GRPC_CHANNEL_READY && state != GRPC_CHANNEL_TRANSIENT_FAILURE &&
         channel->WaitForStateChange(state, deadline)) {
    state = channel->GetState(/*try_to_connect=*/true);
  }
  if (state != GRPC_CHANNEL_READY) {
    return absl::UnavailableError(
        absl::StrCat("cannot reach a metadata server at ", address, ": is it running?"));
  }
  return std::make_unique<GrpcClient>(
      address, [channel = std::move(channel)](const std::string& path, const auto& request,
                                              google::protobuf::MessageLite* response) {
        return CallOver(*channel, path, request, response);
      });
}

absl::Status GrpcClient::TryOnce(absl::string_view method,
                                 const google::protobuf::MessageLite& request,
                                 google::protobuf::MessageLite* response) {
  const std::string path = absl::StartsWith(method, "/")
                               ? std::string(method)
                               : absl::StrCat("/ml_metadata.MetadataStoreService/", method);
  const absl::Status status = call_once_(path, request, response);
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(address_, ", ", method, ": ", status.message()));
}

absl::Status GrpcClient::Call(absl::string_view method,
                              const google::protobuf::MessageLite& request,
                              google::protobuf::MessageLite* response) {
  absl::Status status;
  auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(kFirstPause);
  for (int i = 0; i < kTries; ++i) {
    status = TryOnce(method, request, response);
    if (status.ok() || !MayPass(status)) break;
    if (i + 1 < kTries) std::this_thread::sleep_for(pause);
    pause *= 2;
  }
  return status;
}

}  // namespace pedigree::migrate
