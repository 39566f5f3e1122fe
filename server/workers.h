// The threads that may wait: for the disk, or for long work. Threads of a transport never do.
//
// Work is done in the order in which it was added. Add() may be called from any thread.
//
//   Workers workers;
//   workers.Add(std::make_unique<LongRead>(...), Workers::Admission::kIfRoom);
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"

namespace pedigree {

class Workers {
 public:
  // One of the two is called, once.
  class Work {
   public:
    virtual ~Work() = default;
    virtual void Run() = 0;
    // It will not be run. Unavailable: too much work waits, or the server is stopping.
    virtual void Refuse(const absl::Status& status) = 0;
  };
  enum class Admission : uint8_t {
    kIfRoom,  // New work is refused while too much waits.
    kAlways,  // The next step of what was let in before.
  };

  Workers();
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Refuses what waits and what comes from now on, and returns when nothing runs any more. Repeats
  // do nothing. Not from its own threads.
  void Stop();

  // May refuse the work before it returns.
  void Add(std::unique_ptr<Work> work, Admission admission);

 private:
  void Loop();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Work>> waiting_;  // Guarded by mutex_.
  bool stopping_ = false;                      // Guarded by mutex_.
  std::vector<std::thread> threads_;
};

}  // namespace pedigree
