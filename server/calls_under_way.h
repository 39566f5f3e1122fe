// Counts the calls under way of a transport, so that a stop can wait for them.
//
// gRPC's own Shutdown also waits, up to its deadline, for idle clients to acknowledge that it says
// goodbye; this waits for calls and nothing else. Threads: any.
//
//   if (!calls.Begin()) return Refuse();
//   ... calls.End();
//   calls.Drain(std::chrono::seconds(20));
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace pedigree {

class CallsUnderWay {
 public:
  // False, and nothing counted, once Drain() has been called.
  bool Begin();
  void End();
  // Lets no call begin any more and waits for those under way, at most this long. Whether none is
  // left.
  bool Drain(std::chrono::milliseconds at_most);
  // The same, however long it takes.
  void DrainAll();

 private:
  std::mutex mutex_;
  std::condition_variable idle_;
  int64_t count_ = 0;      // Guarded by mutex_.
  bool draining_ = false;  // Guarded by mutex_.
};

}  // namespace pedigree
