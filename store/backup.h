// Backups of a store: made while it serves, each of one state, in a directory that they share.
//
// A backup directory belongs to one store. RocksDB's BackupEngine keeps the files in it: table
// files, which never change, stand there once for all backups that have them, so a second backup
// copies what is new. What the store's own directory holds beside the database is not copied: it
// follows from the database, or (the high-water mark) from what a backup is known to hold, and
// RestoreBackup() (restore.h) makes it anew (FORMAT.md, Backups). A backup holds all that was
// acknowledged before it was begun, and is listed once it has been copied, read back and opened.
//
// Threads: any; a lock in the directory keeps two that would change it apart.
//
//   auto backup = store->BackUp({.directory = "/backups/pedigree"});
//   auto backups = ListBackups("/backups/pedigree");
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rocksdb {
class DB;
}

namespace pedigree {

struct CopyProgress {
  enum class Phase : uint8_t { kCopying, kReadingBack };

  Phase phase = Phase::kCopying;
  uint64_t bytes = 0;         // Done in this phase.
  uint64_t bytes_in_all = 0;  // Of this phase; an estimate.
};

// Is told now and then how far it is, on the thread that copies. False ends it (Cancelled).
using ReportCopy = std::function<bool(const CopyProgress& progress)>;

// So that the store's disk stays smooth for the committer, and still an hour's worth of half a
// terabyte.
inline constexpr uint64_t kDefaultBackupRate = uint64_t{128} << 20;

inline constexpr uint64_t kLeastBackupRate = uint64_t{64} << 10;
inline constexpr uint64_t kMostBackupRate = uint64_t{4} << 30;

struct BackupOptions {
  // Made if missing. Absolute or not; not in the store's own directory.
  std::string directory;
  // Keeps the newest so many backups, once this one has been read back; 0: all.
  uint32_t keep = 0;
  // Of what is copied; beyond the two bounds, the bound.
  uint64_t max_bytes_per_second = kDefaultBackupRate;
  // A backup on the disk of the store leaves so much of it free: a store whose disk is full stops
  // writing.
  uint64_t reserve_bytes = uint64_t{256} << 20;
  ReportCopy report = nullptr;
};

struct Backup {
  uint32_t id = 0;         // Ascends in a directory.
  int64_t created_s = 0;   // Since the epoch.
  uint64_t bytes = 0;      // Of all its files.
  uint64_t new_bytes = 0;  // Of those that no backup before it has. Of BackUp() only.
  uint32_t files = 0;
  uint32_t format = 0;      // FORMAT.md, Versions.
  uint64_t sequence = 0;    // Holds at least the writes up to this number (high_water.h).
  std::string store;        // Which history it is of: the same for backups that follow another.
  bool is_damaged = false;  // Files are missing or of the wrong size; the rest is then unset.
};

// What BackUp() of an open store does with its database. Errors: AlreadyExists while another backup
// is made there; FailedPrecondition if the directory holds something else, backups of another store
// or of a later state; ResourceExhausted if its disk is full or would be; DataLoss if what is read
// back is not what was written, or backups that are there are damaged; Cancelled by `report`;
// PermissionDenied; Unavailable on other I/O errors. After an error the backups before are as they
// were, and what was copied is removed, now or by the next; only where old ones could not be
// removed at the end (`keep`) the new one stays, and the error says so.
absl::StatusOr<Backup> BackUpDatabase(rocksdb::DB* database, const BackupOptions& options);

// The backups in a directory, the oldest first; damaged ones included. NotFound if there is no such
// directory, FailedPrecondition if it is none of backups; as FileError.
absl::StatusOr<std::vector<Backup>> ListBackups(const std::string& directory);

}  // namespace pedigree
