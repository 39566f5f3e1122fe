#include "server/dispatcher.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace pedigree {
namespace {

constexpr int kBlockingThreads = 4;
// Reads that wait for such a thread, beyond which more are refused.
constexpr size_t kMaxBlockingReads = 10000;

absl::Status Shortened(const absl::Status& status) {
  constexpr absl::string_view kCut = "...";
  if (status.message().size() <= kMaxErrorBytes) return status;
  absl::string_view kept = status.message().substr(0, kMaxErrorBytes - kCut.size());
  while (!kept.empty() && (static_cast<unsigned char>(kept.back()) & 0xc0) == 0x80) {
    kept.remove_suffix(1);
  }
  if (!kept.empty() && static_cast<unsigned char>(kept.back()) >= 0xc0) kept.remove_suffix(1);
  return absl::Status(status.code(), absl::StrCat(kept, kCut));
}

}  // namespace

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

Dispatcher::Dispatcher(Store* store) : store_(store) {
  for (int i = 0; i < kBlockingThreads; ++i) threads_.emplace_back([this] { BlockingLoop(); });
}

Dispatcher::~Dispatcher() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

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
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!stopping_ && blocking_.size() < kMaxBlockingReads) {
      blocking_.push_back(std::move(call));
    }
  }
  if (call == nullptr) {
    wake_.notify_one();
  } else {
    call->Finish(absl::UnavailableError("too many reads wait for the disk; retry later"));
  }
}

void Dispatcher::BlockingLoop() {
  while (true) {
    std::unique_ptr<PendingCall> call;
    bool stopping = false;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !blocking_.empty(); });
      if (blocking_.empty()) return;
      call = std::move(blocking_.front());
      blocking_.pop_front();
      stopping = stopping_;
    }
    absl::Status status = call->CheckWanted();
    if (stopping) status = absl::UnavailableError("the server is stopping; retry elsewhere");
    if (status.ok()) {
      RunRead(std::move(call), Blocking::kAllowed);
    } else {
      call->Finish(status);
    }
  }
}

}  // namespace pedigree
