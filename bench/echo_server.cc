#include "bench/echo_server.h"

#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/impl/rpc_service_method.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/slice.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace pedigree::bench {
namespace {

using SizeHead = uint32_t;  // what a sized request begins with
constexpr size_t kMostSized = size_t{16} << 20;

size_t SizeAskedFor(const grpc::ByteBuffer& request) {
  SizeHead size = 0;
  grpc::Slice head;
  if (!request.TrySingleSlice(&head).ok() && !request.DumpToSingleSlice(&head).ok()) return 0;
  if (head.size() >= sizeof(size)) std::memcpy(&size, head.begin(), sizeof(size));
  return size;
}

class EchoService final : public grpc::Service {
 public:
  EchoService() : reply_(EmptyReply()) {
    AddHandler(kEchoCallMethod, [this](const grpc::ByteBuffer&) { return Reply(); });
    AddHandler(kEchoSetReplyMethod, [this](const grpc::ByteBuffer& request) {
      SetReply(request);
      return EmptyReply();
    });
    AddHandler(kEchoSizedMethod, &SizedReply);
  }

 private:
  using Handler = std::function<grpc::ByteBuffer(const grpc::ByteBuffer&)>;

  // gRPC 1.51 aborts when a raw call is finished with a default-constructed buffer.
  static grpc::ByteBuffer EmptyReply() {
    const grpc::Slice empty;
    return grpc::ByteBuffer(&empty, 1);
  }

  static grpc::ByteBuffer SizedReply(const grpc::ByteBuffer& request) {
    static const auto* const zeros = new grpc::Slice(std::string(kMostSized, '\0'));
    const size_t size = std::min(SizeAskedFor(request), kMostSized);
    const grpc::Slice reply = zeros->sub(0, size);  // shares the bytes
    return grpc::ByteBuffer(&reply, 1);
  }

  void AddHandler(const char* path, Handler handler) {
    AddMethod(
        new grpc::internal::RpcServiceMethod(path, grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
    MarkMethodRawCallback(
        methods_++, new grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
                        [handler = std::move(handler)](grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request,
                                                       grpc::ByteBuffer* response) {
                          *response = handler(*request);
                          grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
                          reactor->Finish(grpc::Status::OK);
                          return reactor;
                        }));
  }

  grpc::ByteBuffer Reply() {
    absl::ReaderMutexLock lock(&mutex_);
    return reply_;  // shares the slices
  }

  void SetReply(const grpc::ByteBuffer& reply) {
    absl::MutexLock lock(&mutex_);
    reply_ = reply;
  }

  int methods_ = 0;
  absl::Mutex mutex_;
  grpc::ByteBuffer reply_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

grpc::ByteBuffer SizedEchoRequest(size_t reply_bytes, absl::string_view request) {
  const auto size = static_cast<SizeHead>(std::min(reply_bytes, kMostSized));
  std::string bytes(reinterpret_cast<const char*>(&size), sizeof(size));
  bytes.append(request.data(), request.size());
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

absl::Status ServeEcho(uint16_t port) {
  // Blocked before gRPC starts its threads, so that sigwait below is the only receiver.
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  sigaddset(&stop_signals, SIGTERM);
  sigaddset(&stop_signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);

  EchoService service;
  grpc::ServerBuilder builder;
  int bound_port = 0;
  builder.AddListeningPort(absl::StrCat("127.0.0.1:", port), grpc::InsecureServerCredentials(),
                           &bound_port);
  builder.SetMaxReceiveMessageSize(std::numeric_limits<int>::max());
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || bound_port == 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on 127.0.0.1:", port));
  }
  int signal_number = 0;
  sigwait(&stop_signals, &signal_number);
  server->Shutdown();
  return absl::OkStatus();
}

}  // namespace pedigree::bench
