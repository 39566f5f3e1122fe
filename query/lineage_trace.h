// What a walk has reached, in an order that can be told: a node after all nodes that lead to it.
//
// "Leads to" is meant along the walk: upstream, a start comes before what it was made from; both
// ways, it is downstream. Nodes of one cycle stand together, by id. Of the nodes (or cycles) that
// could come next the one with the lowest id does, an artifact before an execution of the same id:
// so the order follows from what is reached alone, and a trace can be told again from any place.
// A value; any thread. Takes 20 bytes a node and 4 an event, about three times as much while it is
// made.
//
//   auto trace = LineageTrace::Of(reader, walk, options);
//   for (size_t i = 0; i < trace->size(); ++i) Tell(trace->node(i), trace->EventsOf(i));
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "query/lineage_walk.h"
#include "store/reader.h"

namespace pedigree {

struct LineageTraceNode {
  LineageNode node;
  uint32_t hops = 0;  // From the nearest start.
  bool in_cycle = false;
  bool is_boundary = false;  // The walk did not go on from here.

  friend bool operator==(const LineageTraceNode&, const LineageTraceNode&) = default;
};

class LineageTrace {
 public:
  // `options` are those of the walk, which need not be kept. Errors: those of Reader::Spend().
  static absl::StatusOr<LineageTrace> Of(const Reader& reader, const LineageWalk& walk,
                                         const LineageWalkOptions& options);

  size_t size() const { return nodes_.size(); }
  const LineageTraceNode& node(size_t place) const { return nodes_[place]; }
  absl::Span<const LineageTraceNode> nodes() const { return nodes_; }
  // The numbers of the events between this node and those before it, ascending. Together they are
  // all events that the walk went along.
  absl::Span<const uint32_t> EventsOf(size_t place) const {
    return absl::MakeConstSpan(events_).subspan(ends_[place], ends_[place + 1] - ends_[place]);
  }
  bool has_cycle() const { return has_cycle_; }

  // A number that nearly always differs if the first `places` nodes do.
  uint64_t DigestOfFirst(size_t places) const;

 private:
  LineageTrace() = default;

  std::vector<LineageTraceNode> nodes_;
  std::vector<uint32_t> events_;
  std::vector<size_t> ends_;  // EventsOf(i) ends at ends_[i + 1].
  bool has_cycle_ = false;
};

}  // namespace pedigree
