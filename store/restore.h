// Makes a new store of a backup (backup.h).
//
// Threads: any; a lock on the new directory keeps two apart.
//
//   auto report = RestoreBackup({.directory = "/backups/pedigree", .data_dir = "/data/new"});
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "store/backup.h"
#include "store/verify.h"

namespace rocksdb {
class FileSystem;
}

namespace pedigree {

struct RestoreOptions {
  std::string directory;   // Of the backups.
  std::string data_dir;    // Missing, empty, or left by a restore that was interrupted.
  uint32_t backup_id = 0;  // 0: the newest.
  ReportCopy report = nullptr;
  // A file system to use instead of the operating system's, for fault tests.
  std::shared_ptr<rocksdb::FileSystem> file_system = nullptr;
};

struct RestoreReport {
  Backup backup;
  // Otherwise backups in the same directory have what this one does not, and the restored store
  // begins a history of its own, with a backup directory of its own.
  bool is_newest = false;
  // Of the restored store. Problems are those that the store had when it was backed up: every byte
  // is what was written then.
  VerifyReport verified;
  int64_t keys = 0;  // That have been checked.
};

// Makes a new store of a backup: copies it, compares all checksums, syncs, and checks it as
// Store::Verify does; only then the directory is one of a store (state `restoring` before,
// directory.h). Never touches a directory that holds anything else. Errors: NotFound if there is no
// such backup; FailedPrecondition also while a backup is made there; DataLoss if the backup is
// damaged; ResourceExhausted if there is no room; Cancelled.
absl::StatusOr<RestoreReport> RestoreBackup(const RestoreOptions& options);

}  // namespace pedigree
