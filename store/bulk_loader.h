// Fills a new store with a history from elsewhere: given ids, given times, all indexes, in the
// order of ids, without the committer.
//
// The directory is in state `importing` (directory.h) until Finish(), and no server opens it
// before. What is put is written in large batches without a log, each with how far it goes: a crash
// leaves all of the first so many batches, and who opens the loader again goes on after them.
// Memory is bounded by two batches and RocksDB's buffers. Threads: one; a thread of the loader's
// own writes a batch while the next one gathers.
//
//   auto loader = BulkLoader::Open({.data_dir = dir, .source = "sqlite:mlmd.db ..."});
//   (*loader)->PutTypes(catalog, last_type_id);
//   (*loader)->PutNode(artifact, {context_id});   // of ids after last_id(NodeKind::kArtifact)
//   (*loader)->AddEvent(event, id_in_the_source);  // after last_source_event()
//   (*loader)->Finish(last_ids);
#pragma once

#include <array>
#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "store/catalog.h"
#include "store/directory.h"
#include "store/engine.h"
#include "store/event_log.h"
#include "store/id_set.h"
#include "store/record.h"

namespace rocksdb {
class FileSystem;
}

namespace pedigree {

// import := last_source_event:be64 source
// What an unfinished import has brought, beside the counters, and where from.
// e.g. nothing yet, from "s": 0000000000000000 73
struct ImportState {
  int64_t last_source_event = 0;
  std::string source;

  std::string Encode() const;
  static bool Decode(absl::string_view bytes, ImportState* out);
};

// What becomes of the store when all has been put.
enum class AfterLoad : uint8_t {
  kReady,   // It is done: servers open it.
  kFollow,  // It goes on to follow its source (Store, Purpose::kFollow).
};

struct BulkLoaderOptions {
  std::string data_dir;
  // Names what is imported, to the state it is in: an import goes on only with the same.
  std::string source;
  // The beginning of `source` that names it whatever its state. If not empty, a part of an import
  // of the same name but another state is thrown away: its source goes on being written to.
  std::string name;
  AfterLoad after_load = AfterLoad::kReady;
  // Kinds of which some node has an earlier create time than one of a smaller id.
  std::vector<NodeKind> created_out_of_order;
  // Property indexes beside those of every store; their ids and states are not looked at.
  std::vector<PropertyIndex> property_indexes;
  size_t batch_bytes = size_t{16} << 20;
  size_t write_buffer_bytes = size_t{64} << 20;
  size_t block_cache_bytes = size_t{32} << 20;
  // A file system to use instead of the operating system's, for fault tests.
  std::shared_ptr<rocksdb::FileSystem> file_system;
};

// What a copy of a store of this program's takes over beside its rows.
struct CopiedCounters {
  std::array<int64_t, 3> last_node_id = {};  // By IndexOf(kind).
  int64_t last_type_id = 0;
  int64_t last_time_ms = 0;
  int64_t last_task = 0;
  int64_t last_fencing_token = 0;
};

// What an execution does not say of its entry in the cache.
struct CopiedCacheEntry {
  bool is_invalidated = false;
  bool is_explicit = false;
  int64_t completed_ms = 0;
  int64_t run_ms = 0;
  std::string name_space;
  std::string pipeline;
};

class BulkLoader {
 public:
  // Claims a missing or empty directory, or goes on with an import that was interrupted.
  // Errors: FailedPrecondition if the directory holds something else, or an import of another
  // source; as Store::Open.
  static absl::StatusOr<std::unique_ptr<BulkLoader>> Open(BulkLoaderOptions options);

  ~BulkLoader();

  // What an interrupted import has brought already: the last id of the kind, 0 at first; the
  // source's id of the last event.
  int64_t last_id(NodeKind kind) const { return counters_.last_node_id[IndexOf(kind)]; }
  int64_t last_source_event() const { return state_.last_source_event; }
  // Everything is there but for what Finish() does; nothing may be put any more.
  bool is_complete() const { return is_complete_; }

  // All types, and those that every store has, where they are missing (not of a store that is to
  // follow its source, which may yet use their ids). `last_type_id`: the last id that the source
  // has handed out. The same again after a crash.
  absl::Status PutTypes(Catalog catalog, int64_t last_type_id);

  // A node as it is, with its id and times, in `contexts` (of a context: its parents).
  // REQUIRES: ids ascend per kind; one kind after the other; the node fits its type; name and
  // external id are free; the contexts exist, if only when all is done. `type` is unset.
  template <class Node>
  absl::Status PutNode(const Node& node, absl::Span<const int64_t> contexts);

  // The next event of all, in the order in which they were added. `source_id` is at least 1 and
  // ascends.
  // REQUIRES: both nodes exist, if only when all is done; type and time are set; (artifact,
  // execution, type) is free.
  absl::Status AddEvent(const ml_metadata::Event& event, int64_t source_id);

  // A task of Kubeflow Pipelines, as bytes of api.Task. The same again after a crash.
  // Errors: DataLoss if the bytes are no task.
  absl::Status PutTask(int64_t number, absl::string_view task);

  // The entry of an execution that is there. The same again after a crash; all nodes come before.
  // Errors: DataLoss if there is no such execution, or it has no fingerprint.
  absl::Status PutCacheEntry(int64_t execution, const CopiedCacheEntry& copied);

  // Instead of Finish(), of a copy: its entries in the cache are those that were put.
  absl::Status FinishCopy(const CopiedCounters& counters);

  // Writes what is left, merges the files and makes the store ready, or ready to follow.
  // `handed_out`: ids up to these are never given to new nodes.
  absl::Status Finish(const std::array<int64_t, 3>& handed_out);

 private:
  // What one batch writes. Keys and values live in `bytes`.
  struct Batch {
    struct Row {
      size_t offset;
      uint32_t key_bytes;
      uint32_t value_bytes;
    };
    std::string bytes;
    std::vector<Row> rows;
    std::map<std::string, IdSet> postings;
    std::vector<NewEvent> events;
    int64_t first_event = 0;

    void Put(absl::string_view key, absl::string_view value);
    size_t size() const;
  };
  struct Chunk {
    int64_t first_number = 0;
    std::string bytes;
  };

  explicit BulkLoader(BulkLoaderOptions options) : options_(std::move(options)) {}

  absl::Status OpenEngine();
  absl::Status WriteFirstState();
  absl::Status LoadState();
  absl::Status BeginAnew();
  void AddPosting(const std::string& prefix, int64_t id);
  void PutChunk(int64_t execution, const Chunk& chunk);
  void PutEventLog();
  // Writes what is left and takes the state of the import away.
  absl::Status WriteLast();
  absl::Status Close();
  // Hands the batch to the writing thread, once that is done with the one before.
  absl::Status Commit();
  absl::Status WaitForWrite();
  static absl::Status WriteBatch(Engine* engine, Batch batch);

  const BulkLoaderOptions options_;
  uint32_t format_ = 0;
  std::optional<DirectoryLock> lock_;
  std::unique_ptr<Engine> engine_;
  Catalog catalog_;  // Property indexes and the order of creation.
  Catalog types_;
  Counters counters_;
  ImportState state_;
  std::shared_ptr<const View> nodes_;  // Of PutCacheEntry(): all nodes.
  bool is_complete_ = false;           // All is written; only the marker is missing.
  Batch batch_;
  absl::flat_hash_map<int64_t, Chunk> chunks_;  // Of the batch, by execution.
  std::array<int64_t, 3> last_create_time_ms_ = {};
  NodeKind last_kind_ = NodeKind::kArtifact;
  std::future<absl::Status> writing_;
};

}  // namespace pedigree
