// Errors of files that a user names to be read. Threads: a free function, any.
//
//   if (!file) return InputFileError(errno, "read the key", path);
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace pedigree::cli {

// NotFound if there is none, which is no reason to try again; otherwise as FileError.
absl::Status InputFileError(int error, absl::string_view what, absl::string_view path);

}  // namespace pedigree::cli
