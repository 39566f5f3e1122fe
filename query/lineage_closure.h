// What a walk has reached, as a graph of its own: dense numbers instead of ids, and the events that
// the walk went along as edges.
//
// Algorithms that keep something per vertex run on this: it costs what the walk has reached, not
// what the store holds. Numbers follow from the nodes alone, so that answers are deterministic.
// Value types; any thread.
//
//   auto closure = LineageClosure::Of(reader, walk, options);
//   boost::strong_components(closure->graph(), ...);
//   LineageNode node = closure->numbering().node(0);
#pragma once

#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "query/lineage_view.h"
#include "query/lineage_walk.h"
#include "store/reader.h"

namespace pedigree {

// Some nodes, numbered from 0 in the order of LineageNode::bits().
class LineageNumbering {
 public:
  // REQUIRES: each node once.
  explicit LineageNumbering(std::vector<LineageNode> nodes);

  uint32_t size() const { return static_cast<uint32_t>(nodes_.size()); }
  const std::vector<LineageNode>& nodes() const { return nodes_; }
  LineageNode node(uint32_t number) const { return nodes_[number]; }
  // REQUIRES: the node is one of them.
  uint32_t NumberOf(LineageNode node) const;

 private:
  size_t BucketOf(LineageNode node) const {
    return static_cast<size_t>((node.bits() - nodes_.front().bits()) >> shift_);
  }

  std::vector<LineageNode> nodes_;  // Ascending.
  // The number at which each bucket of 2^shift_ possible nodes begins, and the end: about as many
  // buckets as nodes, so that a look-up is one step where ids are dense.
  std::vector<uint32_t> begins_;
  int shift_ = 0;
};

// Calls visit(event, neighbour) for the events that the walk went along from the node: of a walk
// upstream those that lead to it, else those that lead from it. `options` are those of the walk.
// Answers how many events were looked at, for Reader::Spend().
template <class Visit>
int64_t VisitTraversed(const LineageWalk& walk, const LineageWalkOptions& options, LineageNode node,
                       Visit visit) {
  const bool is_expanded = walk.IsExpanded(node);
  // A walk both ways comes to an event from either end.
  const bool is_both = options.direction == LineageDirection::kBoth;
  if (!is_expanded && !is_both) return 0;
  const LineageDirection direction = is_both ? LineageDirection::kDownstream : options.direction;
  int64_t events = 0;
  walk.view().VisitNeighbours(node, direction, [&](uint32_t event, LineageNode to) {
    ++events;
    if (options.event_types != kAllEventTypes &&
        (options.event_types >> walk.view().ends(event).type & 1) == 0) {
      return;
    }
    if (walk.IsReached(to) && (is_expanded || walk.IsExpanded(to))) visit(event, to);
  });
  return events;
}

// Whether the events that the walk went along make a cycle. Keeps 4 bytes per node, and no events.
// Errors: those of Reader::Spend().
absl::StatusOr<bool> HasCycle(const Reader& reader, const LineageWalk& walk,
                              const LineageWalkOptions& options);

class LineageClosure {
 public:
  // Vertices are the numbers of nodes. Parallel events are parallel edges.
  using Graph =
      boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, boost::no_property,
                                         boost::no_property, uint32_t, uint32_t>;

  // `options` are those of the walk, which need not be kept. Edges lead as VisitTraversed() has it.
  // Errors: those of Reader::Spend().
  static absl::StatusOr<LineageClosure> Of(const Reader& reader, const LineageWalk& walk,
                                           const LineageWalkOptions& options);

  const LineageNumbering& numbering() const { return numbering_; }
  const Graph& graph() const { return graph_; }
  uint32_t size() const { return numbering_.size(); }

 private:
  LineageClosure(LineageNumbering numbering, Graph graph)
      : numbering_(std::move(numbering)), graph_(std::move(graph)) {}

  LineageNumbering numbering_;
  Graph graph_;
};

// The strongly connected components of a graph.
struct LineageComponents {
  // By vertex. An edge between two components leads from the higher number to the lower.
  std::vector<uint32_t> of;
  // By component: how many vertices it has. More than one: they are in a cycle, since no event
  // leads from a node to itself.
  std::vector<uint32_t> sizes;

  bool has_cycle() const { return sizes.size() < of.size(); }
  bool InCycle(uint32_t vertex) const { return sizes[of[vertex]] > 1; }
};
LineageComponents ComponentsOf(const LineageClosure::Graph& graph);

}  // namespace pedigree
