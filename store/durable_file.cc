#include "store/durable_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "store/text.h"

namespace pedigree {
namespace {

absl::Status SyncDirectory(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return FileError(errno, "open", path);
  const int result = fsync(fd);
  const int error = errno;
  close(fd);
  return result == 0 ? absl::OkStatus() : FileError(error, "sync", path);
}

}  // namespace

absl::Status FileError(int error, absl::string_view what, absl::string_view path) {
  const std::string text =
      absl::StrCat("cannot ", what, " ", Quoted(path), ": ", std::strerror(error));
  switch (error) {
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(
          absl::StrCat(text, "; give this user write permission, or use another --data_dir"));
    case ENOSPC:
    case EDQUOT:
      return absl::ResourceExhaustedError(absl::StrCat(text, "; free space on that disk"));
    case ENOTDIR:
    case EEXIST:
      return absl::FailedPreconditionError(
          absl::StrCat(text, "; --data_dir must name a directory"));
    default:
      return absl::UnavailableError(text);
  }
}

DurableFile::DurableFile(const std::string& directory, absl::string_view name)
    : directory_(directory),
      path_(absl::StrCat(directory, "/", name)),
      next_(absl::StrCat(path_, ".next")),
      fd_(open(next_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)),
      open_error_(errno) {}

DurableFile::~DurableFile() {
  if (fd_ >= 0) close(fd_);
}

absl::Status DurableFile::Append(absl::string_view bytes) {
  if (fd_ < 0) return FileError(open_error_, "create", next_);
  while (!bytes.empty()) {
    const ssize_t written = write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return FileError(written < 0 ? errno : ENOSPC, "write", next_);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status DurableFile::Commit() {
  if (fd_ < 0) return FileError(open_error_, "create", next_);
  if (fsync(fd_) != 0) return FileError(errno, "sync", next_);
  if (rename(next_.c_str(), path_.c_str()) != 0) return FileError(errno, "rename", next_);
  return SyncDirectory(directory_);
}

absl::Status ReplaceFile(const std::string& directory, absl::string_view name,
                         absl::string_view content) {
  DurableFile file(directory, name);
  absl::Status status = file.Append(content);
  return status.ok() ? file.Commit() : status;
}

}  // namespace pedigree
