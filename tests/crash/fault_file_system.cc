#include "tests/crash/fault_file_system.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"

namespace pedigree::crash {

namespace fs = std::filesystem;
using rocksdb::FileOptions;
using rocksdb::FSDirectory;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

class FaultFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultFile(FaultFileSystem* files, std::string path, std::unique_ptr<FSWritableFile> target)
      : rocksdb::FSWritableFileOwnerWrapper(std::move(target)),
        files_(*files),
        path_(std::move(path)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    return files_.Append(path_, data, target(), options, debug);
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return files_.Append(path_, data, target(), options, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return files_.SyncFile(path_, [&] { return target()->Sync(options, debug); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return files_.SyncFile(path_, [&] { return target()->Fsync(options, debug); });
  }

 private:
  FaultFileSystem& files_;  // Not owned; outlives the store's files.
  const std::string path_;
};

class FaultDirectory final : public rocksdb::FSDirectoryWrapper {
 public:
  FaultDirectory(FaultFileSystem* files, std::string path, std::unique_ptr<FSDirectory> target)
      : rocksdb::FSDirectoryWrapper(std::move(target)), files_(*files), path_(std::move(path)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return files_.SyncDirectory(path_,
                                [&] { return rocksdb::FSDirectoryWrapper::Fsync(options, debug); });
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& dir_options) override {
    return files_.SyncDirectory(path_, [&] {
      return rocksdb::FSDirectoryWrapper::FsyncWithDirOptions(options, debug, dir_options);
    });
  }

 private:
  FaultFileSystem& files_;
  const std::string path_;
};

namespace {

// "a/b/", "a//b" and "a/b" are one path.
std::string Normal(const std::string& path) {
  std::string normal = fs::path(path).lexically_normal().string();
  if (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}

std::string DirectoryOf(const std::string& path) { return fs::path(path).parent_path().string(); }

}  // namespace

FaultFileSystem::FaultFileSystem(std::string trash)
    : rocksdb::FileSystemWrapper(rocksdb::FileSystem::Default()), trash_(std::move(trash)) {
  fs::create_directories(trash_);
}

IOStatus FaultFileSystem::BrokenDisk() { return IOStatus::IOError("disk", "Input/output error"); }

IOStatus FaultFileSystem::FullDisk() {
  IOStatus status = IOStatus::NoSpace("disk", "No space left on device");
  status.SetRetryable(true);  // As RocksDB's own file system has it.
  return status;
}

int64_t FaultFileSystem::operations() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return operations_;
}

int64_t FaultFileSystem::failures() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return failures_;
}

void FaultFileSystem::Fail(int64_t first, IOStatus error, Effect effect, int64_t count) {
  std::lock_guard<std::mutex> lock(mutex_);
  fail_from_ = first;
  fails_left_ = count;
  error_ = error;
  effect_ = effect;
}

void FaultFileSystem::Lift() {
  std::lock_guard<std::mutex> lock(mutex_);
  fail_from_ = INT64_MAX;
}

void FaultFileSystem::CutPowerAt(int64_t first) {
  std::lock_guard<std::mutex> lock(mutex_);
  cut_from_ = first;
}

bool FaultFileSystem::is_cut() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return operations_ >= cut_from_;
}

// Called with mutex_ held, once per operation.
FaultFileSystem::Decision FaultFileSystem::Decide() {
  ++operations_;
  if (operations_ >= cut_from_) {
    // The first one may have reached the disk: nobody is there to be told.
    return {operations_ == cut_from_ && operations_ % 2 == 0, false, BrokenDisk()};
  }
  if (operations_ < fail_from_ || fails_left_ == 0) return {true, false, IOStatus::OK()};
  --fails_left_;
  ++failures_;
  return {effect_ == Effect::kWhole, effect_ == Effect::kPart, error_};
}

IOStatus FaultFileSystem::Append(const std::string& path, const Slice& data, FSWritableFile* target,
                                 const IOOptions& options, IODebugContext* debug) {
  std::lock_guard<std::mutex> lock(mutex_);
  const Decision decision = Decide();
  const size_t size = decision.does_it ? data.size() : decision.does_part ? data.size() / 2 : 0;
  if (size > 0) {
    const IOStatus status = target->Append(Slice(data.data(), size), options, debug);
    if (!status.ok()) return status;
    files_[path].size += size;
  }
  return decision.answer;
}

template <class Sync>
IOStatus FaultFileSystem::SyncFile(const std::string& path, Sync sync) {
  std::lock_guard<std::mutex> lock(mutex_);
  const Decision decision = Decide();
  const IOStatus status = sync();
  if (!status.ok()) return status;
  FileState& file = files_[path];
  if (decision.does_it && !file.is_poisoned) file.synced = file.size;
  if (!decision.answer.ok() && !decision.answer.IsNoSpace()) file.is_poisoned = true;
  return decision.answer;
}

template <class Sync>
IOStatus FaultFileSystem::SyncDirectory(const std::string& path, Sync sync) {
  std::lock_guard<std::mutex> lock(mutex_);
  const Decision decision = Decide();
  if (!decision.does_it) return decision.answer;
  const IOStatus status = sync();
  if (!status.ok()) return status;
  for (const Change& change : changes_[path]) {
    if (!change.saved.empty()) unlink(change.saved.c_str());
  }
  changes_[path].clear();
  return decision.answer;
}

std::string FaultFileSystem::Save(const std::string& path) {
  std::string saved = absl::StrCat(trash_, "/", ++saved_);
  return link(path.c_str(), saved.c_str()) == 0 ? saved : "";
}

void FaultFileSystem::Track(const std::string& path, const FileState& state, std::string saved) {
  files_[path] = state;
  changes_[DirectoryOf(path)].push_back({Change::Kind::kCreated, path, "", std::move(saved)});
}

IOStatus FaultFileSystem::NewWritableFile(const std::string& path, const FileOptions& options,
                                          std::unique_ptr<FSWritableFile>* file,
                                          IODebugContext* debug) {
  std::lock_guard<std::mutex> lock(mutex_);
  const Decision decision = Decide();
  if (!decision.does_it) return decision.answer;
  const std::string normal = Normal(path);
  std::unique_ptr<FSWritableFile> target;
  const IOStatus status = this->target()->NewWritableFile(path, options, &target, debug);
  if (!status.ok()) return status;
  Track(normal, {}, "");
  if (decision.answer.ok()) {
    *file = std::make_unique<FaultFile>(this, normal, std::move(target));
  }
  return decision.answer;
}

IOStatus FaultFileSystem::ReopenWritableFile(const std::string& path, const FileOptions& options,
                                             std::unique_ptr<FSWritableFile>* file,
                                             IODebugContext* debug) {
  std::lock_guard<std::mutex> lock(mutex_);
  const Decision decision = Decide();
  if (!decision.does_it) return decision.answer;
  const std::string normal = Normal(path);
  const bool exists = fs::exists(normal);
  std::unique_ptr<FSWritableFile> target;
  const IOStatus status = this->target()->ReopenWritableFile(path, options, &target, debug);
  if (!status.ok()) return status;
  if (!exists) Track(normal, {}, "");
  if (exists && !files_.contains(normal)) {
    const uint64_t size = fs::file_size(normal);
    files_[normal] = {size, size};
  }
  if (decision.answer.ok()) {
    *file = std::make_unique<FaultFile>(this, normal, std::move(target));
  }
  return decision.answer;
}

IOStatus FaultFileSystem::ReuseWritableFile(const std::string&, const std::string&,
                                            const FileOptions&, std::unique_ptr<FSWritableFile>*,
                                            IODebugContext*) {
  return IOStatus::NotSupported("a recycled log is not modelled");
}

IOStatus FaultFileSystem::NewDirectory(const std::string& path, const IOOptions& options,
                                       std::unique_ptr<FSDirectory>* directory,
                                       IODebugContext* debug) {
  std::unique_ptr<FSDirectory> target;
  const IOStatus status = this->target()->NewDirectory(path, options, &target, debug);
  if (!status.ok()) return status;
  *directory = std::make_unique<FaultDirectory>(this, Normal(path), std::move(target));
  return status;
}

IOStatus FaultFileSystem::DeleteFile(const std::string& path, const IOOptions& options,
                                     IODebugContext* debug) {
  std::lock_guard<std::mutex> lock(mutex_);
  const Decision decision = Decide();
  if (!decision.does_it) return decision.answer;
  const std::string normal = Normal(path);
  std::string saved = Save(normal);
  const IOStatus status = target()->DeleteFile(path, options, debug);
  if (!status.ok()) return status;
  changes_[DirectoryOf(normal)].push_back({Change::Kind::kDeleted, normal, "", std::move(saved)});
  return decision.answer;
}

IOStatus FaultFileSystem::RenameFile(const std::string& from, const std::string& to,
                                     const IOOptions& options, IODebugContext* debug) {
  std::lock_guard<std::mutex> lock(mutex_);
  const Decision decision = Decide();
  if (!decision.does_it) return decision.answer;
  const std::string normal_from = Normal(from);
  const std::string normal_to = Normal(to);
  std::string saved = Save(normal_to);
  const IOStatus status = target()->RenameFile(from, to, options, debug);
  if (!status.ok()) return status;
  if (const auto it = files_.find(normal_from); it != files_.end()) {
    files_[normal_to] = it->second;
    files_.erase(it);
  }
  changes_[DirectoryOf(normal_to)].push_back(
      {Change::Kind::kRenamed, normal_to, normal_from, std::move(saved)});
  return decision.answer;
}

IOStatus FaultFileSystem::LinkFile(const std::string& from, const std::string& to,
                                   const IOOptions& options, IODebugContext* debug) {
  std::lock_guard<std::mutex> lock(mutex_);
  const Decision decision = Decide();
  if (!decision.does_it) return decision.answer;
  const IOStatus status = target()->LinkFile(from, to, options, debug);
  if (!status.ok()) return status;
  Track(Normal(to), files_[Normal(from)], "");
  return decision.answer;
}

void FaultFileSystem::Undo(const Change& change) {
  switch (change.kind) {
    case Change::Kind::kCreated:
      unlink(change.path.c_str());
      break;
    case Change::Kind::kRenamed:
      std::rename(change.path.c_str(), change.from.c_str());
      break;
    case Change::Kind::kDeleted:
      break;
  }
  if (!change.saved.empty()) std::rename(change.saved.c_str(), change.path.c_str());
}

void FaultFileSystem::LosePower(Random* random) {
  std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [path, file] : files_) {
    if (file.synced >= file.size || !fs::exists(path)) continue;
    uint64_t kept = file.synced;
    if (!file.is_poisoned && !random->OneIn(3)) {
      kept +=
          static_cast<uint64_t>(random->Between(0, static_cast<int64_t>(file.size - file.synced)));
    }
    fs::resize_file(path, kept);
  }
  for (auto& [directory, changes] : changes_) {
    // File systems keep the order of such changes: what is lost is an end of the list.
    const auto kept =
        random->OneIn(2) ? 0 : random->Between(0, static_cast<int64_t>(changes.size()));
    while (static_cast<int64_t>(changes.size()) > kept) {
      Undo(changes.back());
      changes.pop_back();
    }
  }
  fs::remove_all(trash_);
  fs::create_directories(trash_);
  files_.clear();
  changes_.clear();
}

}  // namespace pedigree::crash
