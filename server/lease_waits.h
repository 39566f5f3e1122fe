// Calls that wait until somebody else publishes a result, or gives up the lease to make it.
//
// A call that waits holds no thread and no version of the store. One thread looks after all of
// them: it reads again for those whose fingerprint a commit has changed, whose lease has run out or
// whose time is up, and answers those that have their answer. Where a lease has become free, one of
// those that wait for it writes and the others stay where they are until it is known how that went:
// 256 callers cost one commit. Those that wait get a lease in the order in which they came; who
// comes when it is free does not have to wait for them.
//
//             Park()              reads                              writes
//   a call -----------> arrived --------> parked (by fingerprint) --------------> answered
//                                   |        ^ |  changed, run out, time up |        ^
//                                   |        +-+----------------------------+        |
//                                   +---- hit, or too late --------------------------+
//
// No wake-up is lost: a call that arrives is read for after OnChanged() has begun to keep what it
// is told.
// Threads: all methods from any thread; OnWritten() may come after Stop().
//
//   auto waits = std::make_shared<LeaseWaits>(&store);
//   waits->Park(std::move(call));
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "server/pending_call.h"
#include "store/store.h"

namespace pedigree {

class LeaseWaits : public std::enable_shared_from_this<LeaseWaits> {
 public:
  // Calls at once, beyond which more are refused.
  static constexpr size_t kMostCalls = 10'000;

  // `store` is not owned; it outlives Stop().
  explicit LeaseWaits(Store* store);
  // REQUIRES: Stop() has been called.
  ~LeaseWaits() = default;
  LeaseWaits(const LeaseWaits&) = delete;
  LeaseWaits& operator=(const LeaseWaits&) = delete;

  // Answers with Unavailable what waits and what comes from now on.
  void Stop();

  // For a call that has read and needs a change. May answer it before it returns.
  void Park(std::unique_ptr<PendingCall> call);
  // For a call that has read and needs a write.
  void Write(std::unique_ptr<PendingCall> call);
  // A commit has changed entries or leases of these fingerprints. Called when readers see it.
  void OnChanged(std::vector<std::string> fingerprint_texts);

 private:
  class WriteTask;
  using Calls = std::list<std::unique_ptr<PendingCall>>;

  // What the thread is to do.
  struct Inbox {
    std::vector<std::unique_ptr<PendingCall>> arrived;
    absl::flat_hash_set<std::string> changed;
    // The waits of calls whose attempt to get a lease is over.
    std::vector<CacheWait> attempts_ended;

    bool empty() const { return arrived.empty() && changed.empty() && attempts_ended.empty(); }
  };

  enum class Attempt : uint8_t {
    kOwn,      // Of a call that has not waited.
    kForMany,  // Of one of those that wait for the same lease.
  };
  void Enqueue(std::unique_ptr<PendingCall> call, Attempt attempt);
  void OnWritten(std::unique_ptr<PendingCall> call, Attempt attempt, const absl::Status& status);
  void Add(std::unique_ptr<PendingCall> call);

  void Loop();
  void Work(Inbox inbox);
  // Reads for one call, and answers it, or answers true: it waits on, or may write.
  bool Check(std::unique_ptr<PendingCall>* call);
  // Lets a call write that has found its lease free; false if another has just begun to.
  bool LetWrite(std::unique_ptr<PendingCall>* call);
  // Checks all calls of a fingerprint in the order in which they came, and lets the first of them
  // that wait for a lease write if that is free.
  void CheckAll(const std::string& fingerprint_text);
  // Those that nobody wants any more, or whose time or lease has run out.
  void CheckDue();
  // When CheckDue() is to come again.
  std::chrono::steady_clock::time_point NextDue() const;
  void Finish(std::unique_ptr<PendingCall> call, const absl::Status& status);

  Store* const store_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Inbox inbox_;  // Guarded by mutex_, as the next.
  bool stopping_ = false;
  std::atomic<size_t> calls_ = 0;  // That have been added and not answered, nor given to a write.

  // Of the thread alone.
  absl::flat_hash_map<std::string, Calls> parked_;   // By fingerprint, in the order of arrival.
  absl::flat_hash_set<std::string> attempts_;        // Keys of leases.
  std::chrono::steady_clock::time_point last_look_;  // Of CheckDue().

  std::thread thread_;
};

}  // namespace pedigree
