// Small files of our own beside the database, replaced as a whole or not at all.
//
// Any thread, but one at a time for each file.
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

// Writes directory/name.next, which then replaces directory/name: a power cut leaves the old file
// or the new one. A crash, or the destructor without Commit(), may leave the .next. Threads: one.
class DurableFile {
 public:
  DurableFile(const std::string& directory, absl::string_view name);
  ~DurableFile();
  DurableFile(const DurableFile&) = delete;
  DurableFile& operator=(const DurableFile&) = delete;

  // Errors of both: as FileError; after one, nothing more is possible.
  absl::Status Append(absl::string_view bytes);
  // Makes it durable and puts it in place.
  absl::Status Commit();

 private:
  const std::string directory_;
  const std::string path_;
  const std::string next_;
  int fd_;
  int open_error_;
};

// Replaces directory/name by a file with this content, as
// DurableFile. Errors as FileError.
absl::Status ReplaceFile(const std::string& directory, absl::string_view name,
                         absl::string_view content);

}  // namespace pedigree
