#include "server/service.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/grpc_bytes.h"
#include "server/grpc_origin.h"
#include "server/stream_reactor.h"

namespace pedigree {
namespace {

using RawHandler = grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>;
using RawStreamHandler =
    grpc::internal::CallbackServerStreamingHandler<grpc::ByteBuffer, grpc::ByteBuffer>;

// One call of gRPC's, alive until its reply is sent. Deletes itself.
class Reactor final : public grpc::ServerUnaryReactor {
 public:
  // `calls`, if not null, has counted this call.
  Reactor(grpc::CallbackServerContext* context, grpc::ByteBuffer* reply, CallsUnderWay* calls)
      : context_(context), reply_(reply), calls_(calls) {}

  bool IsCancelled() const { return context_->IsCancelled(); }
  CallOrigin Origin() const { return OriginOf(*context_); }
  void Reply(absl::StatusOr<std::string> reply) {
    if (!reply.ok()) {
      Finish(ToGrpc(reply.status()));
      return;
    }
    *reply_ = ToBuffer(*std::move(reply));
    Finish(grpc::Status::OK);
  }

 private:
  void OnDone() override {
    if (calls_ != nullptr) calls_->End();
    delete this;
  }
  // OnDone() waits for nothing, so it needs no thread of gRPC's executor; the reactor that gRPC has
  // for its own handlers says so too. A call costs a change of threads less.
  bool InternalInlineable() override { return true; }

  grpc::CallbackServerContext* context_;  // gRPC's; alive until OnDone.
  grpc::ByteBuffer* reply_;               // gRPC's; alive until OnDone.
  CallsUnderWay* calls_;                  // The service's; outlives all calls.
};

class ReactorReply final : public ReplyTo {
 public:
  explicit ReactorReply(Reactor* reactor) : reactor_(reactor) {}
  bool IsCancelled() const override { return reactor_->IsCancelled(); }
  CallOrigin Origin() const override { return reactor_->Origin(); }
  void Done(absl::StatusOr<std::string> reply) override { reactor_->Reply(std::move(reply)); }

 private:
  Reactor* reactor_;  // Deletes itself after Reply.
};

grpc::ServerUnaryReactor* Start(Dispatcher* dispatcher, CallsUnderWay* calls, const Method& method,
                                grpc::CallbackServerContext* context,
                                const grpc::ByteBuffer* request, grpc::ByteBuffer* reply) {
  if (!calls->Begin()) {
    auto* refusal = new Reactor(context, reply, nullptr);
    refusal->Reply(absl::UnavailableError("the server is stopping; retry elsewhere"));
    return refusal;
  }
  auto* reactor = new Reactor(context, reply, calls);
  auto reply_to = std::make_unique<ReactorReply>(reactor);
  auto slice = ToSlice(*request);
  if (slice.ok()) {
    dispatcher->Submit(method, ToView(*slice), std::move(reply_to));
  } else {
    reply_to->Done(slice.status());
  }
  return reactor;
}

}  // namespace

TableService::TableService(Dispatcher* dispatcher, const ServiceTable& table) : name_(table.name) {
  // Before the first is added: gRPC keeps pointers to them.
  for (const Method& method : table.methods) paths_.push_back(PathOf(method.name));
  for (const StreamMethod& method : table.streams) paths_.push_back(PathOf(method.name));
  for (const Method& method : table.methods) {
    Add(grpc::internal::RpcMethod::NORMAL_RPC,
        new RawHandler([this, dispatcher, &method](grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request,
                                                   grpc::ByteBuffer* reply) {
          return Start(dispatcher, &calls_, method, context, request, reply);
        }));
  }
  for (const StreamMethod& method : table.streams) {
    Add(grpc::internal::RpcMethod::SERVER_STREAMING,
        new RawStreamHandler([this, dispatcher, &method](grpc::CallbackServerContext* context,
                                                         const grpc::ByteBuffer* request) {
          return StartStream(dispatcher, &calls_, method, context, request);
        }));
  }
}

std::string TableService::PathOf(absl::string_view method) const {
  return absl::StrCat("/", name_, "/", method);
}

void TableService::Add(grpc::internal::RpcMethod::RpcType type,
                       grpc::internal::MethodHandler* handler) {
  const size_t i = added_++;
  AddMethod(new grpc::internal::RpcServiceMethod(paths_[i].c_str(), type, nullptr));
  MarkMethodRawCallback(static_cast<int>(i), handler);
}

}  // namespace pedigree
