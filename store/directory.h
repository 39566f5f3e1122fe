// The store's directory: what makes it ours, and what must not happen to it.
//
//   data_dir/PEDIGREE     the marker: "pedigree store\nformat 1\nstate ready\n"
//   data_dir/HIGH_WATER   how far the database must go (high_water.h)
//   data_dir/db/          RocksDB
//
// The marker is written before anything else, in state `creating`, and again, in state `ready`,
// once the empty database is on the disk. Only a store in state `creating`, which has never
// acknowledged a write, is ever created or completed; anything else that is missing is an error.
// Functions of the opening thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pedigree {

// The version of everything FORMAT.md describes.
inline constexpr uint32_t kFormatVersion = 1;

enum class DirectoryState : uint8_t { kCreating, kReady };

// Claims a missing or empty directory (state kCreating; *.log files and lost+found do not count),
// or recognises ours. Errors: FailedPrecondition if it holds something else or a newer format;
// PermissionDenied; ResourceExhausted; Unavailable on other errors of the file system.
absl::StatusOr<DirectoryState> PrepareDirectory(const std::string& data_dir);

// Writes the marker in state `ready`, durably.
absl::Status MarkReady(const std::string& data_dir);

std::string DatabaseDirectory(absl::string_view data_dir);

}  // namespace pedigree
