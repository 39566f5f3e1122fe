// Streams that have nothing to say until the journal grows: parked, without a thread or a version.
//
// One thread wakes them: a moment after a commit, so that a burst of commits is one look, and those
// whose time is up. The committer only says a number and is never held up.
// Threads: all methods from any thread.
//
//   waits.Park(stream, seen_entry, until);
//   waits.OnJournalGrown(sequence);   // Stream::Wake() follows, if `sequence` is beyond seen_entry
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace pedigree {

class Stream;

class StreamWaits {
 public:
  StreamWaits();
  // Wakes nobody any more.
  ~StreamWaits();
  StreamWaits(const StreamWaits&) = delete;
  StreamWaits& operator=(const StreamWaits&) = delete;

  // Wakes the stream when there are entries after `seen_entry`, which may be so already, or when
  // its time has come. One that ends meanwhile is let go then.
  void Park(std::shared_ptr<Stream> stream, int64_t seen_entry,
            std::chrono::steady_clock::time_point until);
  void OnJournalGrown(int64_t sequence);

 private:
  struct Parked {
    std::shared_ptr<Stream> stream;
    int64_t seen_entry;
    std::chrono::steady_clock::time_point until;
  };

  void Loop();
  // REQUIRES of all below: mutex_ is held.
  // Whether a parked stream has something to look at.
  bool HasNews() const;
  std::chrono::steady_clock::time_point FirstDue() const;
  std::vector<Parked> TakeDue();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Parked> parked_;  // Guarded by mutex_, as the next.
  int64_t newest_entry_ = 0;    // Of those that have been told of.
  bool is_gathering_ = false;   // The thread knows that there is something to do.
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace pedigree
