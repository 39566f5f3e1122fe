// Reads one consistent version of the store.
//
// A Reader exists only inside Store::Read(fn). It never takes a lock and never sees a part of a
// commit. Ids and cursors come in order; visitors stop a scan by answering false.
// Threads: one at a time; any number of Readers at once.
//
//   store.Read(Blocking::kAllowed, [&](const Reader& reader) {
//     return reader.VisitTypeMembers(NodeKind::kArtifact, 10, kFirstId, Direction::kAscending,
//                                    [&](int64_t id) { ids.push_back(id); return true; });
//   });
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "store/engine.h"
#include "store/event_graph.h"
#include "store/id_set.h"
#include "store/journal.h"
#include "store/lookup.h"
#include "store/record_cache.h"
#include "store/task.h"

namespace pedigree {

inline constexpr int64_t kFirstId = 1;
inline constexpr int64_t kLastId = std::numeric_limits<int64_t>::max();

// Visits the ids of one block of a posting list from `from` on. False: the visitor has had enough.
bool VisitIds(const IdSet& set, int64_t block, int64_t from, Direction direction,
              absl::FunctionRef<bool(int64_t id)> visit);

// One state of the store: what a commit publishes.
struct Version {
  std::shared_ptr<const View> view;
  std::shared_ptr<const Catalog> catalog;
  Counters counters;
  // All events up to counters.last_event_number belong to this version. Not owned; outlives it.
  const EventGraph* graph;
  uint64_t number;       // Versions of one opening of a store are numbered from 1.
  RecordCache* records;  // Not owned; outlives it.
  CacheRuntime* cache;   // Not owned; outlives it.
  JournalHead journal;   // The end of the journal's chain.
  // Of the engine, after the commit (Engine::LastSequence).
  uint64_t engine_sequence = 0;

  int64_t last_id(NodeKind kind) const { return counters.last_node_id[IndexOf(kind)]; }
};

// A place in the order by last update time; ties stand in id order.
struct TimeAndId {
  int64_t time_ms;
  int64_t id;
};

// Work is counted in visits: one per key that is looked up, found or not, or comes up in a scan.
// Beginning a scan counts as kScanVisits. A cache-only reader gives up with WouldBlock() after
// kCacheOnlyVisits: long answers belong on a thread that may take its time.
inline constexpr int64_t kCacheOnlyVisits = 2000;
inline constexpr int64_t kScanVisits = 4;

// Who waits for a reader, and how long it may go on.
struct ReadLimits {
  // Says that nobody waits any more; asked now and then. Null if somebody always does.
  const std::function<bool()>* is_cancelled = nullptr;
  // Of LimitQuery().
  int64_t max_query_visits = 50'000'000;
  std::chrono::milliseconds max_query_time{60'000};
};

// What a visitor looks at, so that no more is brought from memory.
enum class RecordPart : uint8_t { kAll, kLinks };

class Reader final : public Lookup {
 public:
  Reader(std::shared_ptr<const Version> version, Blocking blocking, const ReadLimits& limits = {})
      : version_(std::move(version)),
        blocking_(blocking),
        limits_(limits),
        slice_left_(blocking == Blocking::kCacheOnly ? kCacheOnlyVisits : kSlice) {}

  const Catalog& catalog() const override { return *version_->catalog; }
  CacheRuntime& cache() const override { return *version_->cache; }

  using VisitId = absl::FunctionRef<bool(int64_t id)>;
  using VisitRecord = absl::FunctionRef<void(int64_t id, const RecordView& record)>;

  // Counts work that the caller does on its own, as well as what all functions below do.
  // Errors: WouldBlock() where this reader must not block; Cancelled when nobody waits any more;
  // ResourceExhausted beyond the limits of a query.
  absl::Status Spend(int64_t visits) const {
    slice_left_ -= visits;
    return slice_left_ >= 0 ? absl::OkStatus() : NextSlice();
  }
  // From now on the limits of ReadLimits for a query hold: its work follows from what a client
  // asks, not from what it gets.
  void LimitQuery() const;
  // From now on they do not hold: for work that is bounded by what they have let pass, and must not
  // fail because that was all.
  void LiftQueryLimit() const;

  // Errors of all: those of Spend(); DataLoss; Unavailable.

  // Visits the records of those of `ids` that exist, in the order of `ids`.
  // REQUIRES: ids ascending, each once, for speed and order.
  absl::Status VisitRecords(NodeKind kind, absl::Span<const int64_t> ids, VisitRecord visit,
                            RecordPart part = RecordPart::kAll) const;

  // Visits all nodes of a kind from id `from` on, in id order.
  absl::Status VisitNodes(NodeKind kind, int64_t from, Direction direction,
                          absl::FunctionRef<bool(int64_t id, const RecordView&)> visit) const;

  // Visits the ids of a type's nodes from id `from` on, in id order.
  absl::Status VisitTypeMembers(NodeKind kind, int64_t type_id, int64_t from, Direction direction,
                                VisitId visit) const;

  // Visits the ids of a context's artifacts, executions or (kContext) child contexts.
  absl::Status VisitContextMembers(int64_t context, NodeKind kind, int64_t from,
                                   Direction direction, VisitId visit) const;

  // The blocks of a posting list whose key begins with `prefix` (keys.h), from id `from` on: what
  // intersections of lists are made of. The first block may hold ids before `from`.
  using VisitIdBlock = absl::FunctionRef<bool(int64_t block, const IdSet& set)>;
  absl::Status VisitBlocks(const std::string& prefix, int64_t from, Direction direction,
                           VisitIdBlock visit) const;
  // One block of it; an empty set if there is none.
  absl::StatusOr<IdSet> FindBlock(const std::string& prefix, int64_t block) const;

  // Visits the ids that follow `prefix` in keys (keys.h), each once, from id `from` on: the nodes
  // of one value of a property index, the artifacts of a uri, the executions of an artifact's
  // events.
  absl::Status VisitIdsUnder(const std::string& prefix, int64_t from, Direction direction,
                             VisitId visit) const;
  // Visits the nodes in a property index whose keys are in `range` (PropertyKey), in the order of
  // values, ties by id.
  absl::Status VisitProperty(const KeyRange& range, VisitId visit) const;

  // Visits all nodes of a kind by (last update time, id), from `from` on.
  absl::Status VisitByUpdateTime(NodeKind kind, TimeAndId from, Direction direction,
                                 absl::FunctionRef<bool(TimeAndId)> visit) const;

  // The same by (create time, id).
  // REQUIRES: the kind is not catalog().IsCreatedInOrder(); else this is VisitNodes().
  absl::Status VisitByCreateTime(NodeKind kind, TimeAndId from, Direction direction,
                                 absl::FunctionRef<bool(TimeAndId)> visit) const;

  // Ascending ids of the artifacts with exactly this uri.
  absl::Status VisitArtifactsByUri(absl::string_view uri, VisitId visit) const;

  // Ascending ids of all contexts of a node (of a context: its parents); none for unknown nodes.
  absl::StatusOr<std::vector<int64_t>> Links(NodeKind kind, int64_t id) const;

  // Visits the events of one execution in insertion order.
  absl::Status VisitEventsOfExecution(
      int64_t execution, absl::FunctionRef<void(absl::string_view event)> visit) const override;

  // Visits the events of each of these executions in insertion order, one execution after the
  // other: what is in memory is found for many at once.
  absl::Status VisitEventsOfExecutions(
      absl::Span<const int64_t> executions,
      absl::FunctionRef<void(int64_t execution, absl::string_view event)> visit) const;

  // Visits those of `events` that exist, each with its place there, in no particular order: for a
  // few events of executions that have many.
  absl::Status VisitEvents(
      absl::Span<const EventEnds> events,
      absl::FunctionRef<void(size_t place, absl::string_view event)> visit) const;

  // Visits the events of one artifact in insertion order.
  absl::Status VisitEventsOfArtifact(int64_t artifact,
                                     absl::FunctionRef<void(absl::string_view event)> visit) const;

  // Tasks of Kubeflow Pipelines (task.h, reader_tasks.cc), as bytes of api.Task.
  absl::StatusOr<std::optional<std::string>> FindTask(int64_t number) const;
  // Visits all tasks from a number on, in the order of insertion.
  using VisitTask = absl::FunctionRef<bool(int64_t number, absl::string_view task)>;
  absl::Status VisitTasks(int64_t from, Direction direction, VisitTask visit) const;
  // Visits the tasks whose keys begin with a prefix of TaskFingerprintKey; of one that has all its
  // texts, ascending is the newest first.
  using VisitTaskPlace = absl::FunctionRef<bool(TaskPlace place)>;
  absl::Status VisitTaskPlaces(const std::string& prefix, Direction direction,
                               VisitTaskPlace visit) const;
  // The same from a place on, itself included. REQUIRES: the prefix has all texts.
  absl::Status VisitTaskPlacesFrom(const std::string& prefix, TaskPlace from, Direction direction,
                                   VisitTaskPlace visit) const;

  // The journal (journal.h, reader_journal.cc). Its end is version().journal.
  // Visits its entries from a number on, until `visit` answers false.
  // Errors: DataLoss where one does not decode; that the chain fits, JournalChain finds out.
  using VisitJournalEntry = absl::FunctionRef<bool(const JournalEntry& entry)>;
  absl::Status VisitJournal(int64_t from, Direction direction, VisitJournalEntry visit) const;
  // The same as chunks, each with the number of its first entry, whatever is in them: of the first
  // one, some entries may be on the other side of `from`.
  using VisitJournalPart = absl::FunctionRef<bool(int64_t first, absl::string_view chunk)>;
  absl::Status VisitJournalChunks(int64_t from, Direction direction, VisitJournalPart visit) const;

  const Version& version() const { return *version_; }

  // Direct access for Verify and for indexes that are rebuilt at start.
  const View& view() const { return *version_->view; }

 protected:
  absl::StatusOr<std::optional<std::string>> Get(const std::string& key) const override;
  absl::Status VisitEntries(const KeyRange& range, VisitEntry visit) const override {
    return Scan(range, Direction::kAscending, visit);
  }

 private:
  // Visits between two looks at the clock and at is_cancelled.
  static constexpr int64_t kSlice = 16384;

  absl::Status NextSlice() const;
  // Scans like View::Scan, spending visits.
  absl::Status Scan(const KeyRange& range, Direction direction,
                    absl::FunctionRef<bool(absl::string_view, absl::string_view)> visit) const;
  // The common case of VisitRecords, without its arrays.
  absl::Status VisitOneRecord(NodeKind kind, int64_t id, VisitRecord visit) const;
  // A batch of records, empty where there are none.
  absl::StatusOr<SharedBytesList> FetchRecords(NodeKind kind, absl::Span<const int64_t> ids,
                                               RecordPart part) const;
  // VisitEventsOfExecution() for events that are not in the record cache.
  absl::Status ScanEventsOfExecution(int64_t execution,
                                     absl::FunctionRef<void(absl::string_view event)> visit) const;
  SharedBytes FindCached(RecordCache::Key key) const {
    return version_->records->Find(key, version_->number);
  }
  void Remember(RecordCache::Key key, absl::string_view bytes) const {
    version_->records->Insert(key, version_->number, bytes);
  }
  absl::Status ScanTaskPlaces(const KeyRange& range, Direction direction,
                              VisitTaskPlace visit) const;
  // Posting lists by time: `prefix` is that of all times.
  absl::Status VisitByTime(const std::string& prefix, absl::string_view index, TimeAndId from,
                           Direction direction, absl::FunctionRef<bool(TimeAndId)> visit) const;
  absl::Status VisitPosting(const std::string& prefix, int64_t from, Direction direction,
                            VisitId visit) const;

  std::shared_ptr<const Version> version_;
  const Blocking blocking_;
  const ReadLimits limits_;
  mutable int64_t slice_left_;
  mutable int64_t query_visits_left_ = kLastId;
  mutable std::optional<std::chrono::steady_clock::time_point> query_deadline_;
};

}  // namespace pedigree
