#include "store/backup.h"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/options.h>
#include <rocksdb/rate_limiter.h>
#include <rocksdb/utilities/backup_engine.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "store/backup_directory.h"
#include "store/codec.h"
#include "store/keys.h"
#include "store/text.h"

namespace pedigree {
namespace {

namespace fs = std::filesystem;

// Between two words about how far it is, which may end it: few, since the rate may be low.
constexpr uint64_t kBytesPerReport = uint64_t{256} << 10;

// The files in a directory, with their sizes.
absl::flat_hash_map<std::string, uint64_t> FilesIn(const std::string& directory) {
  absl::flat_hash_map<std::string, uint64_t> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const uint64_t bytes = entry.file_size(error);
    if (!error) files.emplace(entry.path().filename(), bytes);
  }
  return files;
}

// Those of table files, as "NUMBER_SIZE", in a directory where they are called
// NUMBER_sSESSION_SIZE.sst.
absl::flat_hash_set<std::string> TablesIn(const std::string& directory) {
  absl::flat_hash_set<std::string> tables;
  for (const auto& [name, bytes] : FilesIn(directory)) {
    uint64_t number = 0;
    if (absl::SimpleAtoi(name.substr(0, name.find('_')), &number)) {
      tables.insert(absl::StrCat(number, "_", bytes));
    }
  }
  return tables;
}

// RocksDB copies with a buffer of what the limiter lets through at once: 4 MiB, at low rates less.
std::shared_ptr<rocksdb::RateLimiter> MakeRateLimiter(uint64_t bytes_per_second) {
  constexpr int64_t kAtOnce = int64_t{4} << 20;
  constexpr int64_t kMicroseconds = 1'000'000;
  const auto rate = static_cast<int64_t>(
      std::clamp<uint64_t>(bytes_per_second, kLeastBackupRate, kMostBackupRate));
  const int64_t period = std::clamp<int64_t>(kAtOnce * kMicroseconds / rate, 1000, 100'000);
  return std::shared_ptr<rocksdb::RateLimiter>(rocksdb::NewGenericRateLimiter(rate, period));
}

// Makes one backup. One step is one function, in the order in which they stand.
class BackupMaker {
 public:
  BackupMaker(rocksdb::DB* database, const BackupOptions& options)
      : database_(*database), options_(options), directory_(options.directory) {}

  absl::StatusOr<Backup> Run() {
    if (absl::Status status = Prepare(); !status.ok()) return status;
    auto lock = BackupLock::Take(directory_, LockKind::kExclusive);
    if (!lock.ok()) return lock.status();
    if (absl::Status status = Open(); !status.ok()) return status;
    if (absl::Status status = LookAtOthers(); !status.ok()) return status;
    // What a backup that was killed has left would pass for files that are there.
    if (absl::Status status = Say(engine_->GarbageCollect(), "tidy up"); !status.ok())
      return status;
    const auto shared_before = FilesIn(SharedDirectory());
    if (absl::Status status = EstimateAndCheckSpace(); !status.ok()) return status;
    auto format = FormatOf(database_);
    if (!format.ok()) return format.status();
    // All that has been acknowledged so far.
    const BackupDescription description = {*format, database_.GetLatestSequenceNumber(), store_};
    auto id = Copy(description);
    if (!id.ok()) return id.status();
    auto backup = ReadBack(*id, description);
    if (!backup.ok()) {
      Remove(*id);
      return backup.status();
    }
    for (const auto& [name, bytes] : FilesIn(PrivateDirectory(*id))) backup->new_bytes += bytes;
    for (const auto& [name, bytes] : FilesIn(SharedDirectory())) {
      if (!shared_before.contains(name)) backup->new_bytes += bytes;
    }
    if (options_.keep > 0) {
      const absl::Status status = Say(engine_->PurgeOldBackups(options_.keep), "tidy up");
      if (!status.ok()) {
        return absl::Status(status.code(), absl::StrCat("backup ", backup->id,
                                                        " is whole, but older ones could "
                                                        "not be removed: ",
                                                        status.message()));
      }
    }
    return backup;
  }

 private:
  absl::Status Say(const rocksdb::Status& status, absl::string_view what) const {
    return BackupStatus(status, what, directory_);
  }

  // RocksDB's names: of table files, and of the files of one backup alone.
  std::string SharedDirectory() const { return absl::StrCat(directory_, "/shared_checksum"); }
  std::string PrivateDirectory(rocksdb::BackupID id) const {
    return absl::StrCat(directory_, "/private/", id);
  }

  bool Report(CopyProgress::Phase phase, uint64_t bytes) const {
    return !options_.report || options_.report({phase, bytes, estimate_});
  }

  absl::Status Prepare() {
    const std::string data_dir = fs::path(database_.GetName()).parent_path();
    if (directory_.empty() || IsInside(directory_, data_dir) || IsInside(data_dir, directory_)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "backups cannot stand in the store's own directory or around it: ", Quoted(directory_),
          "; use another directory, on another disk if possible"));
    }
    if (absl::Status status = PrepareBackupDirectory(directory_); !status.ok()) return status;
    auto on_one_disk = AreOnOneDisk(directory_, data_dir);
    if (!on_one_disk.ok()) return on_one_disk.status();
    reserve_ = *on_one_disk ? options_.reserve_bytes : 0;
    return Say(database_.GetDbIdentity(store_), "name the store for");
  }

  absl::Status Open() {
    env_ = WatchReads(database_.GetEnv()->GetFileSystem(), [this](uint64_t bytes) {
      read_ += bytes;
      return !is_reading_back_ || Report(CopyProgress::Phase::kReadingBack, read_);
    });
    rocksdb::BackupEngineOptions engine_options(directory_, env_.get());
    engine_options.callback_trigger_interval_size = kBytesPerReport;
    engine_options.backup_rate_limiter = MakeRateLimiter(options_.max_bytes_per_second);
    rocksdb::BackupEngine* engine = nullptr;
    const rocksdb::Status status =
        rocksdb::BackupEngine::Open(engine_options, database_.GetEnv(), &engine);
    engine_.reset(engine);
    return Say(status, "open backups in");
  }

  absl::Status LookAtOthers() const {
    std::vector<rocksdb::BackupID> damaged;
    engine_->GetCorruptedBackups(&damaged);
    if (!damaged.empty()) {
      // RocksDB would remove what it does not understand.
      return absl::DataLossError(absl::StrCat(
          "backups ", absl::StrJoin(damaged, ", "), " in ", Quoted(directory_),
          " are damaged, and a new one there would remove what is left of them: use another "
          "directory"));
    }
    rocksdb::BackupInfo info;
    const rocksdb::Status status = engine_->GetLatestBackupInfo(&info);
    if (status.IsNotFound()) return absl::OkStatus();
    if (!status.ok()) return Say(status, "look at backups in");
    const auto newest = ToBackup(info);
    if (!newest.ok()) return newest.status();
    if (newest->store == store_ && newest->sequence <= database_.GetLatestSequenceNumber()) {
      return absl::OkStatus();
    }
    return absl::FailedPreconditionError(
        absl::StrCat(Quoted(directory_),
                     " has backups of another store, or of what this store was before an "
                     "older backup was restored: use a directory of its own"));
  }

  // What is to be copied, as far as that can be told before.
  absl::Status EstimateAndCheckSpace() {
    std::vector<rocksdb::LiveFileMetaData> tables;
    database_.GetLiveFilesMetaData(&tables);
    const auto there = TablesIn(SharedDirectory());
    for (const auto& table : tables) {
      uint64_t number = 0;
      const absl::string_view name = table.name;
      const bool is_named = absl::SimpleAtoi(name.substr(1, name.find('.') - 1), &number);
      if (!is_named || !there.contains(absl::StrCat(number, "_", table.size))) {
        estimate_ += table.size;
      }
    }
    uint64_t memtables = 0;
    database_.GetIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &memtables);
    estimate_ += memtables;
    auto free = FreeBytes(directory_);
    if (!free.ok()) return free.status();
    const uint64_t wanted = estimate_ + reserve_;
    return *free >= wanted ? absl::OkStatus() : NoRoom(*free, wanted);
  }

  absl::Status NoRoom(uint64_t free, uint64_t wanted) const {
    return absl::ResourceExhaustedError(absl::StrCat(
        "there is no room for a backup in ", Quoted(directory_), ": ", free, " bytes are free, ",
        wanted, " are wanted",
        reserve_ == 0
            ? ""
            : absl::StrCat(", of which ", reserve_,
                           " stay free for the store, which is on the same disk (use another)")));
  }

  static absl::StatusOr<uint32_t> FormatOf(rocksdb::DB& database) {
    std::string bytes;
    const rocksdb::Status status =
        database.Get(rocksdb::ReadOptions(), FormatKey().Encode(), &bytes);
    uint32_t format = 0;
    if (!status.ok() || !ByteReader(bytes).ReadBe32(&format)) {
      return absl::DataLossError(absl::StrCat(
          "what is backed up does not say which format it has (", status.ToString(), ")"));
    }
    return format;
  }

  absl::StatusOr<rocksdb::BackupID> Copy(const BackupDescription& description) {
    uint64_t copied = 0;
    absl::Status ended;
    rocksdb::CreateBackupOptions create;
    // So that the log, which no other backup shares, is short. A store that does not sync its log
    // loses nothing: what is copied is what the system has, and the copy is synced.
    create.flush_before_backup = true;
    create.decrease_background_thread_cpu_priority = true;
    create.background_thread_cpu_priority = rocksdb::CpuPriority::kLow;
    create.progress_callback = [&] {
      copied += kBytesPerReport;
      if (!Report(CopyProgress::Phase::kCopying, copied)) engine_->StopBackup();
      if (const auto free = FreeBytes(directory_); free.ok() && *free < reserve_) {
        ended = NoRoom(*free, reserve_);
        engine_->StopBackup();
      }
    };
    rocksdb::BackupID id = 0;
    const rocksdb::Status status =
        engine_->CreateNewBackupWithMetadata(create, &database_, description.Encode(), &id);
    if (status.ok()) return id;
    // Also of what was copied. If it fails as well, the next backup tries again.
    engine_->GarbageCollect().PermitUncheckedError();
    return ended.ok() ? Say(status, "make a backup in") : ended;
  }

  absl::StatusOr<Backup> ReadBack(rocksdb::BackupID id, const BackupDescription& description) {
    rocksdb::BackupInfo info;
    rocksdb::Status status = engine_->GetBackupInfo(id, &info, /*include_file_details=*/true);
    if (!status.ok()) return Say(status, "look at the new backup in");
    for (const std::string& folder : {SharedDirectory(), PrivateDirectory(id)}) {
      for (const auto& [name, bytes] : FilesIn(folder)) {
        DropFromPageCache(absl::StrCat(folder, "/", name));
      }
    }
    estimate_ = info.size;
    read_ = 0;
    is_reading_back_ = true;
    status = engine_->VerifyBackup(id, /*verify_with_checksum=*/true);
    is_reading_back_ = false;
    if (status.IsCorruption()) {
      return absl::DataLossError(absl::StrCat("what was backed up to ", Quoted(directory_),
                                              " does not read back as it was written; use another "
                                              "directory (",
                                              status.ToString(), ")"));
    }
    if (!status.ok()) return Say(status, "read back the new backup in");
    if (absl::Status opened = OpenCopy(info, description); !opened.ok()) return opened;
    return ToBackup(info);
  }

  // Opens the copy as a database, changing nothing, to see how far it goes.
  absl::Status OpenCopy(const rocksdb::BackupInfo& info, const BackupDescription& description) {
    rocksdb::Options options;
    options.env = info.env_for_open.get();
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    options.max_open_files = 64;
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status =
        rocksdb::DB::OpenForReadOnly(options, info.name_for_open, &opened);
    const std::unique_ptr<rocksdb::DB> copy(opened);
    if (!status.ok()) return Say(status, "open the new backup in");
    auto format = FormatOf(*copy);
    if (!format.ok()) return format.status();
    if (copy->GetLatestSequenceNumber() >= description.sequence && *format == description.format) {
      return absl::OkStatus();
    }
    return absl::DataLossError(absl::StrCat(
        "the new backup in ", Quoted(directory_), " lacks acknowledged writes: it ends at number ",
        copy->GetLatestSequenceNumber(), ", they went up to ", description.sequence));
  }

  void Remove(rocksdb::BackupID id) {
    // If it fails, the backup is listed, and whoever restores it meets the same error.
    engine_->DeleteBackup(id).PermitUncheckedError();
    engine_->GarbageCollect().PermitUncheckedError();
  }

  rocksdb::DB& database_;
  const BackupOptions& options_;
  const std::string directory_;
  std::string store_;
  uint64_t reserve_ = 0;
  uint64_t estimate_ = 0;
  uint64_t read_ = 0;
  bool is_reading_back_ = false;
  std::unique_ptr<rocksdb::Env> env_;  // Outlives the engine.
  std::unique_ptr<rocksdb::BackupEngine> engine_;
};

}  // namespace

absl::StatusOr<Backup> BackUpDatabase(rocksdb::DB* database, const BackupOptions& options) {
  return BackupMaker(database, options).Run();
}

absl::StatusOr<std::vector<Backup>> ListBackups(const std::string& directory) {
  if (absl::Status status = CheckBackupDirectory(directory); !status.ok()) return status;
  rocksdb::BackupEngineReadOnly* opened = nullptr;
  const rocksdb::Status status = rocksdb::BackupEngineReadOnly::Open(
      rocksdb::BackupEngineOptions(directory), rocksdb::Env::Default(), &opened);
  const std::unique_ptr<rocksdb::BackupEngineReadOnly> engine(opened);
  if (!status.ok()) return BackupStatus(status, "list backups in", directory);
  std::vector<Backup> backups;
  std::vector<rocksdb::BackupInfo> infos;
  engine->GetBackupInfo(&infos);
  for (const rocksdb::BackupInfo& info : infos) {
    auto backup = ToBackup(info);
    if (!backup.ok()) return backup.status();
    backups.push_back(*std::move(backup));
  }
  std::vector<rocksdb::BackupID> damaged;
  engine->GetCorruptedBackups(&damaged);
  for (const rocksdb::BackupID id : damaged) {
    Backup backup;
    backup.id = id;
    backup.is_damaged = true;
    backups.push_back(std::move(backup));
  }
  std::sort(backups.begin(), backups.end(),
            [](const Backup& a, const Backup& b) { return a.id < b.id; });
  return backups;
}

}  // namespace pedigree
