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

absl::Status SyncPath(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC);
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

absl::Status ReplaceFile(const std::string& directory, absl::string_view name,
                         absl::string_view content) {
  const std::string path = absl::StrCat(directory, "/", name);
  const std::string next = absl::StrCat(path, ".next");
  const int fd = open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return FileError(errno, "create", next);
  const ssize_t written = write(fd, content.data(), content.size());
  const int error = written < 0 ? errno : ENOSPC;
  close(fd);
  if (written != static_cast<ssize_t>(content.size())) return FileError(error, "write", next);
  if (absl::Status status = SyncPath(next, O_RDONLY); !status.ok()) return status;
  if (rename(next.c_str(), path.c_str()) != 0) return FileError(errno, "rename", next);
  return SyncPath(directory, O_RDONLY | O_DIRECTORY);
}

}  // namespace pedigree
