// The one thread that writes: group commit.
//
// Any thread enqueues writes. The committer takes what has gathered, runs each request in order
// against the newest state plus what the group has written so far, stores the whole group with one
// atomic batch and one fsync, publishes the new version for readers, and then completes the calls.
// Writes are serialisable by construction and share the fsync; readers see all of a group or
// nothing. Rejected: a lock per key or TransactionDB (1.7 times the CPU, and conflicts that clients
// would see), and a blocking write per gRPC thread (a sixth of the rate).
//
//   struct MyWrite : PendingWrite { Run(Transaction&) ...; Done(status) ...; };
//   committer.Enqueue(std::move(write));   // Done() comes on the committer's thread
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "store/engine.h"
#include "store/event_graph.h"
#include "store/histogram.h"
#include "store/reader.h"
#include "store/statistics.h"
#include "store/transaction.h"

namespace pedigree {

class PinnedVersions;

// One request on its way through the committer.
class PendingWrite {
 public:
  virtual ~PendingWrite() = default;
  // Does the work. An error rolls back everything that this request wrote.
  virtual absl::Status Run(Transaction& transaction) = 0;
  // Called once, when the request is durable (as --sync asks) or has failed. Must not block.
  virtual void Done(const absl::Status& status) = 0;
  // Memory that the request holds while it waits.
  virtual size_t bytes() const = 0;
};

// Is told which fingerprints have other entries or leases in the cache than before, each as
// FingerprintText(), maybe more than once. Must not block.
using CacheListener = std::function<void(std::vector<std::string> fingerprint_texts)>;

// Is told the number of the journal's last entry. Must not block.
using JournalListener = std::function<void(int64_t sequence)>;

struct CommitterOptions {
  Durability durability = Durability::kSynced;
  // Where not zero, a thread syncs the log this often: what --sync=interval may lose.
  int64_t sync_interval_ms = 0;
  // A write that would make the waiting ones hold more is refused.
  size_t max_queued_bytes = size_t{256} << 20;
  // The wall clock, in ms since the epoch.
  std::function<int64_t()> clock_ms;
  // Called after each commit that changes entries or leases of the cache, when readers can see it.
  CacheListener on_cache_changed;
  JournalMode journal = JournalMode::kOn;
  // Called after each commit that adds entries, when readers can see it.
  JournalListener on_journal_grown;
  RaiseFormat raise_format;
};

// What the committer keeps up to date beside the store. Not owned.
struct MemoryIndexes {
  EventGraph* graph;  // Has all events of the store.
  RecordCache* records;
  CacheRuntime* cache;
  PinnedVersions* pinned;
};

class Committer {
 public:
  // Starts from the state of `engine`. What it borrows outlives it and every version that it
  // publishes.
  Committer(Engine* engine, MemoryIndexes memory, std::shared_ptr<const Catalog> catalog,
            const Counters& counters, const JournalHead& journal, CommitterOptions options);
  // Finishes what is queued, then stops.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  // Accepts a write; its Done() says how it went. Where it cannot be accepted because too much is
  // waiting or the committer is stopping, Done(Unavailable) is called before this returns.
  void Enqueue(std::unique_ptr<PendingWrite> write);

  // Returns when every write that was accepted before has been answered. Not for the committer's
  // thread.
  void WaitForAccepted();

  // The newest committed state. Never null.
  std::shared_ptr<const Version> CurrentVersion() const {
    std::lock_guard<std::mutex> lock(version_mutex_);
    return version_;
  }

  CommitterStatistics Statistics() const;

 private:
  using Queue = std::deque<std::unique_ptr<PendingWrite>>;

  // Takes the write, or says why not and leaves it.
  absl::Status Accept(std::unique_ptr<PendingWrite>* write);
  void Loop();
  void SyncLoop();
  // Runs requests from the front of `queue` until it is empty or the group is full.
  void CommitGroup(Queue* queue);
  // Brings the memory indexes after a group that has been stored.
  void UpdateMemory(const std::vector<Mutation>& mutations);
  void Publish();

  Engine* const engine_;
  const MemoryIndexes memory_;
  const CommitterOptions options_;
  Transaction transaction_;  // Of the committer's thread alone, like the two below.
  std::shared_ptr<const Catalog> catalog_;
  Counters counters_;
  JournalHead journal_;
  uint64_t version_number_ = 0;
  // Held for the copy of a pointer. Rejected: std::atomic<std::shared_ptr>, which libstdc++ 12
  // unlocks in load() with relaxed order, a race on other processors than x86.
  mutable std::mutex version_mutex_;
  std::shared_ptr<const Version> version_;  // Guarded by version_mutex_.

  // Of the groups that were stored. Written by the committer's thread.
  Histogram group_requests_;
  Histogram apply_ns_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable answered_some_;
  Queue queue_;  // Guarded by mutex_, as are the four below.
  size_t queued_bytes_ = 0;
  uint64_t accepted_ = 0;  // Writes, ever.
  uint64_t answered_ = 0;
  bool stopping_ = false;
  std::atomic<bool> unsynced_ = false;

  std::thread sync_thread_;
  std::thread thread_;
};

}  // namespace pedigree
