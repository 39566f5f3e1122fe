#include "server/dispatcher.h"

#include <utility>
#include <vector>

namespace pedigree {
class Dispatcher::WriteTask final : public PendingWrite {
 public:
  explicit WriteTask(std::unique_ptr<PendingCall> call) : call_(std::move(call)) {}

  absl::Status Run(Transaction& transaction) override { return call_->Write(transaction); }
  void Done(const absl::Status& status) override { call_->Finish(status); }
  size_t bytes() const override { return call_->bytes(); }

 private:
  std::unique_ptr<PendingCall> call_;
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

Dispatcher::Dispatcher(Store* store, AdminOptions admin)
    : store_(store),
      admin_(store, std::move(admin)),
      metrics_(AllServices()),
      waits_(std::make_shared<LeaseWaits>(store)) {
  store_->SetCacheListener([this](std::vector<std::string> fingerprint_texts) {
    waits_->OnChanged(std::move(fingerprint_texts));
  });
  store_->SetJournalListener(
      [this](int64_t sequence) { streams_.waits().OnJournalGrown(sequence); });
}

Dispatcher::~Dispatcher() {
  store_->SetJournalListener(nullptr);
  store_->SetCacheListener(nullptr);
  waits_->Stop();
  workers_.Stop();
  // Calls that are queued count themselves here when they are answered.
  store_->WaitForAcceptedWrites();
}

void Dispatcher::Submit(const Method& method, absl::string_view request,
                        std::unique_ptr<ReplyTo> reply_to) {
  std::unique_ptr<Call> made = method.make();
  made->SetAdmin(&admin_);
  auto call =
      std::make_unique<PendingCall>(metrics_.Find(method), std::move(made), std::move(reply_to));
  if (absl::Status status = call->Parse(request); !status.ok()) {
    call->Finish(status);
    return;
  }
  if (method.may_be_written && call->IsWritten(*store_)) {
    call->Finish(absl::OkStatus());
  } else if (method.writes) {
    if (store_->journal_mode() == JournalMode::kOn) call->NoteOrigin(FullNameOf(method));
    store_->Enqueue(std::make_unique<WriteTask>(std::move(call)));
  } else {
    RunRead(std::move(call), Blocking::kCacheOnly);
  }
}

void Dispatcher::RunRead(std::unique_ptr<PendingCall> call, Blocking blocking) {
  const absl::Status status = call->Read(*store_, blocking);
  if (!IsWouldBlock(status)) {
    Continue(std::move(call), status);
    return;
  }
  workers_.Add(std::make_unique<BlockingRead>(this, std::move(call)), Workers::Admission::kIfRoom);
}

void Dispatcher::Continue(std::unique_ptr<PendingCall> call, const absl::Status& status) {
  const CallNeeds needs = status.ok() ? call->needs() : CallNeeds::kNothing;
  switch (needs) {
    case CallNeeds::kNothing:
      call->Finish(status);
      return;
    case CallNeeds::kWrite:
      waits_->Write(std::move(call));
      return;
    case CallNeeds::kRead:
    case CallNeeds::kChange:
      waits_->Park(std::move(call));
      return;
  }
}

std::shared_ptr<Stream> Dispatcher::NewStream(StreamSink* sink) {
  return std::make_shared<Stream>(store_, &workers_, &streams_, sink, &metrics_, &admin_);
}

}  // namespace pedigree
