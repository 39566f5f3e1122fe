// The store's directory: what makes it ours, and what must not happen to it.
//
//   data_dir/PEDIGREE     the marker: "pedigree store\nformat 1\nstate ready\n"
//   data_dir/HIGH_WATER   how far the database must go (high_water.h)
//   data_dir/db/          RocksDB
//
// The marker is written before anything else, in state `creating`, and again, in state `ready`,
// once the empty database is on the disk. Only a store in state `creating`, which has never
// acknowledged a write, is ever created or completed; anything else that is missing is an error. A
// directory that an import fills (bulk_loader.h) is in state `importing` until all is there; one
// that is to follow its source is then in state `following` (Store, Purpose::kFollow) until that is
// done. One that a backup is restored to (backup.h) is in state `restoring`. Functions of the
// opening thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pedigree {

// The newest version of what FORMAT.md describes.
inline constexpr uint32_t kFormatVersion = 2;
// What a store is created with: it needs nothing that came later.
inline constexpr uint32_t kFirstFormatVersion = 1;
// From which on a store may hold nodes that were not created in id order.
inline constexpr uint32_t kCreateOrderFormatVersion = 2;

enum class DirectoryState : uint8_t { kCreating, kReady, kImporting, kFollowing, kRestoring };

// Claims a missing or empty directory (state kCreating; *.log files and lost+found do not count),
// or recognises ours. Errors: FailedPrecondition if it holds something else, an unfinished import
// or restore, or a newer format; PermissionDenied; ResourceExhausted; Unavailable on other errors
// of the file system.
absl::StatusOr<DirectoryState> PrepareDirectory(const std::string& data_dir);

// Holds a directory that an import or a restore fills, from before its marker is looked at until it
// is let go. The system lets go of it when a process dies.
class DirectoryLock {
 public:
  // Makes the directory if it is missing. FailedPrecondition if somebody has it.
  static absl::StatusOr<DirectoryLock> Take(const std::string& data_dir);

  DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  DirectoryLock& operator=(DirectoryLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int fd) : fd_(fd) {}

  int fd_ = -1;
};

// REQUIRES of this and the next: a DirectoryLock is held.
// The same for an import: claims the directory in state kImporting, or recognises it in that state.
// FailedPrecondition also if it holds a store.
absl::Status PrepareImport(const std::string& data_dir, uint32_t format);

// The same for a restore, in state kRestoring.
absl::Status PrepareRestore(const std::string& data_dir, uint32_t format);

// The state of a directory that an import can use: kCreating if it may be claimed, kImporting or
// kFollowing. FailedPrecondition if it holds anything else. Changes nothing.
absl::StatusOr<DirectoryState> CheckImportTarget(const std::string& data_dir);

// FailedPrecondition unless the directory is in state kFollowing.
absl::Status CheckFollowing(const std::string& data_dir);

// The version that the marker of a store in state `ready` says. NotFound if there is no store;
// FailedPrecondition if it is in another state, or of a newer version.
absl::StatusOr<uint32_t> ReadMarkerFormat(const std::string& data_dir);

// Makes the marker of a store in state `ready` say at least this version, durably. Errors: as
// ReadMarkerFormat().
absl::Status RaiseMarkerFormat(const std::string& data_dir, uint32_t format);

// Writes the marker in state `ready`, or `following`, durably.
absl::Status MarkReady(const std::string& data_dir, uint32_t format = kFirstFormatVersion);
absl::Status MarkFollowing(const std::string& data_dir, uint32_t format);

std::string DatabaseDirectory(absl::string_view data_dir);

}  // namespace pedigree
