#include "server/lease_waits.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pedigree {
namespace {

// Between two looks at whether clients still wait.
constexpr std::chrono::milliseconds kLook{100};
// Between two looks in any case: thousands may be due one after the other.
constexpr std::chrono::milliseconds kBreath{2};

absl::Status Stopping() {
  return absl::UnavailableError("the server is stopping; retry elsewhere");
}

}  // namespace

class LeaseWaits::WriteTask final : public PendingWrite {
 public:
  WriteTask(std::shared_ptr<LeaseWaits> waits, std::unique_ptr<PendingCall> call, Attempt attempt)
      : waits_(std::move(waits)), call_(std::move(call)), attempt_(attempt) {}

  absl::Status Run(Transaction& transaction) override { return call_->Write(transaction); }
  void Done(const absl::Status& status) override {
    waits_->OnWritten(std::move(call_), attempt_, status);
  }
  size_t bytes() const override { return call_->bytes(); }

 private:
  std::shared_ptr<LeaseWaits> waits_;
  std::unique_ptr<PendingCall> call_;
  Attempt attempt_;
};

LeaseWaits::LeaseWaits(Store* store) : store_(store), thread_([this] { Loop(); }) {}

void LeaseWaits::Stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  for (auto& call : inbox_.arrived) Finish(std::move(call), Stopping());
  inbox_.arrived.clear();
  for (auto& [text, calls] : parked_) {
    for (auto& call : calls) Finish(std::move(call), Stopping());
  }
  parked_.clear();
}

void LeaseWaits::Finish(std::unique_ptr<PendingCall> call, const absl::Status& status) {
  --calls_;
  call->Finish(status);
}

void LeaseWaits::Park(std::unique_ptr<PendingCall> call) {
  if (calls_ < kMostCalls) {
    Add(std::move(call));
    return;
  }
  call->Finish(absl::UnavailableError(
      absl::StrCat("there are ", kMostCalls, " calls that wait for leases; retry later")));
}

void LeaseWaits::Add(std::unique_ptr<PendingCall> call) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!stopping_) {
      ++calls_;
      inbox_.arrived.push_back(std::move(call));
    }
  }
  if (call == nullptr) {
    wake_.notify_all();
  } else {
    call->Finish(Stopping());
  }
}

void LeaseWaits::Write(std::unique_ptr<PendingCall> call) {
  Enqueue(std::move(call), Attempt::kOwn);
}

void LeaseWaits::Enqueue(std::unique_ptr<PendingCall> call, Attempt attempt) {
  store_->Enqueue(std::make_unique<WriteTask>(shared_from_this(), std::move(call), attempt));
}

void LeaseWaits::OnWritten(std::unique_ptr<PendingCall> call, Attempt attempt,
                           const absl::Status& status) {
  if (attempt == Attempt::kForMany) {
    std::lock_guard<std::mutex> lock(mutex_);
    inbox_.attempts_ended.push_back(call->wait());
    wake_.notify_all();
  }
  if (status.ok() && call->needs() != CallNeeds::kNothing) {
    Add(std::move(call));
  } else {
    call->Finish(status);
  }
}

void LeaseWaits::OnChanged(std::vector<std::string> fingerprint_texts) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (calls_ == 0) return;
    for (std::string& text : fingerprint_texts) inbox_.changed.insert(std::move(text));
  }
  wake_.notify_all();
}

void LeaseWaits::Loop() {
  while (true) {
    Inbox inbox;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      const auto has_work = [this] { return stopping_ || !inbox_.empty(); };
      if (parked_.empty()) {
        wake_.wait(lock, has_work);
      } else {
        wake_.wait_until(lock, NextDue(), has_work);
      }
      if (stopping_) return;
      std::swap(inbox, inbox_);
    }
    Work(std::move(inbox));
    if (!parked_.empty() && std::chrono::steady_clock::now() >= NextDue()) CheckDue();
  }
}

void LeaseWaits::Work(Inbox inbox) {
  for (const CacheWait& wait : inbox.attempts_ended) {
    attempts_.erase(wait.lease_key);
    inbox.changed.insert(wait.fingerprint_text);
  }
  for (auto& call : inbox.arrived) {
    if (!Check(&call)) continue;
    const std::string& text = call->wait().fingerprint_text;
    if (call->needs() == CallNeeds::kWrite) inbox.changed.insert(text);
    parked_[text].push_back(std::move(call));
  }
  for (const std::string& text : inbox.changed) CheckAll(text);
}

bool LeaseWaits::Check(std::unique_ptr<PendingCall>* call) {
  absl::Status status = (*call)->CheckWanted();
  if (status.ok()) status = (*call)->Read(*store_, Blocking::kAllowed);
  if (status.ok() && (*call)->needs() != CallNeeds::kNothing) return true;
  Finish(std::move(*call), status);
  return false;
}

bool LeaseWaits::LetWrite(std::unique_ptr<PendingCall>* call) {
  if (!attempts_.insert((*call)->wait().lease_key).second) return false;
  --calls_;
  Enqueue(std::move(*call), Attempt::kForMany);
  return true;
}

void LeaseWaits::CheckAll(const std::string& fingerprint_text) {
  const auto it = parked_.find(fingerprint_text);
  if (it == parked_.end()) return;
  absl::flat_hash_set<std::string> held;  // Leases that somebody had when a call was read for.
  bool again = false;
  std::erase_if(it->second, [&](std::unique_ptr<PendingCall>& call) {
    if (!Check(&call)) return true;
    const std::string& lease_key = call->wait().lease_key;
    if (call->needs() != CallNeeds::kWrite) {
      held.insert(lease_key);
      return false;
    }
    // It has become free meanwhile: it is for those before this one.
    again = again || held.contains(lease_key);
    return !held.contains(lease_key) && LetWrite(&call);
  });
  if (it->second.empty()) parked_.erase(it);
  if (!again) return;
  std::lock_guard<std::mutex> lock(mutex_);
  inbox_.changed.insert(fingerprint_text);
}

void LeaseWaits::CheckDue() {
  const int64_t now_ms = store_->CurrentVersion()->cache->steady_ms();
  const auto now = std::chrono::steady_clock::now();
  last_look_ = now;
  std::vector<std::string> free;  // Fingerprints that have a lease that somebody can get.
  for (auto it = parked_.begin(); it != parked_.end();) {
    bool is_free = false;
    std::erase_if(it->second, [&](std::unique_ptr<PendingCall>& call) {
      const CacheWait& wait = call->wait();
      if (now < wait.deadline && now_ms < wait.lease_end_ms && !call->IsCancelled()) return false;
      if (!Check(&call)) return true;
      is_free = is_free || call->needs() == CallNeeds::kWrite;
      return false;
    });
    if (is_free) free.push_back(it->first);
    if (it->second.empty()) {
      parked_.erase(it++);
    } else {
      ++it;
    }
  }
  for (const std::string& text : free) CheckAll(text);
}

std::chrono::steady_clock::time_point LeaseWaits::NextDue() const {
  const int64_t now_ms = store_->CurrentVersion()->cache->steady_ms();
  const auto now = std::chrono::steady_clock::now();
  auto due = last_look_ + kLook;
  for (const auto& [text, calls] : parked_) {
    for (const auto& call : calls) {
      const CacheWait& wait = call->wait();
      due = std::min(
          {due, wait.deadline,
           now + std::chrono::milliseconds(std::max<int64_t>(wait.lease_end_ms - now_ms, 0))});
    }
  }
  return std::max(due, last_look_ + kBreath);
}

}  // namespace pedigree
