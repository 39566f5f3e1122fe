#include "server/service.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pedigree {
namespace {

using RawHandler = grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>;

// Below this a copy into the slice is cheaper than handing over the string.
constexpr size_t kCopyBelowBytes = 4096;

grpc::Status ToGrpc(const absl::Status& status) {
  // Both use gRPC's canonical codes.
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
}

grpc::ByteBuffer ToBuffer(std::string bytes) {
  // A reply without a slice aborts gRPC 1.51, so an empty one gets an empty slice.
  if (bytes.size() < kCopyBelowBytes) {
    grpc::Slice slice(bytes.data(), bytes.size());
    return grpc::ByteBuffer(&slice, 1);
  }
  auto* owned = new std::string(std::move(bytes));
  grpc::Slice slice(
      owned->data(), owned->size(), [](void* string) { delete static_cast<std::string*>(string); },
      owned);
  return grpc::ByteBuffer(&slice, 1);
}

// One call of gRPC's, alive until its reply is sent. Deletes itself.
class Reactor final : public grpc::ServerUnaryReactor {
 public:
  // `calls`, if not null, has counted this call.
  Reactor(grpc::CallbackServerContext* context, grpc::ByteBuffer* reply, CallsUnderWay* calls)
      : context_(context), reply_(reply), calls_(calls) {}

  bool IsCancelled() const { return context_->IsCancelled(); }
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

  grpc::CallbackServerContext* context_;  // gRPC's; alive until OnDone.
  grpc::ByteBuffer* reply_;               // gRPC's; alive until OnDone.
  CallsUnderWay* calls_;                  // The service's; outlives all calls.
};

class ReactorReply final : public ReplyTo {
 public:
  explicit ReactorReply(Reactor* reactor) : reactor_(reactor) {}
  bool IsCancelled() const override { return reactor_->IsCancelled(); }
  void Done(absl::StatusOr<std::string> reply) override { reactor_->Reply(std::move(reply)); }

 private:
  Reactor* reactor_;  // Deletes itself after Reply.
};

absl::string_view ToView(const grpc::Slice& slice) {
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

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
  grpc::Slice slice;
  if (!request->TrySingleSlice(&slice).ok() && !request->DumpToSingleSlice(&slice).ok()) {
    reply_to->Done(absl::InvalidArgumentError("the request has no bytes"));
  } else {
    dispatcher->Submit(method, ToView(slice), std::move(reply_to));
  }
  return reactor;
}

}  // namespace

bool CallsUnderWay::Begin() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (draining_) return false;
  ++count_;
  return true;
}

void CallsUnderWay::End() {
  std::lock_guard<std::mutex> lock(mutex_);
  --count_;
  if (draining_ && count_ == 0) idle_.notify_all();
}

void CallsUnderWay::Drain(std::chrono::milliseconds at_most) {
  std::unique_lock<std::mutex> lock(mutex_);
  draining_ = true;
  idle_.wait_for(lock, at_most, [this] { return count_ == 0; });
}

TableService::TableService(Dispatcher* dispatcher, const ServiceTable& table) : name_(table.name) {
  const auto methods = table.methods;
  for (const Method& method : methods) {
    paths_.push_back(absl::StrCat("/", table.name, "/", method.name));
  }
  for (size_t i = 0; i < methods.size(); ++i) {
    const Method& method = methods[i];
    AddMethod(new grpc::internal::RpcServiceMethod(paths_[i].c_str(),
                                                   grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
    MarkMethodRawCallback(
        static_cast<int>(i),
        new RawHandler([this, dispatcher, &method](grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request,
                                                   grpc::ByteBuffer* reply) {
          return Start(dispatcher, &calls_, method, context, request, reply);
        }));
  }
}

}  // namespace pedigree
