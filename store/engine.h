// The seam between Pedigree and the key-value store under it.
//
// Everything above touches storage only through these two classes: consistent views to read from,
// and atomic, optionally synced batches to write. RocksDB stands behind it today
// (rocksdb_engine.cc); a distributed engine can stand behind it later without a change above.
// Virtual calls are per batch of keys, never per key.
//
// Threads: a View may be used by any number of threads at once. Engine::Apply is called by one
// thread at a time (the committer).
//
//   std::shared_ptr<const View> view = engine->CurrentView();
//   auto value = view->Get(key, Blocking::kAllowed);
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "store/statistics.h"

namespace pedigree {

struct Backup;  // backup.h
struct BackupOptions;

// Whether a read may wait for the disk. A cache-only read that would have to answers WouldBlock(),
// so that a thread that must not block can hand the call to one that may.
enum class Blocking : uint8_t { kAllowed, kCacheOnly };

absl::Status WouldBlock();
bool IsWouldBlock(const absl::Status& status);

enum class Direction : uint8_t { kAscending, kDescending };

// Keys in [begin, end), bytewise. An empty `end` is no bound.
struct KeyRange {
  std::string begin;
  std::string end;
};

// All keys that start with `prefix`.
KeyRange PrefixRange(absl::string_view prefix);

// A consistent, immutable state of the whole store.
class View {
 public:
  virtual ~View() = default;

  // The value under `key`, nullopt if there is none.
  // Errors: WouldBlock() under kCacheOnly; DataLoss if bytes are damaged; Unavailable on I/O
  // errors.
  virtual absl::StatusOr<std::optional<std::string>> Get(absl::string_view key,
                                                         Blocking blocking) const = 0;

  // Calls found(i, value) for every keys[i] that exists, in the order of `keys`; ascending keys are
  // faster. The value is valid during the call only. Errors as Get.
  virtual absl::Status MultiGet(absl::Span<const std::string> keys, Blocking blocking,
                                absl::FunctionRef<void(size_t, absl::string_view)> found) const = 0;

  // Visits the keys of `range` in order until `visit` answers false. Errors as Get.
  virtual absl::Status Scan(
      const KeyRange& range, Direction direction, Blocking blocking,
      absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) const = 0;

  // Scans a large part of the store, ascending: reads ahead, and leaves in the cache what is there.
  virtual absl::Status ScanThrough(
      const KeyRange& range,
      absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) const = 0;
};

struct Mutation {
  bool is_delete;
  absl::string_view key;
  absl::string_view value;
};

enum class Durability : uint8_t {
  kSynced,    // On the disk when Apply returns.
  kBuffered,  // In the operating system's hands when Apply returns; SyncLog() brings it to disk.
  // On the disk after Flush(). What a crash before leaves is all of the first so many batches. For
  // filling a new store only: no logged write may follow before Flush().
  kUnlogged,
};

class Engine {
 public:
  virtual ~Engine() = default;

  // The newest applied state.
  virtual std::shared_ptr<const View> CurrentView() = 0;

  // Applies all mutations or none. Errors: ResourceExhausted when the disk is full, Unavailable on
  // other I/O errors, DataLoss if the store is damaged. After an error every later call answers the
  // same: what of the failed batch is on the disk, only opening the store again can tell.
  virtual absl::Status Apply(absl::Span<const Mutation> mutations, Durability durability) = 0;

  // Makes everything applied so far durable.
  virtual absl::Status SyncLog() = 0;

  // Writes everything that is only in memory and log to table files.
  virtual absl::Status Flush() = 0;

  // Merges all table files, once and for all. For the end of a bulk load: takes as long as reading
  // and writing everything.
  virtual absl::Status Compact() = 0;

  // Reads every byte of every file back and checks it. Errors: DataLoss naming the file.
  virtual absl::Status VerifyFiles() = 0;

  // Copies the newest state elsewhere, while others read and write. What has been applied is in it,
  // however durable. Errors: as BackUpDatabase() (backup.h), and those of WriteStatus().
  virtual absl::StatusOr<Backup> BackUp(const BackupOptions& options) = 0;

  // Batches are numbered in the order applied, and the numbers only grow, from one opening to the
  // next too: that of the newest applied batch. Any thread.
  virtual uint64_t LastSequence() const = 0;

  // Every batch up to this number survives a power cut. Maybe behind the truth, never ahead of it.
  // Any thread.
  virtual uint64_t DurableSequence() const = 0;

  // OK, or what every Apply() answers since the first that failed. Any thread.
  virtual absl::Status WriteStatus() const = 0;

  // May wait for a moment. Any thread.
  virtual EngineStatistics Statistics() const = 0;
};

}  // namespace pedigree
