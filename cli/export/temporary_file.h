// A file for what does not fit into memory: without a name, so that nothing is left of it whatever
// happens to this process. Written once, then read once from its beginning.
//
// Threads: one.
//
//   auto file = TemporaryFile::Create("");   // In $TMPDIR or /tmp.
//   status = file->Append("abc");
//   status = file->Rewind();
//   auto bytes = file->Read(3);
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pedigree::cli {

class TemporaryFile {
 public:
  // In `directory`; if that is empty in $TMPDIR, else in /tmp. Errors of all: as FileError.
  static absl::StatusOr<std::unique_ptr<TemporaryFile>> Create(const std::string& directory);

  absl::Status Append(absl::string_view bytes);
  // What was appended can now be read.
  absl::Status Rewind();
  // The next bytes, as many as asked for; DataLoss if there are less.
  absl::Status ReadInto(size_t size, std::string& bytes);
  // At most `size` bytes, none at the end.
  absl::StatusOr<std::string> ReadSome(size_t size);

  uint64_t size() const { return size_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  TemporaryFile(std::FILE* file, std::string directory)
      : file_(file), directory_(std::move(directory)) {}

  std::unique_ptr<std::FILE, Close> file_;
  const std::string directory_;
  uint64_t size_ = 0;
};

}  // namespace pedigree::cli
