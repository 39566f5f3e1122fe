// What an operator wants to know of a running store. Plain values, taken at about one moment.
//
//   const StoreStatistics statistics = store.Statistics();
//   statistics.committer.queued_bytes ...
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "store/histogram.h"

namespace pedigree {

struct EngineStatistics {
  // Of table files that readers still need; the log comes on top: the next.
  uint64_t table_file_bytes = 0;
  uint64_t log_file_bytes = 0;
  uint64_t memtable_bytes = 0;
  uint64_t block_cache_bytes = 0;
  // What is to be rewritten before the levels have the shape they should have. An estimate.
  uint64_t pending_compaction_bytes = 0;
  uint64_t running_compactions = 0;
  uint64_t running_flushes = 0;
  uint64_t estimated_keys = 0;
  // Of the log, since the start.
  uint64_t log_syncs = 0;
};

struct CommitterStatistics {
  // Writes that wait for the committer; the group under way is not among them.
  size_t queued_writes = 0;
  size_t queued_bytes = 0;
  // Of groups that were stored: how many requests they had, and what Engine::Apply took, in ns.
  HistogramValues group_requests;
  HistogramValues apply_ns;
};

struct RecordCacheStatistics {
  uint64_t bytes = 0;  // In use.
  uint64_t hits = 0;
  uint64_t misses = 0;
};

struct StoreStatistics {
  // By IndexOf(kind). Nodes are never deleted, so the last id is their number.
  std::array<int64_t, 3> last_node_id = {};
  std::array<int64_t, 3> types = {};
  int64_t last_event_number = 0;
  size_t graph_bytes = 0;
  EngineStatistics engine;
  CommitterStatistics committer;
  RecordCacheStatistics records;
};

}  // namespace pedigree
