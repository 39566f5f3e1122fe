// Which nodes and events an export has, found out before its first record.
//
// A set of ids, a bit each, for every kind that is not exported as a whole. Threads: as the Reader
// while it is made, then any.
//
//   auto scope = ExportScope::Make(reader, request);
//   if (scope->Knows(NodeKind::kArtifact, 7)) ...
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pedigree/v1/audit.pb.h"
#include "query/filter_ast.h"
#include "store/event_graph.h"
#include "store/id_bitmap.h"
#include "store/reader.h"

namespace pedigree {

class ExportScope {
 public:
  // Errors: InvalidArgument if the filter does not parse, or the journal has no such sequence;
  // NotFound if there is no such artifact; as Reader.
  static absl::StatusOr<ExportScope> Make(const Reader& reader, const v1::ExportRequest& request);

  // The nodes that are exported; null if all are.
  const IdBitmap* nodes(NodeKind kind) const {
    const auto& set = exported_[IndexOf(kind)];
    return set.has_value() ? &*set : nullptr;
  }
  // Whether the export, or one before it (since_sequence), has this node.
  bool Knows(NodeKind kind, int64_t id) const { return Has(known_[IndexOf(kind)], id); }
  bool KnowsAll(NodeKind kind) const { return !known_[IndexOf(kind)].has_value(); }

  // Whether an event is one of what the export, or one before it, has.
  bool KnowsEvent(const EventEnds& ends, int64_t time_ms) const {
    return time_ms <= until_ms_ && Knows(NodeKind::kArtifact, ends.artifact) &&
           Knows(NodeKind::kExecution, ends.execution);
  }
  // Events before this number are not exported by number.
  int64_t first_event() const { return first_event_; }
  int64_t first_task() const { return first_task_; }
  bool HasTask(absl::string_view task) const;
  bool HasCacheEntry(int64_t execution) const {
    return Knows(NodeKind::kExecution, execution) && Has(cache_entries_, execution);
  }

 private:
  using Set = std::optional<IdBitmap>;  // Without value: all.

  static bool Has(const Set& set, int64_t id) { return !set.has_value() || set->Contains(id); }

  // The executions that are asked for, of which then the rest follows.
  absl::Status FindExecutions(const Reader& reader, const v1::ExportSelection& selection);
  absl::Status FindMatches(const Reader& reader, const Filter& filter);
  absl::Status FindUpstream(const Reader& reader, int64_t artifact);
  // What goes with executions: artifacts, and contexts with their ancestors.
  absl::Status AddClosure(const Reader& reader, int64_t artifact);
  absl::Status AddContextsOf(const Reader& reader, NodeKind kind, const IdBitmap& nodes,
                             IdBitmap* contexts);
  // Leaves out of a set what was created after until_ms_.
  absl::Status LeaveOutLater(const Reader& reader, NodeKind kind, Set* set) const;

  // Leaves out what an export up to since_sequence has had.
  absl::Status KeepChanges(const Reader& reader, const v1::ExportRequest& request);

  std::array<Set, 3> known_;     // By IndexOf(kind).
  std::array<Set, 3> exported_;  // The part of it that has changed.
  Set cache_entries_;            // By execution; those that have changed.
  int64_t until_ms_ = std::numeric_limits<int64_t>::max();
  int64_t first_event_ = 1;
  int64_t first_task_ = 1;
  bool chooses_executions_ = false;  // By more than time.
};

}  // namespace pedigree
