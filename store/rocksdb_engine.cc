#include "store/rocksdb_engine.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/wal_filter.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include <array>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "store/backup.h"
#include "store/keys.h"

namespace pedigree {
namespace {

// Of a scan through much of the store.
constexpr size_t kReadAheadBytes = size_t{2} << 20;

rocksdb::Slice ToSlice(absl::string_view bytes) { return {bytes.data(), bytes.size()}; }
absl::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// Some of RocksDB's texts have more lines.
std::string OneLine(const rocksdb::Status& status) {
  std::string text = status.ToString();
  absl::StripTrailingAsciiWhitespace(&text);
  return absl::StrReplaceAll(text, {{"\n", " "}});
}

// RocksDB's texts name files; the head says what to do.
absl::Status ToStatus(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const std::string text = OneLine(status);
  if (status.IsIncomplete()) return WouldBlock();
  if (status.IsNoSpace() || absl::StrContains(text, "No space left")) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the disk under data_dir is full: free space, then restart pedigreed to write again (",
        text, ")"));
  }
  if (status.IsCorruption()) {
    return absl::DataLossError(
        absl::StrCat("the store is damaged: restore a backup of data_dir (", text, ")"));
  }
  if (absl::StrContains(text, "lock hold by") || absl::StrContains(text, "While lock file")) {
    return absl::FailedPreconditionError(absl::StrCat(
        "data_dir is open in another process: stop that one, or use another --data_dir (", text,
        ")"));
  }
  if (absl::StrContains(text, "Permission denied") || absl::StrContains(text, "Read-only file")) {
    return absl::PermissionDeniedError(absl::StrCat(
        "data_dir cannot be written: give this user write permission there (", text, ")"));
  }
  if (status.IsIOError() && absl::StrContains(text, "No such file")) {
    return absl::DataLossError(
        absl::StrCat("a file of the store is missing: restore a backup of data_dir (", text, ")"));
  }
  return absl::UnavailableError(absl::StrCat(
      "the disk under data_dir fails: mend it, then restart pedigreed to write again (", text,
      ")"));
}

rocksdb::ReadOptions ReadOptionsFor(const rocksdb::Snapshot* snapshot, Blocking blocking) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  if (blocking == Blocking::kCacheOnly) options.read_tier = rocksdb::kBlockCacheTier;
  return options;
}

// A RocksDB snapshot. Must not outlive the engine.
class RocksDbView final : public View {
 public:
  explicit RocksDbView(rocksdb::DB* db) : db_(db), snapshot_(db->GetSnapshot()) {}
  ~RocksDbView() override { db_->ReleaseSnapshot(snapshot_); }

  absl::StatusOr<std::optional<std::string>> Get(absl::string_view key,
                                                 Blocking blocking) const override {
    rocksdb::PinnableSlice value;
    const rocksdb::Status status = db_->Get(ReadOptionsFor(snapshot_, blocking),
                                            db_->DefaultColumnFamily(), ToSlice(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return ToStatus(status);
    // Where a table file is not open, a read that must not open it answers OK and no bytes.
    if (blocking == Blocking::kCacheOnly && value.empty()) return WouldBlock();
    return std::optional<std::string>(value.ToString());
  }

  absl::Status MultiGet(absl::Span<const std::string> keys, Blocking blocking,
                        absl::FunctionRef<void(size_t, absl::string_view)> found) const override {
    // RocksDB 7.8's MultiGet goes to the disk whatever the read tier says; Get does not.
    if (blocking == Blocking::kCacheOnly) return GetEach(keys, found);
    std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
    std::vector<rocksdb::PinnableSlice> values(keys.size());
    std::vector<rocksdb::Status> statuses(keys.size());
    db_->MultiGet(ReadOptionsFor(snapshot_, Blocking::kAllowed), db_->DefaultColumnFamily(),
                  keys.size(), slices.data(), values.data(), statuses.data());
    for (size_t i = 0; i < keys.size(); ++i) {
      if (statuses[i].IsNotFound()) continue;
      if (!statuses[i].ok()) return ToStatus(statuses[i]);
      found(i, ToView(values[i]));
    }
    return absl::OkStatus();
  }

  absl::Status Scan(
      const KeyRange& range, Direction direction, Blocking blocking,
      absl::FunctionRef<bool(absl::string_view, absl::string_view)> visit) const override {
    return ScanWith(ReadOptionsFor(snapshot_, blocking), range, direction, visit);
  }

  absl::Status ScanThrough(
      const KeyRange& range,
      absl::FunctionRef<bool(absl::string_view, absl::string_view)> visit) const override {
    rocksdb::ReadOptions options = ReadOptionsFor(snapshot_, Blocking::kAllowed);
    options.fill_cache = false;
    options.readahead_size = kReadAheadBytes;
    return ScanWith(options, range, Direction::kAscending, visit);
  }

 private:
  absl::Status ScanWith(rocksdb::ReadOptions options, const KeyRange& range, Direction direction,
                        absl::FunctionRef<bool(absl::string_view, absl::string_view)> visit) const {
    const rocksdb::Slice lower = ToSlice(range.begin);
    const rocksdb::Slice upper = ToSlice(range.end);
    options.iterate_lower_bound = &lower;
    if (!range.end.empty()) options.iterate_upper_bound = &upper;
    std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options));
    const bool ascending = direction == Direction::kAscending;
    if (ascending) {
      it->SeekToFirst();
    } else {
      it->SeekToLast();
    }
    while (it->Valid() && visit(ToView(it->key()), ToView(it->value()))) {
      if (ascending) {
        it->Next();
      } else {
        it->Prev();
      }
    }
    return ToStatus(it->status());
  }

  absl::Status GetEach(absl::Span<const std::string> keys,
                       absl::FunctionRef<void(size_t, absl::string_view)> found) const {
    const rocksdb::ReadOptions options = ReadOptionsFor(snapshot_, Blocking::kCacheOnly);
    for (size_t i = 0; i < keys.size(); ++i) {
      rocksdb::PinnableSlice value;
      const rocksdb::Status status = db_->Get(options, db_->DefaultColumnFamily(), keys[i], &value);
      if (status.IsNotFound()) continue;
      if (!status.ok()) return ToStatus(status);
      if (value.empty()) return WouldBlock();  // As in Get.
      found(i, ToView(value));
    }
    return absl::OkStatus();
  }

  rocksdb::DB* const db_;
  const rocksdb::Snapshot* const snapshot_;
};

// Looks at every batch that a replay of the logs reads: each must begin with the number after that
// of the last. RocksDB itself does not look, and where the end of a log is lost and another log
// follows, it would go on behind the gap.
class GapFinder final : public rocksdb::WalFilter {
 public:
  const char* Name() const override { return "pedigree.GapFinder"; }

  WalProcessingOption LogRecordFound(unsigned long long, const std::string& log_path,
                                     const rocksdb::WriteBatch& batch, rocksdb::WriteBatch*,
                                     bool*) override {
    const uint64_t sequence = SequenceOf(batch);
    const uint32_t count = batch.Count();
    // After some recoveries RocksDB begins a log with a batch of nothing.
    if (count > 0) {
      if (next_ != 0 && sequence != next_ && gap_.empty()) {
        gap_ =
            absl::StrCat("writes ", next_, " to ", sequence - 1, " are missing before ", log_path);
      }
      next_ = sequence + count;
    }
    return WalProcessingOption::kContinueProcessing;
  }

  // "" if there is none.
  const std::string& gap() const { return gap_; }

 private:
  // A batch begins with its number in 8 bytes, the least significant first.
  static uint64_t SequenceOf(const rocksdb::WriteBatch& batch) {
    uint64_t sequence = 0;
    for (size_t i = 0; i < sizeof(sequence); ++i) {
      sequence |= uint64_t{static_cast<uint8_t>(batch.Data()[i])} << (8 * i);
    }
    return sequence;
  }

  uint64_t next_ = 0;  // 0 before the first batch.
  std::string gap_;
};

// A database's lock, held without its being open.
class DatabaseLock {
 public:
  DatabaseLock(rocksdb::Env* env, rocksdb::FileLock* lock) : env_(env), lock_(lock) {}
  ~DatabaseLock() { env_->UnlockFile(lock_).PermitUncheckedError(); }
  DatabaseLock(const DatabaseLock&) = delete;
  DatabaseLock& operator=(const DatabaseLock&) = delete;

 private:
  rocksdb::Env* const env_;
  rocksdb::FileLock* const lock_;
};

// What an open database needs around it; goes after it.
struct Surroundings {
  std::unique_ptr<rocksdb::Env> env;   // Null for the system's.
  std::unique_ptr<GapFinder> gaps;     // In OpenMode::kReadOnly only, as the next.
  std::unique_ptr<DatabaseLock> lock;  // An open for writing has the lock itself.
};

class RocksDbEngine final : public Engine {
 public:
  RocksDbEngine(Surroundings surroundings, std::unique_ptr<rocksdb::DB> db,
                std::shared_ptr<rocksdb::Cache> block_cache, OpenMode mode)
      : surroundings_(std::move(surroundings)),
        block_cache_(std::move(block_cache)),
        db_(std::move(db)),
        // Opening for writing brings the log that it replays to table files.
        durable_(mode == OpenMode::kReadOnly ? 0 : db_->GetLatestSequenceNumber()) {
    if (mode == OpenMode::kReadOnly) failure_ = absl::FailedPreconditionError("open to read only");
  }

  ~RocksDbEngine() override { db_->Close().PermitUncheckedError(); }

  std::shared_ptr<const View> CurrentView() override {
    return std::make_shared<const RocksDbView>(db_.get());
  }

  absl::Status Apply(absl::Span<const Mutation> mutations, Durability durability) override {
    if (absl::Status status = WriteStatus(); !status.ok()) return status;
    rocksdb::WriteBatch batch;
    for (const Mutation& mutation : mutations) {
      const rocksdb::Status status =
          mutation.is_delete ? batch.Delete(ToSlice(mutation.key))
                             : batch.Put(ToSlice(mutation.key), ToSlice(mutation.value));
      if (!status.ok()) return ToStatus(status);
    }
    rocksdb::WriteOptions options;
    options.sync = durability == Durability::kSynced;
    options.disableWAL = durability == Durability::kUnlogged;
    absl::Status status = Remember(db_->Write(options, &batch));
    if (status.ok() && options.sync) {
      RaiseDurable(LastSequence());
      log_syncs_.fetch_add(1, std::memory_order_relaxed);
    }
    return status;
  }

  absl::Status SyncLog() override {
    log_syncs_.fetch_add(1, std::memory_order_relaxed);
    return MakeDurable([this] { return db_->SyncWAL(); });
  }

  absl::Status Compact() override {
    return Remember(db_->CompactRange(rocksdb::CompactRangeOptions(), nullptr, nullptr));
  }

  absl::Status Flush() override {
    return MakeDurable([this] { return db_->Flush(rocksdb::FlushOptions()); });
  }

  absl::Status VerifyFiles() override {
    return ToStatus(db_->VerifyChecksum(rocksdb::ReadOptions()));
  }

  absl::StatusOr<Backup> BackUp(const BackupOptions& options) override {
    // After a failed write only opening the store again can tell what it holds.
    if (absl::Status status = WriteStatus(); !status.ok()) return status;
    return BackUpDatabase(db_.get(), options);
  }

  uint64_t LastSequence() const override { return db_->GetLatestSequenceNumber(); }

  uint64_t DurableSequence() const override { return durable_.load(std::memory_order_acquire); }

  absl::Status WriteStatus() const override {
    std::lock_guard<std::mutex> lock(failure_mutex_);
    return failure_;
  }

  EngineStatistics Statistics() const override {
    using Properties = rocksdb::DB::Properties;
    EngineStatistics statistics;
    statistics.table_file_bytes = Property(Properties::kTotalSstFilesSize);
    statistics.log_file_bytes = LogFileBytes();
    statistics.memtable_bytes = Property(Properties::kSizeAllMemTables);
    statistics.block_cache_bytes = block_cache_->GetUsage();
    statistics.pending_compaction_bytes = Property(Properties::kEstimatePendingCompactionBytes);
    statistics.running_compactions = Property(Properties::kNumRunningCompactions);
    statistics.running_flushes = Property(Properties::kNumRunningFlushes);
    statistics.estimated_keys = Property(Properties::kEstimateNumKeys);
    statistics.log_syncs = log_syncs_.load(std::memory_order_relaxed);
    return statistics;
  }

 private:
  uint64_t Property(const std::string& name) const {
    uint64_t value = 0;
    return db_->GetIntProperty(name, &value) ? value : 0;
  }

  // RocksDB has no property for it, and its list of logs waits for files that are being removed.
  uint64_t LogFileBytes() const {
    std::vector<rocksdb::Env::FileAttributes> files;
    if (!db_->GetEnv()->GetChildrenFileAttributes(db_->GetName(), &files).ok()) return 0;
    uint64_t bytes = 0;
    for (const auto& file : files) {
      if (absl::EndsWith(file.name, ".log")) bytes += file.size_bytes;
    }
    return bytes;
  }

  absl::Status Remember(const rocksdb::Status& status) {
    if (status.ok()) return absl::OkStatus();
    std::lock_guard<std::mutex> lock(failure_mutex_);
    if (failure_.ok()) failure_ = ToStatus(status);
    return failure_;
  }

  template <class MakeAllDurable>
  absl::Status MakeDurable(MakeAllDurable make) {
    // A sync that fails is never tried again: the system may have dropped the bytes, and the second
    // sync then has nothing to complain about.
    if (absl::Status status = WriteStatus(); !status.ok()) return status;
    const uint64_t before = LastSequence();  // What comes during the call may miss it.
    absl::Status status = Remember(make());
    if (status.ok()) RaiseDurable(before);
    return status;
  }

  void RaiseDurable(uint64_t sequence) {
    uint64_t known = durable_.load(std::memory_order_relaxed);
    while (known < sequence &&
           !durable_.compare_exchange_weak(known, sequence, std::memory_order_release,
                                           std::memory_order_relaxed)) {
    }
  }

  Surroundings surroundings_;
  const std::shared_ptr<rocksdb::Cache> block_cache_;
  std::unique_ptr<rocksdb::DB> db_;
  std::atomic<uint64_t> durable_;
  std::atomic<uint64_t> log_syncs_ = 0;
  // The first write or sync that failed. What of it is on the disk only a restart can tell, so
  // nothing is written after it.
  mutable std::mutex failure_mutex_;
  absl::Status failure_;  // Guarded by failure_mutex_.
};

// RocksDB's own log: errors go to standard error. A log file in the store would abort the process
// on a full disk: an assertion of RocksDB's fails at the line after one that was not written.
class StderrLogger final : public rocksdb::Logger {
 public:
  StderrLogger() : rocksdb::Logger(rocksdb::InfoLogLevel::ERROR_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    std::array<char, 1024> text;
    std::vsnprintf(text.data(), text.size(), format, arguments);
    std::fprintf(stderr, "rocksdb: %s\n", text.data());
  }
  void LogHeader(const char*, va_list) override {}
};

// All keys live in one column family. With several, RocksDB 7.8 may flush some of them after a
// failed write, and a log that is replayed for the others may hold that write: a power cut then
// left half of it. Its atomic_flush lost acknowledged writes in about one of 1,500 power cuts
// (tests/crash/power_cut_test.cc). One family is written and flushed whole.
rocksdb::DBOptions MakeDbOptions(const RocksDbOptions& options) {
  rocksdb::DBOptions db;
  db.create_if_missing = options.mode == OpenMode::kCreate;
  // Acknowledged writes are synced, so damage before the end of the log is loss and must show;
  // only a torn tail, which nobody was told about, may be dropped.
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  db.track_and_verify_wals_in_manifest = true;
  db.verify_sst_unique_id_in_manifest = true;
  db.paranoid_checks = true;
  db.max_bgerror_resume_count = 0;  // RocksDbEngine never writes after a failure.
  db.max_background_jobs = 2;
  if (options.work_load == WorkLoad::kBulkLoad) db.max_subcompactions = 2;
  db.max_open_files = -1;  // All stay open: a cache-only read of one that is not answers nonsense.
  db.max_total_wal_size = 256 << 20;  // Bounds the time that a restart replays.
  db.bytes_per_sync = 1 << 20;
  db.allow_concurrent_memtable_write = false;  // One writer; the insert hint needs it.
  db.info_log = std::make_shared<StderrLogger>();
  db.write_buffer_manager =
      std::make_shared<rocksdb::WriteBufferManager>(options.write_buffer_bytes);
  return db;
}

rocksdb::ColumnFamilyOptions MakeFamilyOptions(const RocksDbOptions& options,
                                               const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
  table.format_version = 5;
  // Indexes and filters count against the block cache, so that its size bounds them.
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;

  rocksdb::ColumnFamilyOptions family;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  family.write_buffer_size = options.write_buffer_bytes;
  family.compression = rocksdb::kLZ4Compression;
  family.level_compaction_dynamic_level_bytes = true;
  if (options.work_load == WorkLoad::kBulkLoad) {
    family.disable_auto_compactions = true;
    // Nothing merges files meanwhile, so their number must not hold up writes.
    family.level0_slowdown_writes_trigger = std::numeric_limits<int>::max();
    family.level0_stop_writes_trigger = std::numeric_limits<int>::max();
  }
  // Ids ascend, so within one key head and kind inserts land beside each other, and a hint where
  // the last one went saves 40 % of the CPU per key.
  family.memtable_insert_with_hint_prefix_extractor.reset(
      rocksdb::NewFixedPrefixTransform(kKeyHeadBytes + 1));
  return family;
}

absl::StatusOr<std::unique_ptr<DatabaseLock>> LockDatabase(rocksdb::Env* env,
                                                           const std::string& directory) {
  rocksdb::FileLock* lock = nullptr;
  const rocksdb::Status status = env->LockFile(absl::StrCat(directory, "/LOCK"), &lock);
  if (!status.ok()) return ToStatus(status);
  return std::make_unique<DatabaseLock>(env, lock);
}

absl::Status NotWhole(absl::string_view why) {
  return absl::DataLossError(absl::StrCat(
      "the database in data_dir is not whole: restore a backup of data_dir (", why, ")"));
}

rocksdb::Status OpenDatabase(const rocksdb::Options& options, const std::string& directory,
                             OpenMode mode, rocksdb::DB** db) {
  if (mode == OpenMode::kReadOnly) return rocksdb::DB::OpenForReadOnly(options, directory, db);
  return rocksdb::DB::Open(options, directory, db);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> OpenRocksDb(const RocksDbOptions& options) {
  rocksdb::DBOptions db_options = MakeDbOptions(options);
  Surroundings surroundings;
  if (options.file_system != nullptr) {
    surroundings.env = rocksdb::NewCompositeEnv(options.file_system);
    db_options.env = surroundings.env.get();
  }
  if (options.mode == OpenMode::kCreate) {
    // RocksDB complains about a directory that it then makes. What fails here fails there, with a
    // better text.
    db_options.env->CreateDirIfMissing(options.directory).PermitUncheckedError();
  }
  if (options.mode == OpenMode::kReadOnly) {
    // RocksDB does not lock what it only reads, and what it reads while another process writes may
    // look damaged.
    auto lock = LockDatabase(db_options.env, options.directory);
    if (!lock.ok()) return lock.status();
    surroundings.lock = *std::move(lock);
    surroundings.gaps = std::make_unique<GapFinder>();
    db_options.wal_filter = surroundings.gaps.get();
  }
  // Filters of large tables have a megabyte. RocksDB's own number of shards leaves 4 MiB to each,
  // where two of them push each other out for ever; few threads share few shards gladly.
  constexpr int kCacheShardBits = 3;
  const auto cache = rocksdb::NewLRUCache(options.block_cache_bytes, kCacheShardBits);
  const rocksdb::Options rocksdb_options(db_options, MakeFamilyOptions(options, cache));
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status =
      OpenDatabase(rocksdb_options, options.directory, options.mode, &opened);
  std::unique_ptr<rocksdb::DB> db(opened);
  // No database, or one with families of somebody else.
  if (status.IsInvalidArgument() || status.IsNotFound()) return NotWhole(OneLine(status));
  if (!status.ok()) return ToStatus(status);
  if (surroundings.gaps != nullptr && !surroundings.gaps->gap().empty()) {
    return NotWhole(surroundings.gaps->gap());
  }
  return std::make_unique<RocksDbEngine>(std::move(surroundings), std::move(db), cache,
                                         options.mode);
}

}  // namespace pedigree
