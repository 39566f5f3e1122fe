// How long the disk takes to keep a few bytes: the yardstick under every durable write.
//
// A log is written as RocksDB writes its own: appended to a file whose space is reserved in
// advance, then fdatasync. (An overwrite in place would spare the file system its metadata; no
// database does that.)
//
// Threading: one thread.
//
//   auto log = DiskLog::Create(scratch_path, 1200);
//   absl::Status kept = (*log)->AppendAndSync();
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pedigree::bench {

class DiskLog {
 public:
  // A new file below `directory` that grows by `bytes` bytes at a time. The system error's code if
  // it cannot be made.
  static absl::StatusOr<std::unique_ptr<DiskLog>> Create(const std::string& directory,
                                                         size_t bytes);

  // Removes the file.
  ~DiskLog();
  DiskLog(const DiskLog&) = delete;
  DiskLog& operator=(const DiskLog&) = delete;

  // pwrite and fdatasync. The system error's code if one fails.
  absl::Status AppendAndSync();

 private:
  DiskLog(std::string path, int file, size_t bytes);

  std::string path_;
  int file_;
  std::string block_;
  long end_ = 0;
};

}  // namespace pedigree::bench
