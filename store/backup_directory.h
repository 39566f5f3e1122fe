// What of a backup directory is ours: who may write there, and what a backup says of itself.
//
//   DIR/PEDIGREE_BACKUPS   "pedigree backups 1\n": RocksDB may delete in this directory
//   DIR/LOCK               held by the one that changes it, shared by those that copy from it
//   DIR/meta/N             RocksDB's list of the files of backup N, with our description
//
// Threads: as backup.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "store/backup.h"

namespace rocksdb {
class BackupEngineReadOnly;
class Env;
class FileSystem;
class Status;
struct BackupInfo;
}  // namespace rocksdb

namespace pedigree {

// The description of a backup, which RocksDB keeps with it:
//   "pedigree backup 1\nformat 2\nsequence 184\nstore <text>\n"
struct BackupDescription {
  uint32_t format = 0;
  uint64_t sequence = 0;
  std::string store;

  std::string Encode() const;
  static std::optional<BackupDescription> Decode(absl::string_view text);
};

enum class LockKind : uint8_t { kShared, kExclusive };

// Holds DIR/LOCK. Threads: one.
class BackupLock {
 public:
  // A directory that cannot be written and has no lock needs none to be read.
  // Errors: AlreadyExists (kExclusive) or FailedPrecondition (kShared) if others are at work there;
  // as FileError.
  static absl::StatusOr<BackupLock> Take(const std::string& directory, LockKind kind);
  ~BackupLock();
  BackupLock(BackupLock&& other) noexcept;
  BackupLock& operator=(BackupLock&&) = delete;

 private:
  explicit BackupLock(int fd) : fd_(fd) {}

  int fd_;
};

// Makes the directory, and makes it ours if it is empty. Errors as BackUpDatabase().
absl::Status PrepareBackupDirectory(const std::string& directory);
// NotFound if it is missing; FailedPrecondition if it is not ours.
absl::Status CheckBackupDirectory(const std::string& directory);

// The path, absolute, without links as far as it exists.
std::string Resolved(const std::string& path);
// Whether `inner` is `outer` or below it, links resolved as far as the paths exist.
bool IsInside(const std::string& inner, const std::string& outer);

// Bytes that this user may still write there. As FileError.
absl::StatusOr<uint64_t> FreeBytes(const std::string& path);
absl::StatusOr<bool> AreOnOneDisk(const std::string& one, const std::string& other);

// `status` of RocksDB's while it did `what` with the directory.
absl::Status BackupStatus(const rocksdb::Status& status, absl::string_view what,
                          const std::string& directory);

// What RocksDB and the description say. FailedPrecondition if it has no description of ours.
absl::StatusOr<Backup> ToBackup(const rocksdb::BackupInfo& info);

// An environment over `base` that tells `on_read` how many bytes have been read of files that are
// read from the beginning to the end; false fails the read. Reading a backup back and restoring it
// have no other way to say how far they are, or to end.
std::unique_ptr<rocksdb::Env> WatchReads(const std::shared_ptr<rocksdb::FileSystem>& base,
                                         std::function<bool(uint64_t bytes)> on_read);

// Makes the system forget what it holds in memory of a file, so that it is read from the disk.
void DropFromPageCache(const std::string& path);

}  // namespace pedigree
