#include "store/backup_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/status.h>
#include <rocksdb/utilities/backup_engine.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "store/durable_file.h"
#include "store/text.h"

namespace pedigree {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kMarkerName = "PEDIGREE_BACKUPS";
constexpr absl::string_view kMarkerText = "pedigree backups 1\n";

std::string PathIn(const std::string& directory, absl::string_view name) {
  return absl::StrCat(directory, "/", name);
}

// What may stand in a directory that becomes one of backups.
bool IsHarmless(absl::string_view name) {
  return name == "lost+found" || name == "LOCK" || name == absl::StrCat(kMarkerName, ".next");
}

absl::Status NotOurs(const std::string& directory, absl::string_view why) {
  return absl::FailedPreconditionError(absl::StrCat(
      Quoted(directory), " is no directory of backups (", why, "): use an empty or new one"));
}

absl::StatusOr<bool> HasMarker(const std::string& directory) {
  const std::string path = PathIn(directory, kMarkerName);
  std::error_code error;
  const bool exists = fs::exists(path, error);
  if (error) return FileError(error.value(), "look at", path);
  if (!exists) return false;
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return FileError(errno, "read", path);
  if (text.str() == kMarkerText) return true;
  return NotOurs(directory, absl::StrCat("its file ", kMarkerName, " says something else"));
}

// Counts, and fails if nobody wants the bytes any more.
class WatchedFile final : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  WatchedFile(std::unique_ptr<rocksdb::FSSequentialFile> target,
              const std::function<bool(uint64_t)>* on_read)
      : rocksdb::FSSequentialFileOwnerWrapper(std::move(target)), on_read_(*on_read) {}

  rocksdb::IOStatus Read(size_t n, const rocksdb::IOOptions& options, rocksdb::Slice* result,
                         char* scratch, rocksdb::IODebugContext* debug) override {
    rocksdb::IOStatus status = target()->Read(n, options, result, scratch, debug);
    if (status.ok() && !on_read_(result->size())) return rocksdb::IOStatus::Aborted("not wanted");
    return status;
  }

 private:
  const std::function<bool(uint64_t)>& on_read_;
};

class WatchedFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  WatchedFileSystem(const std::shared_ptr<rocksdb::FileSystem>& base,
                    std::function<bool(uint64_t)> on_read)
      : rocksdb::FileSystemWrapper(base), on_read_(std::move(on_read)) {}

  const char* Name() const override { return "pedigree.WatchedFileSystem"; }

  rocksdb::IOStatus NewSequentialFile(const std::string& name, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                      rocksdb::IODebugContext* debug) override {
    rocksdb::IOStatus status = target()->NewSequentialFile(name, options, file, debug);
    if (status.ok()) *file = std::make_unique<WatchedFile>(std::move(*file), &on_read_);
    return status;
  }

 private:
  const std::function<bool(uint64_t)> on_read_;
};

}  // namespace

std::string BackupDescription::Encode() const {
  return absl::StrCat("pedigree backup 1\nformat ", format, "\nsequence ", sequence, "\nstore ",
                      store, "\n");
}

std::optional<BackupDescription> BackupDescription::Decode(absl::string_view text) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  BackupDescription description;
  if (lines.size() < 4 || lines[0] != "pedigree backup 1" ||
      !absl::SimpleAtoi(absl::StripPrefix(lines[1], "format "), &description.format) ||
      !absl::SimpleAtoi(absl::StripPrefix(lines[2], "sequence "), &description.sequence) ||
      !absl::StartsWith(lines[3], "store ")) {
    return std::nullopt;
  }
  description.store = std::string(absl::StripPrefix(lines[3], "store "));
  return description;
}

absl::StatusOr<BackupLock> BackupLock::Take(const std::string& directory, LockKind kind) {
  const std::string path = PathIn(directory, "LOCK");
  const bool is_shared = kind == LockKind::kShared;
  const int fd =
      is_shared ? open(path.c_str(), O_RDONLY | O_CLOEXEC)
                : open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR | S_IRGRP);
  if (fd < 0 && is_shared && errno == ENOENT) return BackupLock(-1);
  if (fd < 0) return FileError(errno, "open", path);
  if (flock(fd, (is_shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0) return BackupLock(fd);
  const int error = errno;
  close(fd);
  if (error != EWOULDBLOCK) return FileError(error, "lock", path);
  if (is_shared) {
    return absl::FailedPreconditionError(absl::StrCat(
        "a backup is being made in ", Quoted(directory), ": try again when it is done"));
  }
  return absl::AlreadyExistsError(absl::StrCat("somebody else makes a backup in ",
                                               Quoted(directory),
                                               " or restores one: try again when that is done"));
}

BackupLock::BackupLock(BackupLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

BackupLock::~BackupLock() {
  if (fd_ >= 0) close(fd_);
}

absl::Status PrepareBackupDirectory(const std::string& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return FileError(error.value(), "create directory", directory);
  if (!fs::is_directory(directory, error)) return FileError(ENOTDIR, "use", directory);
  const auto is_ours = HasMarker(directory);
  if (!is_ours.ok()) return is_ours.status();
  if (*is_ours) return absl::OkStatus();
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename();
    if (!IsHarmless(name)) return NotOurs(directory, absl::StrCat("it holds ", Quoted(name)));
  }
  if (error) return FileError(error.value(), "list", directory);
  return ReplaceFile(directory, kMarkerName, kMarkerText);
}

absl::Status CheckBackupDirectory(const std::string& directory) {
  std::error_code error;
  if (!fs::is_directory(directory, error)) {
    return absl::NotFoundError(absl::StrCat("there is no directory ", Quoted(directory)));
  }
  const auto is_ours = HasMarker(directory);
  if (!is_ours.ok()) return is_ours.status();
  return *is_ours ? absl::OkStatus() : NotOurs(directory, "no backup has ever been made there");
}

std::string Resolved(const std::string& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  const fs::path resolved = fs::weakly_canonical(absolute, error);
  // A path that ends with a slash has an empty last part, which is no directory.
  return ((error ? absolute.lexically_normal() : resolved) / "").parent_path();
}

bool IsInside(const std::string& inner, const std::string& outer) {
  const fs::path below = Resolved(inner);
  const fs::path above = Resolved(outer);
  return std::mismatch(above.begin(), above.end(), below.begin(), below.end()).first == above.end();
}

absl::StatusOr<uint64_t> FreeBytes(const std::string& path) {
  struct statvfs disk = {};
  if (statvfs(path.c_str(), &disk) != 0) return FileError(errno, "look at the disk of", path);
  return uint64_t{disk.f_bavail} * disk.f_frsize;
}

absl::StatusOr<bool> AreOnOneDisk(const std::string& one, const std::string& other) {
  struct stat first = {};
  struct stat second = {};
  if (stat(one.c_str(), &first) != 0) return FileError(errno, "look at", one);
  if (stat(other.c_str(), &second) != 0) return FileError(errno, "look at", other);
  return first.st_dev == second.st_dev;
}

absl::Status BackupStatus(const rocksdb::Status& status, absl::string_view what,
                          const std::string& directory) {
  if (status.ok()) return absl::OkStatus();
  const std::string text = absl::StrReplaceAll(status.ToString(), {{"\n", " "}});
  const std::string head = absl::StrCat("cannot ", what, " ", Quoted(directory), ": ");
  if (status.IsIncomplete() || status.IsAborted()) {
    return absl::CancelledError(absl::StrCat(head, "it was ended early"));
  }
  if (status.IsNoSpace() || absl::StrContains(text, "No space left")) {
    return absl::ResourceExhaustedError(
        absl::StrCat(head, "its disk is full: free space, then try again (", text, ")"));
  }
  if (status.IsCorruption()) return absl::DataLossError(absl::StrCat(head, text));
  if (status.IsNotFound()) return absl::NotFoundError(absl::StrCat(head, text));
  if (absl::StrContains(text, "Permission denied") || absl::StrContains(text, "Read-only file")) {
    return absl::PermissionDeniedError(
        absl::StrCat(head, "this user has no permission there (", text, ")"));
  }
  return absl::UnavailableError(absl::StrCat(head, text));
}

absl::StatusOr<Backup> ToBackup(const rocksdb::BackupInfo& info) {
  const auto description = BackupDescription::Decode(info.app_metadata);
  if (!description.has_value()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "backup ", info.backup_id, " is not one of Pedigree's, or of a newer version"));
  }
  Backup backup;
  backup.id = info.backup_id;
  backup.created_s = info.timestamp;
  backup.bytes = info.size;
  backup.files = info.number_files;
  backup.format = description->format;
  backup.sequence = description->sequence;
  backup.store = description->store;
  return backup;
}

std::unique_ptr<rocksdb::Env> WatchReads(const std::shared_ptr<rocksdb::FileSystem>& base,
                                         std::function<bool(uint64_t bytes)> on_read) {
  return rocksdb::NewCompositeEnv(std::make_shared<WatchedFileSystem>(base, std::move(on_read)));
}

void DropFromPageCache(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  close(fd);
}

}  // namespace pedigree
