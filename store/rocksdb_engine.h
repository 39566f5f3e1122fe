// Opens RocksDB behind the engine seam. The only header of RocksDB's that the store needs is in
// rocksdb_engine.cc.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "store/engine.h"

namespace rocksdb {
class FileSystem;
}

namespace pedigree {

enum class OpenMode : uint8_t {
  kReadOnly,   // No file changes: RocksDB would mend and delete before it can be asked what it
               // found. The log is replayed in memory. Nothing can be written.
  kReadWrite,  // The database must exist whole.
  kCreate,     // What is missing is created: only for a store that never acknowledged a write.
};

// What the database is tuned for. What it holds is the same.
enum class WorkLoad : uint8_t {
  kServing,
  kBulkLoad,  // Large batches, few reads: files are merged once, by Compact() at the end.
};

struct RocksDbOptions {
  std::string directory;
  OpenMode mode = OpenMode::kReadWrite;
  WorkLoad work_load = WorkLoad::kServing;
  size_t block_cache_bytes = 0;
  size_t write_buffer_bytes = 0;
  std::shared_ptr<rocksdb::FileSystem> file_system;  // The system's if null.
};

// Holds the database's lock against other processes for as long as the engine lives, in every mode.
// Errors as Store::Open.
absl::StatusOr<std::unique_ptr<Engine>> OpenRocksDb(const RocksDbOptions& options);

}  // namespace pedigree
