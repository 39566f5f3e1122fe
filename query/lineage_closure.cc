#include "query/lineage_closure.h"

#include <algorithm>
#include <bit>
#include <boost/graph/strong_components.hpp>
#include <utility>

namespace pedigree {
namespace {

// As lineage_walk.cc: events that count as one visit, and events between two calls of Spend().
constexpr int64_t kEventsPerVisit = 8;
constexpr int64_t kSlice = 4096;

// Spends visits for events, in slices.
class EventMeter {
 public:
  explicit EventMeter(const Reader& reader) : reader_(reader) {}

  // One more event, so that a pass over nodes without any is counted too.
  absl::Status Add(int64_t events) {
    events_ += events + 1;
    if (events_ < kSlice) return absl::OkStatus();
    const int64_t visits = events_ / kEventsPerVisit;
    events_ %= kEventsPerVisit;
    return reader_.Spend(visits);
  }

 private:
  const Reader& reader_;
  int64_t events_ = 0;
};

}  // namespace

LineageNumbering::LineageNumbering(std::vector<LineageNode> nodes) : nodes_(std::move(nodes)) {
  std::sort(nodes_.begin(), nodes_.end());
  if (nodes_.empty()) return;
  const uint64_t range = nodes_.back().bits() - nodes_.front().bits();
  shift_ = std::max(
      0, static_cast<int>(std::bit_width(range)) - static_cast<int>(std::bit_width(nodes_.size())));
  begins_.assign(BucketOf(nodes_.back()) + 2, 0);
  for (LineageNode node : nodes_) ++begins_[BucketOf(node) + 1];
  for (size_t i = 1; i < begins_.size(); ++i) begins_[i] += begins_[i - 1];
}

uint32_t LineageNumbering::NumberOf(LineageNode node) const {
  const size_t bucket = BucketOf(node);
  const auto begin = nodes_.begin() + begins_[bucket];
  const auto end = nodes_.begin() + begins_[bucket + 1];
  return static_cast<uint32_t>(std::lower_bound(begin, end, node) - nodes_.begin());
}

absl::StatusOr<bool> HasCycle(const Reader& reader, const LineageWalk& walk,
                              const LineageWalkOptions& options) {
  // Takes away nodes that nothing leads to, until none is left but cycles and what is behind them.
  const LineageNumbering numbering(walk.nodes());
  EventMeter meter(reader);
  std::vector<uint32_t> leading_here(numbering.size(), 0);
  for (LineageNode node : numbering.nodes()) {
    absl::Status status =
        meter.Add(VisitTraversed(walk, options, node, [&](uint32_t, LineageNode to) {
          ++leading_here[numbering.NumberOf(to)];
        }));
    if (!status.ok()) return status;
  }
  std::vector<uint32_t> free;
  for (uint32_t i = 0; i < numbering.size(); ++i) {
    if (leading_here[i] == 0) free.push_back(i);
  }
  uint32_t taken = 0;
  while (!free.empty()) {
    const LineageNode node = numbering.node(free.back());
    free.pop_back();
    ++taken;
    absl::Status status =
        meter.Add(VisitTraversed(walk, options, node, [&](uint32_t, LineageNode to) {
          const uint32_t number = numbering.NumberOf(to);
          if (--leading_here[number] == 0) free.push_back(number);
        }));
    if (!status.ok()) return status;
  }
  return taken < numbering.size();
}

absl::StatusOr<LineageClosure> LineageClosure::Of(const Reader& reader, const LineageWalk& walk,
                                                  const LineageWalkOptions& options) {
  LineageNumbering numbering(walk.nodes());
  EventMeter meter(reader);
  std::vector<std::pair<uint32_t, uint32_t>> edges;
  for (uint32_t i = 0; i < numbering.size(); ++i) {
    const size_t before = edges.size();
    absl::Status status =
        meter.Add(VisitTraversed(walk, options, numbering.node(i), [&](uint32_t, LineageNode to) {
          edges.emplace_back(i, numbering.NumberOf(to));
        }));
    if (!status.ok()) return status;
    // The order of a node's events depends on when they were added; that of numbers does not.
    std::sort(edges.begin() + static_cast<ptrdiff_t>(before), edges.end());
  }
  Graph graph(boost::edges_are_sorted, edges.begin(), edges.end(), numbering.size());
  return LineageClosure(std::move(numbering), std::move(graph));
}

LineageComponents ComponentsOf(const LineageClosure::Graph& graph) {
  LineageComponents components;
  components.of.resize(num_vertices(graph));
  // Boost 1.74 goes through the graph with a stack of its own here: long chains do no harm.
  const uint32_t count = boost::strong_components(
      graph,
      boost::make_iterator_property_map(components.of.begin(), get(boost::vertex_index, graph)));
  components.sizes.resize(count, 0);
  for (uint32_t component : components.of) ++components.sizes[component];
  return components;
}

}  // namespace pedigree
