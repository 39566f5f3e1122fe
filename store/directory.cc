#include "store/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "store/text.h"

namespace pedigree {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kFirstLine = "pedigree store";

std::string MarkerPath(absl::string_view data_dir) { return absl::StrCat(data_dir, "/PEDIGREE"); }

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

absl::Status SyncPath(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return FileError(errno, "open", path);
  const int result = fsync(fd);
  const int error = errno;
  close(fd);
  return result == 0 ? absl::OkStatus() : FileError(error, "sync", path);
}

// Replaces the marker as a whole: write beside it, sync, rename, sync the directory.
absl::Status WriteMarker(const std::string& data_dir, absl::string_view state) {
  const std::string path = MarkerPath(data_dir);
  const std::string next = absl::StrCat(path, ".next");
  const std::string text =
      absl::StrCat(kFirstLine, "\nformat ", kFormatVersion, "\nstate ", state, "\n");
  const int fd = open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return FileError(errno, "create", next);
  const ssize_t written = write(fd, text.data(), text.size());
  const int error = written < 0 ? errno : ENOSPC;
  close(fd);
  if (written != static_cast<ssize_t>(text.size())) return FileError(error, "write", next);
  if (absl::Status status = SyncPath(next, O_RDONLY); !status.ok()) return status;
  if (rename(next.c_str(), path.c_str()) != 0) return FileError(errno, "rename", next);
  return SyncPath(data_dir, O_RDONLY | O_DIRECTORY);
}

absl::Status NotOurs(const std::string& data_dir, absl::string_view why) {
  return absl::FailedPreconditionError(
      absl::StrCat(Quoted(data_dir), " is not a Pedigree store (", why,
                   "): use an empty or new directory as --data_dir"));
}

// What may stand in a directory that becomes a store: what file systems put there, our own
// unfinished marker, and logs, which people direct there.
bool IsHarmless(absl::string_view name) {
  return name == "lost+found" || name == "PEDIGREE.next" || absl::EndsWith(name, ".log");
}

absl::StatusOr<DirectoryState> ReadMarker(const std::string& data_dir) {
  std::ifstream file(MarkerPath(data_dir), std::ios::binary);
  std::stringstream buffer;
  buffer << file.rdbuf();
  if (!file) return FileError(errno, "read", MarkerPath(data_dir));
  const std::string text = buffer.str();
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  uint32_t format = 0;
  if (lines.size() < 3 || lines[0] != kFirstLine ||
      !absl::SimpleAtoi(absl::StripPrefix(lines[1], "format "), &format)) {
    return NotOurs(data_dir, "its file PEDIGREE says something else");
  }
  const bool is_state = lines[2] == "state creating" || lines[2] == "state ready";
  if (format == 0 || (format <= kFormatVersion && !is_state)) {
    return NotOurs(data_dir, "its file PEDIGREE names no format or state that ever was");
  }
  if (format > kFormatVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the store in ", Quoted(data_dir), " has format ", format,
        ", this program knows formats up to ", kFormatVersion, ": use a newer pedigreed"));
  }
  return lines[2] == "state creating" ? DirectoryState::kCreating : DirectoryState::kReady;
}

}  // namespace

std::string DatabaseDirectory(absl::string_view data_dir) { return absl::StrCat(data_dir, "/db"); }

absl::StatusOr<DirectoryState> PrepareDirectory(const std::string& data_dir) {
  std::error_code error;
  fs::create_directories(data_dir, error);
  if (error) return FileError(error.value(), "create directory", data_dir);
  if (!fs::is_directory(data_dir, error)) return FileError(ENOTDIR, "use", data_dir);
  if (fs::exists(MarkerPath(data_dir), error)) return ReadMarker(data_dir);
  if (error) return FileError(error.value(), "look into", data_dir);
  for (const auto& entry : fs::directory_iterator(data_dir, error)) {
    const std::string name = entry.path().filename();
    if (IsHarmless(name)) continue;
    return NotOurs(data_dir, absl::StrCat("it holds ", Quoted(name)));
  }
  if (error) return FileError(error.value(), "list", data_dir);
  if (absl::Status status = WriteMarker(data_dir, "creating"); !status.ok()) return status;
  return DirectoryState::kCreating;
}

absl::Status MarkReady(const std::string& data_dir) { return WriteMarker(data_dir, "ready"); }

}  // namespace pedigree
