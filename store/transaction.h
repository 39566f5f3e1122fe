// Reads and changes the store within one request: all of its writes happen, or none.
//
// A Transaction exists only inside Store::Write(fn), on the committer thread. It sees the newest
// state and what the requests before it in the same commit group have written, so requests are
// serialisable by construction: no locks, no conflicts. Every method keeps all indexes of what it
// writes; after an error the whole request is rolled back, so a caller only passes the error on.
//
//   store.Write([&](Transaction& transaction) -> absl::Status {
//     auto id = transaction.Insert(&artifact, {context_id});
//     ...
//   });
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "store/cache_derive.h"
#include "store/cache_runtime.h"
#include "store/context_cache.h"
#include "store/engine.h"
#include "store/event_graph.h"
#include "store/event_log.h"
#include "store/graph_snapshot.h"
#include "store/journal.h"
#include "store/lookup.h"
#include "store/write_set.h"

namespace api {
class Task;
}

namespace pedigree {

// Makes the store's marker say at least this version of the format (directory.h), durably.
using RaiseFormat = std::function<absl::Status(uint32_t format)>;

// When an update moves last_update_time.
enum class UpdateTime : uint8_t {
  kIfChanged,      // Only if the stored record changes.
  kAlways,         // PutExecution's force_update_time.
  kStrictlyLater,  // Always, and past the old time even within one millisecond.
};

class Transaction final : public Lookup {
 public:
  const Catalog& catalog() const override { return *catalog_; }
  CacheRuntime& cache() const override { return *cache_; }
  absl::Status VisitEventsOfExecution(
      int64_t execution, absl::FunctionRef<void(absl::string_view event)> visit) const override;

  // Who asks for this request, for the journal; nobody if not said. Not owned: it lives until the
  // request is done.
  void SetOrigin(const CallOrigin* origin) { origin_ = origin; }

  // The time of everything this request writes; never behind a time written before. In ms.
  int64_t now_ms() const { return counters_.last_time_ms; }

  // The last id handed out to a node of this kind; the next new one has the id after.
  int64_t last_id(NodeKind kind) const { return counters_.last_node_id[IndexOf(kind)]; }

  // Stores a new node under the next id of its kind, linked to `contexts` (of a context: its
  // parents). Sets id, times and drops `type`. Answers the id.
  // REQUIRES: the node's type exists, its properties fit it, and the contexts exist, if only when
  // the request is done.
  // Errors: AlreadyExists if its (type, name) or external id is taken.
  template <class Node>
  absl::StatusOr<int64_t> Insert(Node* node, absl::Span<const int64_t> contexts);

  // Replaces the node that `stored` holds by `node`; links stay. Sets id, type_id and times.
  // The name of an artifact or execution never changes.
  // REQUIRES: properties fit the type.
  // Errors: AlreadyExists if a new name or external id is taken.
  template <class Node>
  absl::Status Update(const NodeRecord& stored, Node* node, UpdateTime update_time);

  // Makes an existing node a member of `contexts` (of a context: a child). Repeats do nothing.
  // REQUIRES: the contexts exist, if only when the request is done.
  // Errors: InvalidArgument if there is no such node.
  absl::Status Link(NodeKind kind, int64_t id, absl::Span<const int64_t> contexts);

  absl::StatusOr<bool> NodeExists(NodeKind kind, int64_t id) const;

  // Whether the node is a member of the context.
  absl::StatusOr<bool> IsLinked(NodeKind kind, int64_t id, const NodeRecord& record,
                                int64_t context) const;

  // Whether `ancestor` is the context, or can be reached from it over parents.
  // Errors: FailedPrecondition if it has too many ancestors to tell.
  absl::StatusOr<bool> IsAncestor(int64_t ancestor, int64_t context) const;

  // Adds events in the order given, those without a time at now_ms(); an empty path is no path.
  // `check` sees each just before it is added, so that of several errors the first event's counts.
  // REQUIRES: where `check` lets an event pass, both nodes exist, and ids and type are set.
  // Errors: those of `check`; AlreadyExists if an (artifact, execution, type) is taken, also within
  // `events`; ResourceExhausted if an id is beyond kLastGraphId, or the graph is full.
  absl::Status AddEvents(absl::Span<ml_metadata::Event* const> events,
                         absl::FunctionRef<absl::Status(const ml_metadata::Event& event)> check);

  // Stores a type: a new one under the next type id if its id is unset, else over the stored one.
  // Sets the id and answers it.
  // REQUIRES: (name, version) is free for a new one, the stored one's otherwise.
  // Errors: AlreadyExists if its external id is another type's.
  template <class Node>
  absl::StatusOr<int64_t> PutType(typename TraitsOf<Node>::Type* type);

  // Defines an index of a property; one that is there already is answered as it is. Nodes that are
  // written from now on are in it, those before get in by ContinuePropertyIndex.
  // Errors: ResourceExhausted beyond kMaxPropertyIndexes.
  absl::StatusOr<PropertyIndex> AddPropertyIndex(NodeKind kind, bool is_custom,
                                                 absl::string_view name);
  // Marks an index for deletion: it answers nothing any more. Repeats do nothing.
  // Errors: NotFound; InvalidArgument for one of those that every store has.
  absl::Status DropPropertyIndex(uint32_t index);
  // Does a part of the work on an index that is being built or dropped, at most `most` nodes or
  // entries of it. Answers whether more is left to do.
  // REQUIRES: in another commit group than the call that made the work.
  absl::StatusOr<bool> ContinuePropertyIndex(uint32_t index, int64_t most);

  // Begins an import into this store, which from here to EndImport() has what its source has: not
  // even the types that every store has, unless they come. `source` names it, and is not "".
  // Errors: FailedPrecondition if the store has ever had anything of its own, or has an import.
  absl::Status BeginImport(const std::string& source);
  // Whether it could: OK, or the FailedPrecondition.
  absl::Status CheckImportable() const;
  // What an import writes until it ends, here or in a store that follows its source
  // (Purpose::kFollow): things as they are, with ids and times. New ones, or instead of those that
  // have their ids; the links of a node stay. Answers whether anything has changed. REQUIRES: of a
  // node, that its type exists, its properties fit, and no other has its name or external id.
  // `type` is unset. Errors: FailedPrecondition if what is there is not the same thing: a node of
  // another type or create time, a type of another name.
  template <class Node>
  absl::StatusOr<bool> ImportNode(const Node& node);
  template <class Node>
  absl::StatusOr<bool> ImportType(const typename TraitsOf<Node>::Type& type);
  // Whether another node has the name, within the type, or the external id.
  template <class Node>
  absl::StatusOr<bool> IsNameTaken(const Node& node) const;
  template <class Node>
  absl::StatusOr<bool> IsExternalIdTaken(const Node& node) const;
  // Whether there is an event of the same artifact, execution and type.
  absl::StatusOr<bool> HasEvent(const ml_metadata::Event& event) const;
  // What the import is of (BulkLoaderOptions::source). NotFound if there is no import.
  absl::StatusOr<std::string> ImportSource() const;
  // The import is over: adds the types that every store has. Ids up to those of `handed_out` and
  // `last_type_id` are never given to anything new.
  absl::Status EndImport(const std::array<int64_t, 3>& handed_out, int64_t last_type_id);

  // Stores a task of Kubeflow Pipelines under the next number, which it answers, and sets its id.
  // REQUIRES: created_at is set.
  absl::StatusOr<int64_t> InsertTask(api::Task* task);
  // Says whose the execution's entry in the cache is, instead of what its contexts say, and that it
  // is valid (again). `run_ms` is how long the step took.
  // REQUIRES: the execution exists, with a fingerprint, when the request is done.
  void PublishCacheEntry(int64_t execution, CachePlace place, int64_t run_ms);
  // Takes the entry out of what can be hit. Answers whether there was anything to do.
  absl::StatusOr<bool> InvalidateCacheEntry(int64_t execution);
  // Hands out a lease under a new token; one that is there is taken over. Now and then removes
  // leases that ran out long ago.
  absl::StatusOr<CacheLease> GrantCacheLease(const CacheLeaseKey& key, absl::string_view owner,
                                             int64_t lease_ms);
  void PutCacheLease(const CacheLeaseKey& key, const CacheLease& lease);
  void DeleteCacheLease(const CacheLeaseKey& key);
  // Visits executions with an event of the artifact, those with ids beyond `after`, ascending and
  // each once, until `visit` answers false.
  absl::Status VisitExecutionsOfArtifact(int64_t artifact, int64_t after,
                                         absl::FunctionRef<bool(int64_t execution)> visit) const;

  // Names the snapshot of the graph that has just been written (graph_snapshot.h).
  void SetLineageSnapshot(const GraphSnapshot& snapshot);
  // Removes up to `most` entries of the event log with numbers from `from` on, up to `before`
  // excluded. Answers the number from which to go on, 0 if nothing is left to remove.
  // REQUIRES: the durable snapshot has all events before `before`, which begins an entry or none.
  absl::StatusOr<int64_t> TrimEventLog(int64_t from, int64_t before, int64_t most);

 private:
  friend class Committer;

  // PublishCacheEntry() of this request.
  struct CachePublish {
    int64_t execution;
    CachePlace place;
    int64_t run_ms;
  };

  Transaction(Engine* engine, const EventGraph* graph, CacheRuntime* cache,
              JournalMode journal_mode, RaiseFormat raise_format)
      : engine_(engine),
        graph_(graph),
        cache_(cache),
        journal_mode_(journal_mode),
        raise_format_(std::move(raise_format)) {}

  // The committer's part: one group of requests.
  void BeginGroup(std::shared_ptr<const Catalog> catalog, const Counters& counters,
                  const JournalHead& journal, int64_t clock_ms);
  void BeginRequest();
  // After a request that has gone well: does what its writes ask for. An error fails the request.
  absl::Status FinishRequest();
  void RollBackRequest();
  // Everything the group has written, counters included. Empty if it has written nothing.
  std::vector<Mutation> GroupMutations();
  // The events that the group has added, in the order of their numbers, which begin after the last
  // one before the group.
  const std::vector<NewEvent>& group_events() const { return events_; }
  void EndGroup(bool stored);
  // Memory of what the group has written.
  size_t bytes() const { return writes_.bytes() + journal_bytes_; }

  absl::StatusOr<std::optional<std::string>> Get(const std::string& key) const override;
  absl::Status VisitEntries(const KeyRange& range, VisitEntry visit) const override;

  // Puts key -> id. AlreadyExists if the key is there.
  absl::Status Claim(const std::string& key, int64_t id, absl::FunctionRef<std::string()> what);
  template <class Node>
  absl::Status ClaimName(const Node& node);
  template <class Node>
  absl::Status ClaimExternalId(const Node& node);
  template <class Node>
  absl::Status MoveIndexes(const NodePeek& old, const Node& node);
  // Writes a node that is new, with its indexes.
  template <class Node>
  absl::Status PutNew(const Node& node, absl::Span<const int64_t> contexts);
  template <class Node>
  absl::Status PutMissingTypes(const Catalog& all);
  template <class Node>
  void DeleteTypes();
  template <class Node>
  void IndexProperties(const Node& node);
  template <class Node>
  void MoveProperties(const NodeRecord& stored, const Node& node);
  Catalog* MutableCatalog();
  void PutPropertyIndex(PropertyIndex index);
  absl::StatusOr<bool> BuildPropertyIndex(PropertyIndex index, int64_t most);
  absl::StatusOr<bool> EmptyPropertyIndex(const PropertyIndex& index, int64_t most);
  absl::Status ChangePosting(const std::string& prefix, int64_t id, PostingSet::Change change);
  absl::Status AddToContexts(NodeKind kind, int64_t id, absl::Span<const int64_t> contexts);
  absl::StatusOr<bool> EventExists(const ml_metadata::Event& event, const std::string& key) const;
  bool IsOfThisGroup(NodeKind kind, int64_t id) const {
    return id > group_begin_.last_node_id[IndexOf(kind)];
  }

  // The execution's entry in the cache is to be brought after it when the request is done.
  void TouchCacheEntry(int64_t execution) { cache_touched_.push_back(execution); }
  void TouchCacheEntryIfAny(NodeKind kind, int64_t id, const NodeRecord& record);
  absl::Status UpdateCacheEntry(int64_t execution);
  absl::StatusOr<CacheEntry> MakeCacheEntry(int64_t execution, const NodeRecord& record,
                                            const CacheFacts& facts,
                                            const std::optional<CacheEntry>& old) const;
  void ReplaceCacheEntry(int64_t execution, const std::optional<CacheEntry>& old,
                         const std::optional<CacheEntry>& entry);
  absl::Status SweepCacheLeases();

  // The journal (transaction_journal.cc): what the request has changed so far, from the bytes that
  // it stores.
  void JournalCreated(ChangedKind kind, int64_t id, absl::string_view after);
  void JournalUpdated(ChangedKind kind, int64_t id, absl::string_view before,
                      absl::string_view after);
  void JournalEvent(const ml_metadata::Event& event, absl::string_view after);
  void JournalMembership(NodeKind member, int64_t id, int64_t context);
  void JournalCacheEntry(int64_t execution, const std::optional<CacheEntry>& old,
                         const CacheEntry& entry);
  bool NotesChanges();
  // Appends the request's entry.
  void FinishJournal();
  void AppendJournalEntry(const CallOrigin& origin, absl::string_view changes);

  Engine* engine_;           // Not owned; outlives this.
  const EventGraph* graph_;  // Not owned; outlives this.
  CacheRuntime* cache_;      // Not owned; outlives this.
  const JournalMode journal_mode_;
  const RaiseFormat raise_format_;
  std::shared_ptr<const View> view_;
  std::shared_ptr<const Catalog> catalog_;
  WriteSet writes_;
  PostingSet postings_;
  mutable ContextCache contexts_;  // Filled by reads.
  std::vector<NewEvent> events_;
  std::vector<int64_t> cache_touched_;         // Executions, of this request.
  std::vector<CachePublish> cache_published_;  // Of this request.
  // Of this request: executions, and when their source says they were updated.
  absl::flat_hash_map<int64_t, int64_t> cache_imported_;
  std::string sweep_from_;  // Where SweepCacheLeases() goes on.
  Counters group_begin_;
  Counters counters_;

  // The entries of the group, and the end of the chain with them.
  struct JournalChunk {
    std::string key;
    std::string value;
  };
  JournalHead journal_;
  std::vector<JournalChunk> journal_chunks_;
  size_t journal_bytes_ = 0;  // Of the chunks.
  // Of this request.
  const CallOrigin* origin_ = nullptr;
  bool has_changes_ = false;
  std::string changes_;        // Encoded.
  std::string journal_entry_;  // Of AppendJournalEntry(), to use its memory again.

  // State at BeginRequest.
  size_t request_writes_ = 0;
  size_t request_postings_ = 0;
  size_t request_events_ = 0;
  Counters request_counters_;
  std::shared_ptr<const Catalog> request_catalog_;
  Catalog* own_catalog_ = nullptr;  // catalog_, once this request has made its own copy.

  std::string event_log_key_;
  std::string event_log_;
  std::string counters_key_;
  std::string counters_value_;
  std::string journal_head_key_;
  std::string journal_head_value_;
};

}  // namespace pedigree
