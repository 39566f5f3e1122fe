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

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "store/engine.h"
#include "store/lookup.h"

namespace pedigree {

inline constexpr int64_t kFirstId = 1;
inline constexpr int64_t kLastId = std::numeric_limits<int64_t>::max();

// One state of the store: what a commit publishes.
struct Version {
  std::shared_ptr<const View> view;
  std::shared_ptr<const Catalog> catalog;
};

// A place in the order by last update time; ties stand in id order.
struct TimeAndId {
  int64_t time_ms;
  int64_t id;
};

// A cache-only reader gives up with WouldBlock() after this many keys, found or not: long answers
// belong on a thread that may take its time. Beginning a scan counts as kScanVisits keys.
inline constexpr int64_t kCacheOnlyVisits = 2000;
inline constexpr int64_t kScanVisits = 4;

class Reader final : public Lookup {
 public:
  Reader(std::shared_ptr<const Version> version, Blocking blocking)
      : version_(std::move(version)),
        blocking_(blocking),
        visits_left_(blocking == Blocking::kCacheOnly ? kCacheOnlyVisits : kLastId) {}

  const Catalog& catalog() const override { return *version_->catalog; }

  using VisitId = absl::FunctionRef<bool(int64_t id)>;
  using VisitRecord = absl::FunctionRef<void(int64_t id, const RecordView& record)>;

  // Errors of all: WouldBlock() where this reader must not block; DataLoss; Unavailable.

  // Visits the records of those of `ids` that exist, in the order of `ids`.
  // REQUIRES: ids ascending, each once, for speed and order.
  absl::Status VisitRecords(NodeKind kind, absl::Span<const int64_t> ids, VisitRecord visit) const;

  // Visits all nodes of a kind from id `from` on, in id order.
  absl::Status VisitNodes(NodeKind kind, int64_t from, Direction direction,
                          absl::FunctionRef<bool(int64_t id, const RecordView&)> visit) const;

  // Visits the ids of a type's nodes from id `from` on, in id order.
  absl::Status VisitTypeMembers(NodeKind kind, int64_t type_id, int64_t from, Direction direction,
                                VisitId visit) const;

  // Visits the ids of a context's artifacts, executions or (kContext) child contexts.
  absl::Status VisitContextMembers(int64_t context, NodeKind kind, int64_t from,
                                   Direction direction, VisitId visit) const;

  // Visits all nodes of a kind by (last update time, id), from `from` on.
  absl::Status VisitByUpdateTime(NodeKind kind, TimeAndId from, Direction direction,
                                 absl::FunctionRef<bool(TimeAndId)> visit) const;

  // Ascending ids of the artifacts with exactly this uri.
  absl::Status VisitArtifactsByUri(absl::string_view uri, VisitId visit) const;

  // Ascending ids of all contexts of a node (of a context: its parents); none for unknown nodes.
  absl::StatusOr<std::vector<int64_t>> Links(NodeKind kind, int64_t id) const;

  // Visits the events of one execution in insertion order.
  absl::Status VisitEventsOfExecution(int64_t execution,
                                      absl::FunctionRef<void(absl::string_view event)> visit) const;

  // Visits the events of one artifact in insertion order.
  absl::Status VisitEventsOfArtifact(int64_t artifact,
                                     absl::FunctionRef<void(absl::string_view event)> visit) const;

  // Direct access for Verify and for indexes that are rebuilt at start.
  const View& view() const { return *version_->view; }

 protected:
  absl::StatusOr<std::optional<std::string>> Get(const std::string& key) const override {
    if (!Spend(1)) return WouldBlock();
    return version_->view->Get(key, blocking_);
  }

 private:
  // Counts visits; false once there are too many for a reader that must not block.
  bool Spend(int64_t visits) const {
    visits_left_ -= visits;
    return visits_left_ >= 0;
  }
  // Scans like View::Scan, spending visits.
  absl::Status Scan(const KeyRange& range, Direction direction,
                    absl::FunctionRef<bool(absl::string_view, absl::string_view)> visit) const;
  // The common case of VisitRecords, without its arrays.
  absl::Status VisitOneRecord(NodeKind kind, int64_t id, VisitRecord visit) const;
  absl::Status VisitPosting(const std::string& prefix, int64_t from, Direction direction,
                            VisitId visit) const;

  std::shared_ptr<const Version> version_;
  Blocking blocking_;
  mutable int64_t visits_left_;
};

}  // namespace pedigree
