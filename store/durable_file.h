// Small files of our own beside the database, replaced as a whole or not at all.
//
// Functions without state: any thread, but one at a time for each file.
//
//   absl::Status status = ReplaceFile(data_dir, "PEDIGREE", text);
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace pedigree {

// What `errno` says of "<what> <path>", with what to do: PermissionDenied, ResourceExhausted if the
// disk is full, FailedPrecondition if something else stands there, else Unavailable.
absl::Status FileError(int error, absl::string_view what, absl::string_view path);

// Replaces directory/name by a file with this content, durably: a power cut leaves the old file or
// the new one. Writes directory/name.next on the way, which a crash may leave. Errors as FileError.
absl::Status ReplaceFile(const std::string& directory, absl::string_view name,
                         absl::string_view content);

}  // namespace pedigree
