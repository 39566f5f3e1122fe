#include "store/restore.h"

#include <fcntl.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/utilities/backup_engine.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/backup_directory.h"
#include "store/directory.h"
#include "store/durable_file.h"
#include "store/high_water.h"
#include "store/rocksdb_engine.h"
#include "store/store.h"
#include "store/text.h"

namespace pedigree {
namespace {

namespace fs = std::filesystem;

// Of the look at what has been restored.
constexpr size_t kCacheBytes = size_t{64} << 20;

absl::Status Sync(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FileError(errno, "sync", path);
  const int code = fsync(fd) == 0 ? 0 : errno;
  close(fd);
  return code == 0 ? absl::OkStatus() : FileError(code, "sync", path);
}

absl::Status SyncAll(const std::string& directory) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    if (absl::Status status = Sync(entry.path()); !status.ok()) return status;
  }
  if (error) return FileError(error.value(), "list", directory);
  return Sync(directory);
}

class Restorer {
 public:
  explicit Restorer(const RestoreOptions& options)
      : options_(options), database_(DatabaseDirectory(options.data_dir)) {}

  absl::StatusOr<RestoreReport> Run() {
    if (absl::Status status = CheckBackupDirectory(options_.directory); !status.ok()) return status;
    auto lock = BackupLock::Take(options_.directory, LockKind::kShared);
    if (!lock.ok()) return lock.status();
    if (absl::Status status = Open(); !status.ok()) return status;
    if (absl::Status status = Choose(); !status.ok()) return status;
    if (IsInside(options_.data_dir, options_.directory)) {
      return absl::InvalidArgumentError(
          absl::StrCat("a store cannot stand among its backups: ", Quoted(options_.data_dir),
                       " is in ", Quoted(options_.directory)));
    }
    auto target = DirectoryLock::Take(options_.data_dir);
    if (!target.ok()) return target.status();
    absl::Status status = PrepareRestore(options_.data_dir, report_.backup.format);
    if (!status.ok()) return status;
    if (status = Fill(); !status.ok()) {
      // The directory stays one of an unfinished restore, which may be tried again, and is empty.
      std::error_code error;
      fs::remove_all(database_, error);
      return status;
    }
    if (status = MarkReady(options_.data_dir, report_.backup.format); !status.ok()) return status;
    return std::move(report_);
  }

 private:
  absl::Status Say(const rocksdb::Status& status, absl::string_view what) const {
    return BackupStatus(status, what, options_.directory);
  }

  bool Report() {
    return !options_.report ||
           options_.report({CopyProgress::Phase::kCopying, read_, report_.backup.bytes});
  }

  absl::Status Open() {
    const auto base =
        options_.file_system != nullptr ? options_.file_system : rocksdb::FileSystem::Default();
    env_ = WatchReads(base, [this](uint64_t bytes) {
      read_ += bytes;
      return !is_copying_ || Report();
    });
    target_env_ = rocksdb::NewCompositeEnv(base);
    rocksdb::BackupEngineReadOnly* engine = nullptr;
    const rocksdb::Status status = rocksdb::BackupEngineReadOnly::Open(
        rocksdb::BackupEngineOptions(options_.directory, env_.get()), target_env_.get(), &engine);
    engine_.reset(engine);
    return Say(status, "open backups in");
  }

  absl::Status Choose() {
    std::vector<rocksdb::BackupInfo> infos;
    engine_->GetBackupInfo(&infos);
    std::vector<rocksdb::BackupID> damaged;
    engine_->GetCorruptedBackups(&damaged);
    uint32_t newest = infos.empty() ? 0 : infos.back().backup_id;
    for (const rocksdb::BackupID id : damaged) newest = std::max(newest, id);
    // Nobody gets an older state than asked for without being told.
    const uint32_t wanted = options_.backup_id == 0 ? newest : options_.backup_id;
    for (const rocksdb::BackupID id : damaged) {
      if (id != wanted) continue;
      return absl::DataLossError(
          absl::StrCat("backup ", id, " in ", Quoted(options_.directory),
                       " is damaged: restore another, by its number (pedigree backup list)"));
    }
    for (const rocksdb::BackupInfo& info : infos) {
      if (info.backup_id != wanted) continue;
      auto backup = ToBackup(info);
      if (!backup.ok()) return backup.status();
      if (backup->format > kFormatVersion) {
        return absl::FailedPreconditionError(absl::StrCat(
            "backup ", wanted, " has format ", backup->format,
            ", this program knows formats up to ", kFormatVersion, ": use a newer one"));
      }
      report_.backup = *std::move(backup);
      report_.is_newest = wanted == newest;
      return absl::OkStatus();
    }
    return absl::NotFoundError(
        infos.empty() && damaged.empty()
            ? absl::StrCat("there is no backup in ", Quoted(options_.directory))
            : absl::StrCat("there is no backup ", wanted, " in ", Quoted(options_.directory)));
  }

  absl::Status Fill() {
    std::error_code error;
    fs::remove_all(database_, error);  // Of a restore that was interrupted.
    auto free = FreeBytes(options_.data_dir);
    if (!free.ok()) return free.status();
    if (*free < report_.backup.bytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat("there is no room in ", Quoted(options_.data_dir), ": ", *free,
                       " bytes are free, the backup has ", report_.backup.bytes));
    }
    read_ = 0;
    is_copying_ = true;
    const rocksdb::Status restored =
        engine_->RestoreDBFromBackup(report_.backup.id, database_, database_);
    is_copying_ = false;
    if (!restored.ok()) {
      return Say(restored, absl::StrCat("restore backup ", report_.backup.id, " of"));
    }
    // Backups of the restored store may go on after the newest one, but not after an older one: the
    // next, of another history, would stand there as if it followed those that were made since.
    if (report_.is_newest) {
      absl::Status status = ReplaceFile(database_, "IDENTITY", report_.backup.store);
      if (!status.ok()) return status;
    }
    if (absl::Status status = SyncAll(database_); !status.ok()) return status;
    if (absl::Status status = WriteMark(); !status.ok()) return status;
    StoreOptions store;
    store.data_dir = options_.data_dir;
    store.block_cache_bytes = kCacheBytes;
    store.file_system = options_.file_system;
    auto verified = VerifyUnopened(store, [this](int64_t keys, int64_t) { report_.keys = keys; });
    if (!verified.ok()) return verified.status();
    report_.verified = *std::move(verified);
    return absl::OkStatus();
  }

  // From here on what was restored must all be there.
  absl::Status WriteMark() const {
    RocksDbOptions rocksdb_options;
    rocksdb_options.directory = database_;
    rocksdb_options.mode = OpenMode::kReadOnly;
    rocksdb_options.block_cache_bytes = kCacheBytes;
    rocksdb_options.write_buffer_bytes = kCacheBytes;
    rocksdb_options.file_system = options_.file_system;
    auto engine = OpenRocksDb(rocksdb_options);
    if (!engine.ok()) return engine.status();
    const uint64_t sequence = (*engine)->LastSequence();
    if (sequence >= report_.backup.sequence) return WriteHighWater(options_.data_dir, sequence);
    return absl::DataLossError(
        absl::StrCat("backup ", report_.backup.id, " in ", Quoted(options_.directory),
                     " is not whole: it ends at number ", sequence,
                     ", and should have all writes up to ", report_.backup.sequence));
  }

  const RestoreOptions& options_;
  const std::string database_;
  RestoreReport report_;
  uint64_t read_ = 0;
  bool is_copying_ = false;
  std::unique_ptr<rocksdb::Env> env_;  // Both outlive the engine.
  std::unique_ptr<rocksdb::Env> target_env_;
  std::unique_ptr<rocksdb::BackupEngineReadOnly> engine_;
};

}  // namespace

absl::StatusOr<RestoreReport> RestoreBackup(const RestoreOptions& options) {
  return Restorer(options).Run();
}

}  // namespace pedigree
