#include "store/graph_keeper.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "store/store.h"

namespace pedigree {
namespace {

// Between two looks.
constexpr std::chrono::milliseconds kIdle{1000};
// Entries of the log that one write removes.
constexpr int64_t kEntriesPerWrite = 1000;

}  // namespace

GraphKeeper::GraphKeeper(Store* store, GraphKeeperOptions options)
    : store_(store), options_(std::move(options)), thread_([this] { Loop(); }) {}

GraphKeeper::~GraphKeeper() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

bool GraphKeeper::IsStopping() {
  std::lock_guard<std::mutex> lock(mutex_);
  return stopping_;
}

void GraphKeeper::Loop() {
  TrimLog();  // What a stop may have left.
  std::unique_lock<std::mutex> lock(mutex_);
  while (!wake_.wait_for(lock, kIdle, [this] { return stopping_; })) {
    lock.unlock();
    if (IsWorthIt() && WriteSnapshot()) TrimLog();
    lock.lock();
  }
}

bool GraphKeeper::IsWorthIt() const {
  const auto last = static_cast<uint32_t>(store_->CurrentVersion()->counters.last_event_number);
  const uint32_t in_log = last - options_.last_event_of_snapshot;
  return in_log >= options_.log_events && in_log >= options_.last_event_of_snapshot / 4;
}

bool GraphKeeper::WriteSnapshot() {
  const auto version = store_->CurrentVersion();
  const auto last = static_cast<uint32_t>(version->counters.last_event_number);
  auto snapshot =
      WriteGraphSnapshot(options_.data_dir, *version->graph, last, [this] { return IsStopping(); });
  // What keeps it from being written, the committer meets as well, and says so.
  if (!snapshot.ok()) return false;
  const absl::Status named = store_->Write([&](Transaction& transaction) {
    transaction.SetLineageSnapshot(*snapshot);
    return absl::OkStatus();
  });
  if (named.ok()) options_.last_event_of_snapshot = last;
  return named.ok();
}

void GraphKeeper::TrimLog() {
  const int64_t before = int64_t{options_.last_event_of_snapshot} + 1;
  int64_t from = trimmed_;
  while (from < before && !IsStopping()) {
    int64_t next = 0;
    const absl::Status status = store_->Write([&](Transaction& transaction) {
      auto trimmed = transaction.TrimEventLog(from, before, kEntriesPerWrite);
      if (trimmed.ok()) next = *trimmed;
      return trimmed.status();
    });
    if (!status.ok()) return;
    from = next == 0 ? before : next;
    trimmed_ = std::max(trimmed_, next);
  }
}

}  // namespace pedigree
