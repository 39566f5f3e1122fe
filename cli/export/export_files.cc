#include "cli/export/export_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/export/export_manifest.h"
#include "cli/export/sha256.h"
#include "store/durable_file.h"
#include "store/text.h"

namespace pedigree::cli {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;
constexpr char kScratch[] = ".scratch";
constexpr char kNext[] = ".next";  // Of a file that was not put in place (durable_file.h).

// Makes names in a directory durable.
absl::Status SyncDirectory(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return FileError(errno, "open", path);
  const int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  return error == 0 ? absl::OkStatus() : FileError(error, "sync", path);
}

}  // namespace

ExportPlace ExportPlace::Of(const std::string& to) {
  const std::filesystem::path path = to;
  std::error_code error;
  const bool is_directory =
      std::filesystem::is_directory(path, error) || absl::EndsWith(to, "/") ||
      (path.extension().empty() && !std::filesystem::is_regular_file(path, error));
  if (is_directory) return {to, ""};
  const std::string parent = path.parent_path().string();
  return {parent.empty() ? "." : parent, path.filename().string()};
}

std::string ExportPlace::Beside(absl::string_view name) const {
  return single_file.empty() ? std::string(name) : absl::StrCat(single_file, ".", name);
}

std::string StateFileName(const ExportPlace& place) {
  return absl::StrCat(".", place.Beside("export-state"));
}

std::string ExportPlace::Path(absl::string_view name) const {
  return absl::StrCat(directory, absl::EndsWith(directory, "/") ? "" : "/", name);
}

// One file that is open, at its end.
class ExportFiles::File final : public ExportOutput {
 public:
  File(std::string name, std::string path, bool is_scratch)
      : name_(std::move(name)), path_(std::move(path)), is_scratch_(is_scratch) {}
  ~File() override {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Of a file that there is not yet, or of one that goes on.
  absl::Status Open(int flags) {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC | flags, 0666);
    return fd_ >= 0 ? absl::OkStatus() : FileError(errno, "write", path_);
  }

  // Cuts off what was written after the checkpoint, and digests what stays.
  absl::Status TakeBack(const ExportedFile& state) {
    if (::ftruncate(fd_, state.size) != 0) return FileError(errno, "truncate", path_);
    absl::Status status = Visit(state.size, [&](absl::string_view bytes) { digest_.Add(bytes); });
    if (!status.ok()) return status;
    size_ = state.size;
    if (digest_.Hex() == state.sha256) return absl::OkStatus();
    return absl::DataLossError(
        absl::StrCat(Quoted(path_),
                     " has been changed since the export was interrupted: remove it all and "
                     "begin anew"));
  }

  absl::Status Sync() {
    if (absl::Status status = Flush(); !status.ok()) return status;
    return ::fdatasync(fd_) == 0 ? absl::OkStatus() : FileError(errno, "sync", path_);
  }

  // Calls visit with the first `size` bytes, piece by piece.
  template <class VisitBytes>
  absl::Status Visit(int64_t size, VisitBytes visit) {
    std::string buffer(kReadBytes, '\0');
    for (int64_t at = 0; at < size;) {
      const auto wanted = static_cast<size_t>(std::min<int64_t>(size - at, kReadBytes));
      const ssize_t got = ::pread(fd_, buffer.data(), wanted, at);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return FileError(errno, "read", path_);
      if (got == 0) {
        return absl::DataLossError(absl::StrCat(Quoted(path_), " is shorter than it was"));
      }
      visit(absl::string_view(buffer).substr(0, static_cast<size_t>(got)));
      at += got;
    }
    return absl::OkStatus();
  }

  ExportFileState State() const { return {{name_, size_, digest_.Hex()}, is_scratch_}; }
  const std::string& path() const { return path_; }
  bool is_scratch() const { return is_scratch_; }
  int64_t size() const { return size_; }

 protected:
  absl::Status Take(absl::string_view bytes) override {
    digest_.Add(bytes);
    size_ += static_cast<int64_t>(bytes.size());
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return FileError(errno, "write", path_);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return absl::OkStatus();
  }

 private:
  const std::string name_;
  const std::string path_;
  const bool is_scratch_;
  int fd_ = -1;
  int64_t size_ = 0;
  Sha256Stream digest_;
};

absl::StatusOr<std::unique_ptr<ExportFiles>> ExportFiles::Open(const ExportPlace& place) {
  std::error_code error;
  std::filesystem::create_directories(place.directory, error);
  if (error) return FileError(error.value(), "create", place.directory);
  return std::unique_ptr<ExportFiles>(new ExportFiles(place));
}

ExportFiles::ExportFiles(ExportPlace place) : place_(std::move(place)) {}

ExportFiles::~ExportFiles() = default;

absl::StatusOr<ExportFiles::File*> ExportFiles::FindOrCreate(std::string name, bool is_scratch) {
  if (const auto found = files_.find(name); found != files_.end()) return found->second.get();
  auto file = std::make_unique<File>(name, place_.Path(name), is_scratch);
  // What a run that was interrupted has left under the name is of no use.
  absl::Status status = file->Open(O_CREAT | O_APPEND | O_TRUNC);
  if (!status.ok()) return status;
  return files_.emplace(std::move(name), std::move(file)).first->second.get();
}

absl::StatusOr<ExportOutput*> ExportFiles::Create(absl::string_view name) {
  if (!place_.single_file.empty()) {
    if (!named_.empty() && named_ != name) {
      return absl::InvalidArgumentError(absl::StrCat("this format writes several files (", named_,
                                                     ", ", name, "): --to must be a directory"));
    }
    named_ = std::string(name);
  }
  auto file = FindOrCreate(place_.single_file.empty() ? std::string(name) : place_.single_file,
                           /*is_scratch=*/false);
  if (!file.ok()) return file.status();
  return *file;
}

absl::StatusOr<ExportOutput*> ExportFiles::CreateScratch(absl::string_view name) {
  auto file = FindOrCreate(absl::StrCat(place_.Beside(name), kScratch), /*is_scratch=*/true);
  if (!file.ok()) return file.status();
  return *file;
}

absl::Status ExportFiles::AppendScratch(ExportOutput* scratch, ExportOutput* to) {
  auto* const from = static_cast<File*>(scratch);
  if (absl::Status status = from->Flush(); !status.ok()) return status;
  absl::Status inner;
  absl::Status status = from->Visit(from->size(), [&](absl::string_view bytes) {
    if (inner.ok()) inner = to->Append(bytes);
  });
  return status.ok() ? inner : status;
}

absl::StatusOr<std::vector<ExportFileState>> ExportFiles::Checkpoint() {
  std::vector<ExportFileState> states;
  for (const auto& [name, file] : files_) {
    if (absl::Status status = file->Sync(); !status.ok()) return status;
    states.push_back(file->State());
  }
  if (absl::Status status = SyncDirectory(place_.directory); !status.ok()) return status;
  return states;
}

absl::Status ExportFiles::RemoveLeftovers(const std::vector<ExportFileState>& states) {
  const std::set<std::string> unplaced = {absl::StrCat(StateFileName(place_), kNext),
                                          absl::StrCat(place_.Beside(kManifestName), kNext),
                                          absl::StrCat(place_.Beside(kEnvelopeName), kNext)};
  const auto is_leftover = [&](const std::string& name) {
    for (const ExportFileState& state : states) {
      if (state.file.name == name) return false;
    }
    if (unplaced.contains(name)) return true;
    const bool is_beside = place_.single_file.empty() || absl::StartsWith(name, place_.Beside(""));
    return is_beside && absl::EndsWith(name, kScratch);
  };
  std::error_code error;
  std::filesystem::directory_iterator it(place_.directory, error);
  for (; !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    if (!it->is_regular_file(error) || !is_leftover(it->path().filename().string())) continue;
    if (::unlink(it->path().c_str()) != 0) {
      return FileError(errno, "remove", it->path().string());
    }
  }
  return error ? FileError(error.value(), "read", place_.directory) : absl::OkStatus();
}

absl::Status ExportFiles::Restore(const std::vector<ExportFileState>& states) {
  files_.clear();
  if (absl::Status status = RemoveLeftovers(states); !status.ok()) return status;
  for (const ExportFileState& state : states) {
    const std::string& name = state.file.name;
    auto file = std::make_unique<File>(name, place_.Path(name), state.is_scratch);
    absl::Status status = file->Open(O_APPEND);
    if (status.ok()) status = file->TakeBack(state.file);
    if (!status.ok()) return status;
    files_.emplace(name, std::move(file));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ExportedFile>> ExportFiles::Finish() {
  std::vector<ExportedFile> finished;
  for (const auto& [name, file] : files_) {
    if (file->is_scratch()) continue;
    if (absl::Status status = file->Sync(); !status.ok()) return status;
    finished.push_back(file->State().file);
  }
  absl::Status status = SyncDirectory(place_.directory);
  if (!status.ok()) return status;
  return finished;
}

absl::Status ExportFiles::RemoveScratch() {
  for (const auto& [name, file] : files_) {
    if (!file->is_scratch()) continue;
    if (::unlink(file->path().c_str()) != 0) return FileError(errno, "remove", file->path());
  }
  return absl::OkStatus();
}

}  // namespace pedigree::cli
