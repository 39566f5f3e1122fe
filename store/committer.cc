#include "store/committer.h"

#include <chrono>
#include <utility>

#include "store/keys.h"
#include "store/pinned_versions.h"

namespace pedigree {
namespace {

// A group is closed at these bounds, so that the first call in it does not wait for thousands and
// its batch stays small against the memtable.
constexpr size_t kMaxGroupRequests = 1024;
constexpr size_t kMaxGroupBytes = size_t{8} << 20;

// Of the cache; copies, for the mutations go before readers see what they have done.
std::vector<std::string> ChangedFingerprints(const std::vector<Mutation>& mutations) {
  std::vector<std::string> changed;
  for (const Mutation& mutation : mutations) {
    const absl::string_view text = FingerprintTextIn(mutation.key);
    if (!text.empty() && (changed.empty() || changed.back() != text)) changed.emplace_back(text);
  }
  return changed;
}

constexpr int64_t kGroupBounds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};
// From memory without a sync to a disk that is in trouble: 50 us to 5 s.
constexpr int64_t kApplyBounds[] = {50'000,      100'000,       250'000,      500'000,
                                    1'000'000,   2'500'000,     5'000'000,    10'000'000,
                                    25'000'000,  50'000'000,    100'000'000,  250'000'000,
                                    500'000'000, 1'000'000'000, 5'000'000'000};

int64_t NanosecondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() -
                                                              begin)
      .count();
}

struct Finished {
  std::unique_ptr<PendingWrite> write;
  absl::Status status;
};

}  // namespace

Committer::Committer(Engine* engine, MemoryIndexes memory, std::shared_ptr<const Catalog> catalog,
                     const Counters& counters, const JournalHead& journal, CommitterOptions options)
    : engine_(engine),
      memory_(memory),
      options_(std::move(options)),
      transaction_(engine, memory.graph, memory.cache, options_.journal, options_.raise_format),
      catalog_(std::move(catalog)),
      counters_(counters),
      journal_(journal),
      group_requests_(kGroupBounds),
      apply_ns_(kApplyBounds) {
  Publish();
  if (options_.sync_interval_ms > 0) sync_thread_ = std::thread([this] { SyncLoop(); });
  thread_ = std::thread([this] { Loop(); });
}

Committer::~Committer() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  if (sync_thread_.joinable()) sync_thread_.join();
}

void Committer::Enqueue(std::unique_ptr<PendingWrite> write) {
  absl::Status refused = Accept(&write);
  if (!refused.ok()) write->Done(refused);
}

absl::Status Committer::Accept(std::unique_ptr<PendingWrite>* write) {
  const size_t bytes = (*write)->bytes();
  bool was_empty = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return absl::UnavailableError("the server is stopping; retry elsewhere");
    if (!queue_.empty() && queued_bytes_ + bytes > options_.max_queued_bytes) {
      return absl::UnavailableError("too many writes are waiting for the disk; retry later");
    }
    queued_bytes_ += bytes;
    was_empty = queue_.empty();
    queue_.push_back(std::move(*write));
    ++accepted_;
  }
  if (was_empty) wake_.notify_all();
  return absl::OkStatus();
}

void Committer::WaitForAccepted() {
  std::unique_lock<std::mutex> lock(mutex_);
  const uint64_t last = accepted_;
  answered_some_.wait(lock, [&] { return answered_ >= last; });
}

void Committer::Publish() {
  auto version = std::make_shared<const Version>(
      Version{engine_->CurrentView(), catalog_, counters_, memory_.graph, ++version_number_,
              memory_.records, memory_.cache, journal_, engine_->LastSequence()});
  std::lock_guard<std::mutex> lock(version_mutex_);
  version_.swap(version);  // The old version goes after the lock, if no reader holds it.
}

void Committer::Loop() {
  Queue taken;
  while (true) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;  // Stopping, and everything accepted is done.
      std::swap(taken, queue_);
      queued_bytes_ = 0;
    }
    const size_t writes = taken.size();
    while (!taken.empty()) CommitGroup(&taken);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      answered_ += writes;
    }
    answered_some_.notify_all();
  }
}

void Committer::CommitGroup(Queue* queue) {
  std::vector<Finished> finished;
  size_t bytes = 0;
  transaction_.BeginGroup(catalog_, counters_, journal_, options_.clock_ms());
  while (!queue->empty() && finished.size() < kMaxGroupRequests && bytes < kMaxGroupBytes) {
    std::unique_ptr<PendingWrite> write = std::move(queue->front());
    queue->pop_front();
    transaction_.BeginRequest();
    absl::Status status = write->Run(transaction_);
    if (status.ok()) status = transaction_.FinishRequest();
    if (!status.ok()) transaction_.RollBackRequest();
    bytes = transaction_.bytes();
    finished.push_back({std::move(write), std::move(status)});
  }

  const std::vector<Mutation> mutations = transaction_.GroupMutations();
  absl::Status stored;
  if (!mutations.empty()) {
    const auto begin = std::chrono::steady_clock::now();
    stored = engine_->Apply(mutations, options_.durability);
    if (stored.ok()) {
      group_requests_.Observe(static_cast<int64_t>(finished.size()));
      apply_ns_.Observe(NanosecondsSince(begin));
    }
  }
  std::vector<std::string> changed;
  bool journal_has_grown = false;
  if (stored.ok()) {
    if (!mutations.empty()) UpdateMemory(mutations);
    changed = ChangedFingerprints(mutations);
    catalog_ = transaction_.catalog_;
    counters_ = transaction_.counters_;
    journal_has_grown = journal_.sequence != transaction_.journal_.sequence;
    journal_ = transaction_.journal_;
    unsynced_.store(true, std::memory_order_relaxed);
  }
  transaction_.EndGroup(stored.ok());
  if (!mutations.empty() && stored.ok()) {
    Publish();
    memory_.pinned->DropExpired();
  }
  if (!changed.empty()) options_.on_cache_changed(std::move(changed));
  if (journal_has_grown) options_.on_journal_grown(journal_.sequence);
  for (Finished& one : finished) {
    // A request that failed by itself failed whatever became of the group.
    one.write->Done(one.status.ok() ? stored : one.status);
  }
}

CommitterStatistics Committer::Statistics() const {
  CommitterStatistics statistics;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    statistics.queued_writes = queue_.size();
    statistics.queued_bytes = queued_bytes_;
  }
  statistics.group_requests = group_requests_.Values();
  statistics.apply_ns = apply_ns_.Values();
  return statistics;
}

void Committer::UpdateMemory(const std::vector<Mutation>& mutations) {
  auto number = static_cast<uint32_t>(counters_.last_event_number);
  for (const NewEvent& event : transaction_.group_events()) {
    memory_.graph->Append(++number, event.ends, event.time_ms);
  }
  for (const Mutation& mutation : mutations) {
    RecordCache::Key key = {};
    if (RecordCache::FromStoreKey(mutation.key, &key)) {
      memory_.records->Change(key, version_number_ + 1);
    }
  }
}

void Committer::SyncLoop() {
  const auto interval = std::chrono::milliseconds(options_.sync_interval_ms);
  std::unique_lock<std::mutex> lock(mutex_);
  while (!wake_.wait_for(lock, interval, [this] { return stopping_; })) {
    if (!unsynced_.exchange(false, std::memory_order_relaxed)) continue;
    lock.unlock();
    // An error shows at the next Apply, which the engine then refuses.
    if (!engine_->SyncLog().ok()) unsynced_.store(true, std::memory_order_relaxed);
    lock.lock();
  }
}

}  // namespace pedigree
