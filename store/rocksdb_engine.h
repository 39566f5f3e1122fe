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

enum class Creation : uint8_t {
  kForbidden,  // The database must exist whole.
  kAllowed,    // What is missing is created: only for a store that never acknowledged a write.
};

struct RocksDbOptions {
  std::string directory;
  Creation creation = Creation::kForbidden;
  size_t block_cache_bytes = 0;
  size_t write_buffer_bytes = 0;
  std::shared_ptr<rocksdb::FileSystem> file_system;  // The system's if null.
};

// Errors as Store::Open.
absl::StatusOr<std::unique_ptr<Engine>> OpenRocksDb(const RocksDbOptions& options);

}  // namespace pedigree
