#include "server/stream_waits.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "server/stream.h"

namespace pedigree {
namespace {

// How long after a commit streams are woken: 200 looks a second are the most that one takes.
constexpr std::chrono::milliseconds kGather{5};

}  // namespace

StreamWaits::StreamWaits() : thread_([this] { Loop(); }) {}

StreamWaits::~StreamWaits() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void StreamWaits::Park(std::shared_ptr<Stream> stream, int64_t seen_entry,
                       std::chrono::steady_clock::time_point until) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    parked_.push_back({std::move(stream), seen_entry, until});
    if (is_gathering_) return;
  }
  wake_.notify_all();
}

void StreamWaits::OnJournalGrown(int64_t sequence) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    newest_entry_ = std::max(newest_entry_, sequence);
    if (is_gathering_ || parked_.empty()) return;
  }
  wake_.notify_all();
}

bool StreamWaits::HasNews() const {
  return std::any_of(parked_.begin(), parked_.end(),
                     [this](const Parked& parked) { return parked.seen_entry < newest_entry_; });
}

std::chrono::steady_clock::time_point StreamWaits::FirstDue() const {
  auto first = std::chrono::steady_clock::time_point::max();
  for (const Parked& parked : parked_) first = std::min(first, parked.until);
  return first;
}

std::vector<StreamWaits::Parked> StreamWaits::TakeDue() {
  const auto now = std::chrono::steady_clock::now();
  const auto due = std::partition(parked_.begin(), parked_.end(), [&](const Parked& parked) {
    return parked.seen_entry >= newest_entry_ && parked.until > now;
  });
  std::vector<Parked> taken(std::make_move_iterator(due), std::make_move_iterator(parked_.end()));
  parked_.erase(due, parked_.end());
  return taken;
}

void StreamWaits::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    if (parked_.empty()) {
      wake_.wait(lock, [this] { return stopping_ || !parked_.empty(); });
      continue;
    }
    const size_t known = parked_.size();  // Who parks next may be due before them.
    wake_.wait_until(lock, FirstDue(),
                     [&] { return stopping_ || HasNews() || parked_.size() > known; });
    if (HasNews()) {
      is_gathering_ = true;
      wake_.wait_for(lock, kGather, [this] { return stopping_; });
      is_gathering_ = false;
    }
    if (stopping_) return;
    std::vector<Parked> due = TakeDue();
    lock.unlock();
    for (const Parked& parked : due) parked.stream->Wake();
    due.clear();  // Without the lock: the last of a stream may go.
    lock.lock();
  }
}

}  // namespace pedigree
