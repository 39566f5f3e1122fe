#include "bench/raw_rocksdb.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "bench/interrupt.h"
#include "bench/latency_histogram.h"
#include "bench/process_usage.h"

namespace pedigree::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kKeyHeadBytes = 5;
constexpr size_t kValueTextBytes = 4096;
constexpr int kIdsPerBlock = 256;
constexpr uint64_t kRequestsPerBlock = 85;  // until 3 artifacts a request fill a block

absl::Status ToAbsl(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("RocksDB: ", status.ToString()));
}

rocksdb::ColumnFamilyOptions FamilyOptions(int64_t write_buffer_mib) {
  rocksdb::BlockBasedTableOptions table;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
  table.format_version = 5;
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = static_cast<size_t>(write_buffer_mib) << 20;
  options.compression = rocksdb::kLZ4Compression;
  options.level_compaction_dynamic_level_bytes = true;
  options.memtable_insert_with_hint_prefix_extractor.reset(
      rocksdb::NewFixedPrefixTransform(kKeyHeadBytes));
  return options;
}

rocksdb::DBOptions DatabaseOptions(int64_t write_buffer_mib) {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.max_background_jobs = 2;
  options.bytes_per_sync = 1 << 20;
  options.allow_concurrent_memtable_write = false;
  options.write_buffer_manager =
      std::make_shared<rocksdb::WriteBufferManager>(static_cast<size_t>(write_buffer_mib) << 20);
  return options;
}

// Text that compresses about as well as serialised metadata does, to cut values from.
std::string ValueText() {
  std::string text;
  uint64_t state = 1;
  while (text.size() < kValueTextBytes) {
    state = state * 6364136223846793005 + 1442695040888963407;
    text.push_back("0123456789abcdef"[state >> 60]);
  }
  return text;
}

void AppendBe64(uint64_t value, std::string* out) {
  for (int shift = 56; shift >= 0; shift -= 8) out->push_back(static_cast<char>(value >> shift));
}

// A key of the sort number `sort`: the head of four zero bytes and a tag, a number, and padding.
void MakeKey(const RawKey& shape, size_t sort, uint64_t number, std::string* key) {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;  // scatters; a bijection, so no two keys are equal
  key->assign(kKeyHeadBytes - 1, '\0');
  key->push_back(static_cast<char>(sort + 1));
  AppendBe64(shape.order == KeyOrder::kScattered ? number * kOdd : number, key);
  key->resize(std::max(key->size(), shape.key_bytes), 'k');
}

// Blocks of 256 ids that `ids` consecutive ones touch, on average, rounded.
int BlocksOf(int ids) { return 1 + (ids - 1 + kIdsPerBlock / 2) / kIdsPerBlock; }

}  // namespace

struct RawRocksDb::Database {
  std::unique_ptr<rocksdb::DB> db;
  std::string value_text = ValueText();
  uint64_t requests_written = 0;

  // Adds the keys of one sort to the write of `requests` requests.
  void Put(const RawKey& shape, size_t sort, int requests, rocksdb::WriteBatch* batch) const {
    // Every request adds the same number of keys of a sort, so numbers do not repeat.
    const auto per_request = static_cast<uint64_t>(std::max(1, shape.count / requests));
    const uint64_t first = shape.order == KeyOrder::kRepeated ? requests_written / kRequestsPerBlock
                                                              : requests_written * per_request;
    std::string key;
    for (uint64_t n = first; n < first + static_cast<uint64_t>(shape.count); ++n) {
      MakeKey(shape, sort, n, &key);
      const char* value = value_text.data() + n % (kValueTextBytes - shape.value_bytes);
      batch->Put(key, rocksdb::Slice(value, shape.value_bytes));
    }
  }
};

std::vector<RawKey> KeysOfPutExecutions(int requests) {
  // Counts and sizes as seen in the log of a pedigreed under the load of bench/workload.cc: 20 keys
  // and 1458 bytes for a single request, 361 keys for a group of 32.
  const int blocks = BlocksOf(3 * requests) + BlocksOf(requests);  // of artifacts, of executions
  const auto new_ids = static_cast<size_t>(std::min(32, 4 * requests));
  return {
      {"artifact", 3 * requests, 14, 132, KeyOrder::kAscending},
      {"execution", requests, 14, 104, KeyOrder::kAscending},
      {"events of an execution", requests, 21, 87, KeyOrder::kAscending},
      {"event of an artifact", 3 * requests, 22, 30, KeyOrder::kAscending},
      {"uri", 3 * requests, 71, 0, KeyOrder::kScattered},
      {"members of both types", blocks, 22, 32, KeyOrder::kRepeated},
      {"members of both contexts", 2 * blocks, 22, 32, KeyOrder::kRepeated},
      {"update times", blocks, 22, new_ids, KeyOrder::kAscending},
      {"counters", 1, 5, 48, KeyOrder::kRepeated},
  };
}

int CountKeys(const std::vector<RawKey>& keys) {
  int count = 0;
  for (const RawKey& key : keys) count += key.count;
  return count;
}

size_t CountBytes(const std::vector<RawKey>& keys) {
  size_t bytes = 0;
  for (const RawKey& key : keys) {
    bytes += static_cast<size_t>(key.count) * (key.key_bytes + key.value_bytes);
  }
  return bytes;
}

RawRocksDb::RawRocksDb(std::unique_ptr<Database> database) : database_(std::move(database)) {}

RawRocksDb::~RawRocksDb() = default;

absl::StatusOr<std::unique_ptr<RawRocksDb>> RawRocksDb::Open(const std::string& directory,
                                                             int64_t write_buffer_mib) {
  auto database = std::make_unique<Database>();
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::Open(
      rocksdb::Options(DatabaseOptions(write_buffer_mib), FamilyOptions(write_buffer_mib)),
      directory, &db);
  database->db.reset(db);
  if (!opened.ok()) return ToAbsl(opened);
  return std::unique_ptr<RawRocksDb>(new RawRocksDb(std::move(database)));
}

absl::StatusOr<LoadResult> RawRocksDb::Run(const Load& load) {
  const std::vector<RawKey> keys = KeysOfPutExecutions(load.requests_per_write);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  rocksdb::WriteBatch batch;
  LatencyHistogram histogram;
  uint64_t requests = 0;
  const double cpu_before = CpuSecondsOf(getpid()).value_or(0);
  const auto begin = Clock::now();
  auto now = begin;
  while (now - begin < load.duration && requests < load.max_requests) {
    if (Interrupted()) return InterruptedStatus();
    batch.Clear();
    for (size_t sort = 0; sort < keys.size(); ++sort) {
      database_->Put(keys[sort], sort, load.requests_per_write, &batch);
    }
    const absl::Status written = ToAbsl(database_->db->Write(synced, &batch));
    if (!written.ok()) return written;
    requests += static_cast<uint64_t>(load.requests_per_write);
    database_->requests_written += static_cast<uint64_t>(load.requests_per_write);
    const auto acknowledged = Clock::now();
    histogram.Record(acknowledged - now);
    now = acknowledged;
  }
  const double seconds = std::chrono::duration<double>(now - begin).count();
  const double cpu_seconds = CpuSecondsOf(getpid()).value_or(0) - cpu_before;
  return LoadResult{.calls = requests,
                    .seconds = seconds,
                    .rate = static_cast<double>(requests) / seconds,
                    .p50_us = histogram.QuantileMicroseconds(0.5),
                    .p99_us = histogram.QuantileMicroseconds(0.99),
                    .server_cpu_us = cpu_seconds / static_cast<double>(requests) * 1e6};
}

}  // namespace pedigree::bench
