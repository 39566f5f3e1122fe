#include "server/dispatcher.h"

#include <functional>
#include <utility>

namespace pedigree {
// A parsed call and the way back.
class Dispatcher::PendingCall {
 public:
  PendingCall(std::unique_ptr<Call> call, std::unique_ptr<ReplyTo> reply_to)
      : call_(std::move(call)), reply_to_(std::move(reply_to)) {}

  Call* call() { return call_.get(); }
  bool IsCancelled() const { return reply_to_->IsCancelled(); }
  absl::Status CheckWanted() const {
    if (!IsCancelled()) return absl::OkStatus();
    return absl::CancelledError("the client no longer waits");
  }
  void Finish(const absl::Status& status) {
    if (status.ok()) {
      reply_to_->Done(call_->ReleaseReply());
    } else {
      reply_to_->Done(Shortened(status));
    }
  }

 private:
  std::unique_ptr<Call> call_;
  std::unique_ptr<ReplyTo> reply_to_;
};

class Dispatcher::WriteTask final : public PendingWrite {
 public:
  WriteTask(std::unique_ptr<PendingCall> call, size_t bytes)
      : call_(std::move(call)), bytes_(bytes) {}

  absl::Status Run(Transaction& transaction) override {
    absl::Status status = call_->CheckWanted();
    return status.ok() ? call_->call()->Write(transaction) : status;
  }
  void Done(const absl::Status& status) override { call_->Finish(status); }
  size_t bytes() const override { return bytes_; }

 private:
  std::unique_ptr<PendingCall> call_;
  size_t bytes_;
};

// A read that would have had to wait.
class Dispatcher::BlockingRead final : public Workers::Work {
 public:
  BlockingRead(Dispatcher* dispatcher, std::unique_ptr<PendingCall> call)
      : dispatcher_(dispatcher), call_(std::move(call)) {}

  void Run() override {
    if (absl::Status status = call_->CheckWanted(); !status.ok()) {
      call_->Finish(status);
    } else {
      dispatcher_->RunRead(std::move(call_), Blocking::kAllowed);
    }
  }
  void Refuse(const absl::Status& status) override { call_->Finish(status); }

 private:
  Dispatcher* dispatcher_;  // Not owned; outlives its work.
  std::unique_ptr<PendingCall> call_;
};

Dispatcher::Dispatcher(Store* store) : store_(store) {}

void Dispatcher::Submit(const Method& method, absl::string_view request,
                        std::unique_ptr<ReplyTo> reply_to) {
  auto call = std::make_unique<PendingCall>(method.make(), std::move(reply_to));
  if (absl::Status status = call->call()->Parse(request); !status.ok()) {
    call->Finish(status);
    return;
  }
  if (!method.writes) {
    RunRead(std::move(call), Blocking::kCacheOnly);
    return;
  }
  // A parsed request takes about three times its bytes.
  store_->Enqueue(std::make_unique<WriteTask>(std::move(call), request.size() * 3));
}

void Dispatcher::RunRead(std::unique_ptr<PendingCall> call, Blocking blocking) {
  const std::function<bool()> is_cancelled = [&call] { return call->IsCancelled(); };
  absl::Status status = store_->Read(
      blocking, [&](const Reader& reader) { return call->call()->Read(reader); }, &is_cancelled);
  if (!IsWouldBlock(status)) {
    call->Finish(status);
    return;
  }
  workers_.Add(std::make_unique<BlockingRead>(this, std::move(call)), Workers::Admission::kIfRoom);
}

std::shared_ptr<Stream> Dispatcher::NewStream(StreamSink* sink) {
  return std::make_shared<Stream>(store_, &workers_, &streams_, sink);
}

}  // namespace pedigree
