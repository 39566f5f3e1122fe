#include "store/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "store/durable_file.h"
#include "store/text.h"

namespace pedigree {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kFirstLine = "pedigree store";
constexpr absl::string_view kMarkerName = "PEDIGREE";

std::string MarkerPath(absl::string_view data_dir) {
  return absl::StrCat(data_dir, "/", kMarkerName);
}

absl::Status WriteMarker(const std::string& data_dir, uint32_t format, absl::string_view state) {
  return ReplaceFile(data_dir, kMarkerName,
                     absl::StrCat(kFirstLine, "\nformat ", format, "\nstate ", state, "\n"));
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

struct Marker {
  DirectoryState state = DirectoryState::kCreating;
  uint32_t format = 0;
};

std::optional<DirectoryState> StateOf(absl::string_view line) {
  if (line == "state creating") return DirectoryState::kCreating;
  if (line == "state ready") return DirectoryState::kReady;
  if (line == "state importing") return DirectoryState::kImporting;
  if (line == "state restoring") return DirectoryState::kRestoring;
  if (line == "state following") return DirectoryState::kFollowing;
  return std::nullopt;
}

absl::StatusOr<Marker> ReadMarker(const std::string& data_dir) {
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
  const auto state = StateOf(lines[2]);
  if (format == 0 || (format <= kFormatVersion && !state.has_value())) {
    return NotOurs(data_dir, "its file PEDIGREE names no format or state that ever was");
  }
  if (format > kFormatVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the store in ", Quoted(data_dir), " has format ", format,
        ", this program knows formats up to ", kFormatVersion, ": use a newer pedigreed"));
  }
  return Marker{*state, format};
}

// The state of a directory that has a marker; nullopt if it may be claimed.
absl::StatusOr<std::optional<DirectoryState>> Look(const std::string& data_dir) {
  std::error_code error;
  if (!fs::is_directory(data_dir, error)) return FileError(ENOTDIR, "use", data_dir);
  if (fs::exists(MarkerPath(data_dir), error)) {
    auto marker = ReadMarker(data_dir);
    if (!marker.ok()) return marker.status();
    return marker->state;
  }
  if (error) return FileError(error.value(), "look into", data_dir);
  for (const auto& entry : fs::directory_iterator(data_dir, error)) {
    const std::string name = entry.path().filename();
    if (IsHarmless(name)) continue;
    return NotOurs(data_dir, absl::StrCat("it holds ", Quoted(name)));
  }
  if (error) return FileError(error.value(), "list", data_dir);
  return std::nullopt;
}

absl::StatusOr<std::optional<DirectoryState>> MakeAndLook(const std::string& data_dir) {
  std::error_code error;
  fs::create_directories(data_dir, error);
  if (error) return FileError(error.value(), "create directory", data_dir);
  return Look(data_dir);
}

// What stands in a directory that cannot be used for something else before it is finished.
absl::Status Unfinished(const std::string& data_dir, DirectoryState state) {
  const bool is_restore = state == DirectoryState::kRestoring;
  return absl::FailedPreconditionError(
      absl::StrCat(is_restore ? "a restore into " : "an import into ", Quoted(data_dir),
                   " has not been finished: run the same `pedigree ",
                   is_restore ? "restore" : "import", "` again, or remove the directory"));
}

absl::Status IsStore(const std::string& data_dir, absl::string_view wanted) {
  return absl::FailedPreconditionError(absl::StrCat(
      Quoted(data_dir), " holds a store already: ", wanted, " into an empty or new directory"));
}

bool IsUnfinished(DirectoryState state) {
  return state == DirectoryState::kImporting || state == DirectoryState::kFollowing ||
         state == DirectoryState::kRestoring;
}

// The state of a directory that an import can use; kCreating if it is still to be claimed.
absl::StatusOr<DirectoryState> CheckImportable(
    const std::string& data_dir, const absl::StatusOr<std::optional<DirectoryState>>& state) {
  if (!state.ok()) return state.status();
  if (!state->has_value()) return DirectoryState::kCreating;
  if (**state == DirectoryState::kImporting || **state == DirectoryState::kFollowing) {
    return **state;
  }
  if (IsUnfinished(**state)) return Unfinished(data_dir, **state);
  return IsStore(data_dir, "import");
}

}  // namespace

std::string DatabaseDirectory(absl::string_view data_dir) { return absl::StrCat(data_dir, "/db"); }

absl::StatusOr<DirectoryState> PrepareDirectory(const std::string& data_dir) {
  auto state = MakeAndLook(data_dir);
  if (!state.ok()) return state.status();
  if (state->has_value()) {
    if (IsUnfinished(**state)) return Unfinished(data_dir, **state);
    return **state;
  }
  absl::Status status = WriteMarker(data_dir, kFirstFormatVersion, "creating");
  if (!status.ok()) return status;
  return DirectoryState::kCreating;
}

absl::StatusOr<DirectoryLock> DirectoryLock::Take(const std::string& data_dir) {
  std::error_code error;
  fs::create_directories(data_dir, error);
  if (error) return FileError(error.value(), "create directory", data_dir);
  const int fd = open(data_dir.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FileError(errno, "open", data_dir);
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return DirectoryLock(fd);
  const int code = errno;
  close(fd);
  if (code != EWOULDBLOCK) return FileError(code, "lock", data_dir);
  return absl::FailedPreconditionError(
      absl::StrCat("another process imports or restores into ", Quoted(data_dir)));
}

DirectoryLock::~DirectoryLock() {
  if (fd_ >= 0) close(fd_);
}

absl::Status PrepareImport(const std::string& data_dir, uint32_t format) {
  auto state = CheckImportable(data_dir, MakeAndLook(data_dir));
  if (!state.ok()) return state.status();
  if (*state == DirectoryState::kFollowing) {
    return absl::FailedPreconditionError(absl::StrCat(
        Quoted(data_dir), " holds an import already, which only has to catch up with its source"));
  }
  return WriteMarker(data_dir, format, "importing");
}

absl::Status PrepareRestore(const std::string& data_dir, uint32_t format) {
  auto state = MakeAndLook(data_dir);
  if (!state.ok()) return state.status();
  if (state->has_value() && **state != DirectoryState::kRestoring) {
    return IsUnfinished(**state) ? Unfinished(data_dir, **state) : IsStore(data_dir, "restore");
  }
  return WriteMarker(data_dir, format, "restoring");
}

absl::StatusOr<DirectoryState> CheckImportTarget(const std::string& data_dir) {
  std::error_code error;
  if (!fs::exists(data_dir, error) && !error) return DirectoryState::kCreating;
  return CheckImportable(data_dir, Look(data_dir));
}

absl::Status CheckFollowing(const std::string& data_dir) {
  auto state = CheckImportTarget(data_dir);
  if (!state.ok()) return state.status();
  if (*state == DirectoryState::kFollowing) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(Quoted(data_dir), " holds no import that follows its source"));
}

absl::StatusOr<uint32_t> ReadMarkerFormat(const std::string& data_dir) {
  std::error_code error;
  if (!fs::exists(MarkerPath(data_dir), error)) {
    return absl::NotFoundError(absl::StrCat("there is no store in ", Quoted(data_dir)));
  }
  auto marker = ReadMarker(data_dir);
  if (!marker.ok()) return marker.status();
  if (marker->state != DirectoryState::kReady) {
    return absl::FailedPreconditionError(
        absl::StrCat("the store in ", Quoted(data_dir), " has not been finished"));
  }
  return marker->format;
}

absl::Status RaiseMarkerFormat(const std::string& data_dir, uint32_t format) {
  auto before = ReadMarkerFormat(data_dir);
  if (!before.ok()) return before.status();
  return *before >= format ? absl::OkStatus() : MarkReady(data_dir, format);
}

absl::Status MarkReady(const std::string& data_dir, uint32_t format) {
  return WriteMarker(data_dir, format, "ready");
}

absl::Status MarkFollowing(const std::string& data_dir, uint32_t format) {
  return WriteMarker(data_dir, format, "following");
}

}  // namespace pedigree
