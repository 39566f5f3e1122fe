// The storage yardstick: RocksDB alone, fed with the keys that the store writes for one
// PutExecution of the benchmark, grouped into writes as the committer groups them, and nothing
// else: no protobuf, no checks, no reads. The options are those of store/rocksdb_engine.cc that
// matter to writes.
//
// Threading: one thread per object.
//
//   auto raw = RawRocksDb::Open(scratch + "/raw", 64);
//   LoadResult grouped = *(*raw)->Run({.requests_per_write = 32});
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/load_generator.h"

namespace pedigree::bench {

// How the keys of one sort follow each other.
enum class KeyOrder : uint8_t {
  kAscending,  // ids, handed out in order
  kScattered,  // names and uris
  kRepeated,   // blocks of posting lists, written again until their 256 ids are full
};

// The keys of one sort within one write.
struct RawKey {
  const char* what;
  int count;
  size_t key_bytes;
  size_t value_bytes;
  KeyOrder order;
};

// What the store writes for a group of `requests` PutExecutions, each with 3 artifacts, 3 events
// and 2 contexts (store/keys.h).
std::vector<RawKey> KeysOfPutExecutions(int requests);

// Keys, and bytes of keys and values.
int CountKeys(const std::vector<RawKey>& keys);
size_t CountBytes(const std::vector<RawKey>& keys);

class RawRocksDb {
 public:
  struct Load {
    int requests_per_write = 1;
    std::chrono::milliseconds duration{1000};
    uint64_t max_requests = 5'000'000;
  };

  // A new database in `directory`. Unavailable with RocksDB's error.
  static absl::StatusOr<std::unique_ptr<RawRocksDb>> Open(const std::string& directory,
                                                          int64_t write_buffer_mib);

  ~RawRocksDb();
  RawRocksDb(const RawRocksDb&) = delete;
  RawRocksDb& operator=(const RawRocksDb&) = delete;

  // Writes synced groups until a bound is reached. Rate and CPU are per request, latencies per
  // write (a group is acknowledged as one). Unavailable on a storage error, Cancelled on Ctrl-C.
  absl::StatusOr<LoadResult> Run(const Load& load);

 private:
  struct Database;

  explicit RawRocksDb(std::unique_ptr<Database> database);

  std::unique_ptr<Database> database_;
};

}  // namespace pedigree::bench
