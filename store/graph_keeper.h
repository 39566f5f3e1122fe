// Writes a snapshot of the graph of events now and then (graph_snapshot.h), while the store serves.
//
// A thread looks whether the event log has grown enough since the last one. The store names the new
// snapshot once it is durable, and then the entries of the log that it covers go, in small writes
// among the others. A disk that fails or fills keeps the old snapshot and the log.
//
//   GraphKeeper keeper(store, data_dir, last_event_of_snapshot);   // until it is destroyed
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace pedigree {

class Store;

// Events after a snapshot from which on a new one is worth it: a start reads so many from the log
// in about a third of a second. A snapshot of a large store costs more, so there the log may grow
// to a quarter of it.
inline constexpr uint32_t kLogEventsPerSnapshot = uint32_t{1} << 20;

struct GraphKeeperOptions {
  std::string data_dir;
  uint32_t last_event_of_snapshot = 0;  // Of the one that there is; 0 if there is none.
  uint32_t log_events = kLogEventsPerSnapshot;
};

class GraphKeeper {
 public:
  // `store` is not owned and outlives this.
  GraphKeeper(Store* store, GraphKeeperOptions options);
  // Ends the write at hand; a snapshot that is half written is none.
  ~GraphKeeper();
  GraphKeeper(const GraphKeeper&) = delete;
  GraphKeeper& operator=(const GraphKeeper&) = delete;

 private:
  void Loop();
  bool IsStopping();
  bool IsWorthIt() const;
  // Whether it has written one.
  bool WriteSnapshot();
  void TrimLog();

  Store* const store_;
  GraphKeeperOptions options_;  // Of the thread.
  int64_t trimmed_ = 1;         // Entries of the log before this number are gone. Of the thread.
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace pedigree
