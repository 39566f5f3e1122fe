// The store's directory: what makes it ours, and what must not happen to it.
//
//   data_dir/PEDIGREE     the marker: "pedigree store\nformat 1\nstate ready\n"
//   data_dir/HIGH_WATER   how far the database must go (high_water.h)
//   data_dir/db/          RocksDB
//
// The marker is written before anything else, in state `creating`, and again, in state `ready`,
// once the empty database is on the disk. Only a store in state `creating`, which has never
// acknowledged a write, is ever created or completed; anything else that is missing is an error. A
// directory that an import fills (bulk_loader.h) is in state `importing` until it is done, and one
// that a backup is restored to (backup.h) in state `restoring`.
// Functions of the opening thread.
#pragma once

#include <cstdint>
#include <string>

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

enum class DirectoryState : uint8_t { kCreating, kReady, kImporting, kRestoring };

// Claims a missing or empty directory (state kCreating; *.log files and lost+found do not count),
// or recognises ours. Errors: FailedPrecondition if it holds something else, an unfinished import
// or restore, or a newer format; PermissionDenied; ResourceExhausted; Unavailable on other errors
// of the file system.
absl::StatusOr<DirectoryState> PrepareDirectory(const std::string& data_dir);

// The same for an import: claims the directory in state kImporting, or recognises it in that state.
// FailedPrecondition also if it holds a store.
absl::Status PrepareImport(const std::string& data_dir, uint32_t format);

// The same for a restore, in state kRestoring.
absl::Status PrepareRestore(const std::string& data_dir, uint32_t format);

// Whether PrepareImport() would find a directory that it can use; changes nothing.
absl::Status CheckImportTarget(const std::string& data_dir);

// The version that the marker of a store in state `ready` says. NotFound if there is no store;
// FailedPrecondition if it is in another state, or of a newer version.
absl::StatusOr<uint32_t> ReadMarkerFormat(const std::string& data_dir);

// Writes the marker in state `ready`, durably.
absl::Status MarkReady(const std::string& data_dir, uint32_t format = kFirstFormatVersion);

std::string DatabaseDirectory(absl::string_view data_dir);

}  // namespace pedigree
