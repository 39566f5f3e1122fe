#include "bench/disk_sync.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pedigree::bench {
namespace {

constexpr off_t kReservedBytes = 64 << 20;  // about what RocksDB reserves for a log at a time

}  // namespace

DiskLog::DiskLog(std::string path, int file, size_t bytes)
    : path_(std::move(path)), file_(file), block_(bytes, 'x') {}

DiskLog::~DiskLog() {
  close(file_);
  unlink(path_.c_str());
}

absl::StatusOr<std::unique_ptr<DiskLog>> DiskLog::Create(const std::string& directory,
                                                         size_t bytes) {
  std::string path = absl::StrCat(directory, "/disk_sync.log");
  const int file = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  // Some file systems cannot reserve; the figure is then the plain append's.
  [[maybe_unused]] const int reserved = fallocate(file, FALLOC_FL_KEEP_SIZE, 0, kReservedBytes);
  return std::unique_ptr<DiskLog>(new DiskLog(std::move(path), file, bytes));
}

absl::Status DiskLog::AppendAndSync() {
  if (pwrite(file_, block_.data(), block_.size(), end_) != static_cast<ssize_t>(block_.size()) ||
      fdatasync(file_) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("write and fdatasync of ", path_));
  }
  end_ += static_cast<off_t>(block_.size());
  return absl::OkStatus();
}

}  // namespace pedigree::bench
