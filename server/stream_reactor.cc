#include "server/stream_reactor.h"

#include <grpcpp/grpcpp.h>

#include <memory>
#include <utility>

#include "server/grpc_bytes.h"

namespace pedigree {
namespace {

// One stream of gRPC's, alive until gRPC is done with it. Deletes itself.
class StreamReactor final : public grpc::ServerWriteReactor<grpc::ByteBuffer>, public StreamSink {
 public:
  // `calls`, if not null, has counted this call.
  StreamReactor(grpc::CallbackServerContext* context, CallsUnderWay* calls)
      : context_(context), calls_(calls) {}

  void Start(Dispatcher* dispatcher, const StreamMethod& method, const grpc::ByteBuffer& request) {
    auto slice = ToSlice(request);
    if (!slice.ok()) {
      Finish(slice.status());
      return;
    }
    stream_ = dispatcher->NewStream(this);
    stream_->Start(method, ToView(*slice));
  }

  bool IsCancelled() const override { return context_->IsCancelled(); }
  void Write(std::string message) override {
    buffer_ = ToBuffer(std::move(message));
    StartWrite(&buffer_);
  }
  void Finish(const absl::Status& status) override { ServerWriteReactor::Finish(ToGrpc(status)); }
  // Resets the HTTP/2 stream. gRPC calls OnWriteDone(false) from a thread of its own.
  void Abort() override { context_->TryCancel(); }

 private:
  void OnWriteDone(bool ok) override {
    buffer_.Clear();
    stream_->OnWritten(ok ? Stream::Written::kYes : Stream::Written::kFailed);
  }
  // A stream that never started has nothing to be told.
  void OnCancel() override {
    if (stream_ != nullptr) stream_->OnCancelled();
  }
  void OnDone() override {
    if (calls_ != nullptr) calls_->End();
    delete this;
  }

  grpc::CallbackServerContext* context_;  // gRPC's; alive until OnDone.
  CallsUnderWay* calls_;                  // The service's; outlives all calls.
  std::shared_ptr<Stream> stream_;        // Null if the call was refused.
  grpc::ByteBuffer buffer_;               // The message being written: gRPC reads it until then.
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* StartStream(Dispatcher* dispatcher,
                                                        CallsUnderWay* calls,
                                                        const StreamMethod& method,
                                                        grpc::CallbackServerContext* context,
                                                        const grpc::ByteBuffer* request) {
  if (!calls->Begin()) {
    auto* refusal = new StreamReactor(context, nullptr);
    refusal->Finish(absl::UnavailableError("the server is stopping; retry elsewhere"));
    return refusal;
  }
  auto* reactor = new StreamReactor(context, calls);
  reactor->Start(dispatcher, method, *request);
  return reactor;
}

}  // namespace pedigree
