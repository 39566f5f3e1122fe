// A Pedigree store: one directory, opened by one process.
//
// Reads take a consistent version and never a lock; writes go through the committer
// (committer.h). All methods may be called from any thread.
//
//   auto store = Store::Open({.data_dir = "pedigree-data"});
//   absl::Status status = (*store)->Write([](Transaction& t) { ... });
//   status = (*store)->Read(Blocking::kAllowed, [](const Reader& r) { ... });
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/cache_runtime.h"
#include "store/committer.h"
#include "store/engine.h"
#include "store/event_graph.h"
#include "store/graph_keeper.h"
#include "store/graph_load.h"
#include "store/high_water.h"
#include "store/index_builder.h"
#include "store/pinned_versions.h"
#include "store/reader.h"
#include "store/statistics.h"
#include "store/transaction.h"
#include "store/verify.h"

namespace rocksdb {
class FileSystem;
}

namespace pedigree {

// When a write is acknowledged.
enum class Sync : uint8_t {
  kAlways,    // After it is on the disk.
  kInterval,  // Before; a crash of the machine loses at most the last 100 ms.
  kNever,     // Before; a crash of the machine loses what the system had not written.
};
inline constexpr int64_t kSyncIntervalMs = 100;

// What a store is opened for.
enum class Purpose : uint8_t {
  kServe,
  kFollow,  // To catch up with the source of an import that has been loaded (bulk_loader.h).
};

struct StoreOptions {
  std::string data_dir;
  Purpose purpose = Purpose::kServe;
  Sync sync = Sync::kAlways;
  // Memory for blocks of table files, their indexes and filters included.
  size_t block_cache_bytes = size_t{256} << 20;
  // Memory for writes that are not in table files yet.
  size_t write_buffer_bytes = size_t{64} << 20;
  // Memory for records that readers have read lately.
  size_t record_cache_bytes = size_t{64} << 20;
  size_t max_queued_bytes = size_t{256} << 20;
  // What one filtered list may cost; ReadLimits.
  int64_t max_query_visits = ReadLimits().max_query_visits;
  std::chrono::milliseconds max_query_time = ReadLimits().max_query_time;
  // Events after the snapshot of lineage from which on there is a new one (graph_keeper.h).
  uint32_t log_events_per_snapshot = kLogEventsPerSnapshot;
  // Whether committed requests are journalled (journal.h).
  JournalMode journal = JournalMode::kOn;
  // Where to say what takes long while the store opens; nowhere if unset.
  LogLine log;
  // The wall clock in ms since the epoch; the system's if unset.
  std::function<int64_t()> clock_ms;
  // A monotonic clock in ms, which leases are measured by; the system's if unset.
  std::function<int64_t()> steady_ms;
  // How old a result from the cache may be.
  CachePolicy cache_policy;
  // A file system to use instead of the operating system's, for fault tests. Not owned.
  std::shared_ptr<rocksdb::FileSystem> file_system;
};

class Store {
 public:
  // Opens the store in options.data_dir, creating it if the directory is empty or missing.
  // Errors, all with what to do: FailedPrecondition if the directory holds something else, a newer
  // format, or is open elsewhere; PermissionDenied; ResourceExhausted if the disk is full; DataLoss
  // if files are missing or damaged, or acknowledged writes with them; Unavailable on other I/O
  // errors. A store that is refused is left as it was, to the byte.
  // Purpose::kFollow opens only what BulkLoader has left to follow its source.
  static absl::StatusOr<std::unique_ptr<Store>> Open(StoreOptions options);

  // Finishes accepted writes, writes everything to table files and closes.
  ~Store();

  // Runs `read` on the newest version. `is_cancelled`, if given, ends it early (ReadLimits).
  absl::Status Read(Blocking blocking, absl::FunctionRef<absl::Status(const Reader& reader)> read,
                    const std::function<bool()>* is_cancelled = nullptr) const;

  // The newest version, for who reads it more than once. Who keeps it also keeps on the disk what
  // later writes replace. REQUIRES: the store outlives it.
  std::shared_ptr<const Version> CurrentVersion() const { return committer_->CurrentVersion(); }
  // The same for a version that CurrentVersion() has answered.
  absl::Status Read(std::shared_ptr<const Version> version, Blocking blocking,
                    absl::FunctionRef<absl::Status(const Reader& reader)> read,
                    const std::function<bool()>* is_cancelled = nullptr) const;

  // Versions for readers that come back to them.
  PinnedVersions& pinned_versions() const { return *pinned_; }

  // Hands a write to the committer, as Committer::Enqueue.
  void Enqueue(std::unique_ptr<PendingWrite> write);

  // As Committer::WaitForAccepted.
  void WaitForAcceptedWrites();

  // Runs one write and waits for it. Not for threads that must not block.
  absl::Status Write(std::function<absl::Status(Transaction& transaction)> write);

  JournalMode journal_mode() const { return journal_mode_; }

  // From now on `listener` is called on the committer's thread, until there is another or, when
  // this returns, none (null).
  void SetCacheListener(CacheListener listener);

  // The same for the journal.
  void SetJournalListener(JournalListener listener);

  // OK while writes are accepted; once a disk write has failed, what every write answers.
  absl::Status WriteStatus() const { return engine_->WriteStatus(); }

  // May wait for a moment, so not for threads that must not block.
  StoreStatistics Statistics();

  // The end of Purpose::kFollow: closes the store and makes it one that servers open.
  // Transaction::EndImport() has been committed.
  static absl::Status MakeReady(std::unique_ptr<Store> store);

  // Checks every invariant of the newest version, and every byte of the files (verify.h).
  absl::StatusOr<VerifyReport> Verify() const;

  // Copies the newest version to a directory of backups, while others read and write (backup.h).
  // Every write acknowledged before is in it. Takes as long as it takes; errors: as
  // BackUpDatabase(), and those of WriteStatus().
  absl::StatusOr<Backup> BackUp(const BackupOptions& options);

 private:
  Store(std::unique_ptr<Engine> engine, size_t record_cache_bytes)
      : engine_(std::move(engine)), records_(record_cache_bytes) {}

  void OnCacheChanged(std::vector<std::string> fingerprint_texts);
  void OnJournalGrown(int64_t sequence);

  std::string data_dir_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<EventGraph> graph_;
  RecordCache records_;
  CacheRuntime cache_;
  JournalMode journal_mode_ = JournalMode::kOn;
  std::unique_ptr<PinnedVersions> pinned_;
  std::mutex cache_listener_mutex_;    // Held while it is called.
  CacheListener cache_listener_;       // Guarded by cache_listener_mutex_.
  std::mutex journal_listener_mutex_;  // Held while it is called.
  JournalListener journal_listener_;   // Guarded by journal_listener_mutex_.
  std::unique_ptr<HighWaterKeeper> high_water_;
  std::unique_ptr<Committer> committer_;
  ReadLimits read_limits_;
  std::unique_ptr<IndexBuilder> index_builder_;
  std::unique_ptr<GraphKeeper> graph_keeper_;
};

// The same checks as Store::Verify() for a store that nobody has open, in whatever state its marker
// is, without changing a byte of it. Errors: as Store::Open.
// `report`, if given, is told now and then how many keys have been checked, of about how many.
using ReportKeys = std::function<void(int64_t keys, int64_t keys_in_all)>;
absl::StatusOr<VerifyReport> VerifyUnopened(const StoreOptions& options,
                                            const ReportKeys& report = nullptr);

}  // namespace pedigree
