// The high-water mark: a number beside the database up to which every write is known to be durable.
//
//   data_dir/HIGH_WATER   "pedigree high water\nsequence 184\nsha256 <64 digits>\n"
//
// RocksDB takes much damage for the torn end of its log, or for an older state of its manifest, and
// opens without what follows. Whether something that was acknowledged follows, only a second place
// can tell. The mark is written beside the commits and never waited for: damage to what was written
// in the last second may pass, and the mark never claims what a power cut could take away.
//
//   absl::Status status = CheckHighWater(*engine, data_dir);
//   HighWaterKeeper keeper(engine, data_dir);   // writes the mark until it goes
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/engine.h"

namespace pedigree {

// What a second of writes costs at most: a file of 120 bytes, and two syncs.
inline constexpr std::chrono::milliseconds kHighWaterInterval{1000};

// The mark; 0 if there is none. A store that ended within a second of its creation has none, and
// who has no backup may remove the file to start with what is left. Errors: DataLoss if the file
// does not decode, PermissionDenied or Unavailable if it cannot be read.
absl::StatusOr<uint64_t> ReadHighWater(const std::string& data_dir);

// Errors as ReplaceFile (durable_file.h).
absl::Status WriteHighWater(const std::string& data_dir, uint64_t sequence);

// DataLoss if the engine has less than the mark says. Other errors as ReadHighWater.
absl::Status CheckHighWater(const Engine& engine, const std::string& data_dir);

// Brings the mark after the engine's DurableSequence() from a thread of its own, and once more at
// the end. A mark that cannot be written stays behind, which is safe: the next one is tried.
class HighWaterKeeper {
 public:
  // `engine` is not owned and outlives this.
  HighWaterKeeper(const Engine* engine, std::string data_dir);
  ~HighWaterKeeper();
  HighWaterKeeper(const HighWaterKeeper&) = delete;
  HighWaterKeeper& operator=(const HighWaterKeeper&) = delete;

 private:
  void Loop();
  void WriteIfGrown();

  const Engine* const engine_;
  const std::string data_dir_;
  uint64_t written_;  // Of the thread, and of the destructor after it.

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace pedigree
