// What stands beside the store for pedigree.v1.AdminService: numbers of the process, where backups
// may go, and the one backup that is being made.
//
// A backup has a thread of its own, since it waits for the disk for as long as it takes. Threads:
// any.
//
//   Admin admin(&store, {.version = "0.1.0", .backup_root = "/backups"});
//   auto run = admin.StartBackup(request);
//   while (!(*run)->Now().result.has_value()) ...
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pedigree/v1/admin.pb.h"
#include "store/backup.h"
#include "store/store.h"

namespace pedigree {

struct AdminOptions {
  std::string version;
  // The directory in which backups may be made. "": none.
  std::string backup_root;
  // Whether clients may import into an empty store.
  bool allow_import = false;
};

// Of backups since the start.
struct BackupNumbers {
  uint64_t succeeded = 0;
  uint64_t failed = 0;
  bool is_under_way = false;
  // Of the last that succeeded; 0 before there is one.
  int64_t last_end_s = 0;  // Since the epoch.
  double last_seconds = 0;
  uint64_t last_bytes = 0;
  uint64_t last_new_bytes = 0;
};

// A backup that is being made.
class BackupRun {
 public:
  struct State {
    CopyProgress progress;
    std::optional<absl::StatusOr<Backup>> result;  // Once it is done.
  };

  // How far it is.
  State Now() const;
  // Nobody wants it any more: it ends soon, as if it had never been begun.
  void Cancel() { is_cancelled_ = true; }

 private:
  friend class Admin;

  bool Report(const CopyProgress& progress);
  void Finish(absl::StatusOr<Backup> result);

  std::atomic<bool> is_cancelled_ = false;
  mutable std::mutex mutex_;
  State state_;  // Guarded by mutex_.
};

// Checks of everything, each of which keeps a worker busy for as long as it takes.
enum class CheckOf : uint8_t { kStore, kJournal };

class Admin {
 public:
  // `store` is not owned and outlives this.
  Admin(Store* store, AdminOptions options);
  // Ends a backup that is under way.
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  const AdminOptions& options() const { return options_; }
  int64_t uptime_ms() const;
  // May wait for a moment.
  StoreStatistics StoreNumbers() const { return store_->Statistics(); }
  BackupNumbers Backups() const;

  // How many nodes of exactly each type there are, by the type's id, at least as new as the reader.
  // Reads what has come since the last time only. May wait for the disk; errors as Reader.
  absl::StatusOr<absl::flat_hash_map<int64_t, int64_t>> CountByType(const Reader& reader);

  // Begins a check, which ends with what this answers. AlreadyExists while there is another of it.
  absl::StatusOr<std::shared_ptr<void>> BeginCheck(CheckOf what);

  // Begins a backup. Errors: as admin.proto says, of those that can be told at once.
  absl::StatusOr<std::shared_ptr<BackupRun>> StartBackup(const v1::BackupRequest& request);

 private:
  // Where the request says, without links; or why not.
  absl::StatusOr<std::string> AllowedDirectory(const std::string& directory) const;
  void Run(const BackupOptions& options, BackupRun* run);

  Store* const store_;
  const AdminOptions options_;
  const std::chrono::steady_clock::time_point start_;

  // Types and members only ever come, in id order: what has been counted stays true. Not so while
  // the store is being imported, when nothing is kept.
  std::mutex counts_mutex_;
  std::array<int64_t, 3> counted_to_ = {};  // Ids by IndexOf(kind); guarded, as the next.
  absl::flat_hash_map<int64_t, int64_t> by_type_;

  std::mutex checks_mutex_;
  std::array<std::weak_ptr<void>, 2> checks_;  // By CheckOf; guarded by checks_mutex_.

  mutable std::mutex backup_mutex_;
  BackupNumbers numbers_;           // Guarded by backup_mutex_, as the two below.
  std::shared_ptr<BackupRun> run_;  // The last.
  std::thread thread_;              // Of the last.
};

}  // namespace pedigree
