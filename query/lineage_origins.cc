#include "query/lineage_origins.h"

#include <algorithm>
#include <boost/graph/graph_traits.hpp>
#include <limits>
#include <utility>

#include "query/lineage_closure.h"

namespace pedigree {
namespace {

using Graph = LineageClosure::Graph;
constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

template <class Visit>
void VisitUpstream(const Graph& graph, uint32_t vertex, Visit visit) {
  const auto [begin, end] = adjacent_vertices(vertex, graph);
  for (auto it = begin; it != end; ++it) visit(static_cast<uint32_t>(*it));
}

// By vertex: whether it is an artifact without an artifact above it, but for those of its cycle.
std::vector<bool> SourcesOf(const LineageClosure& closure, const LineageComponents& components) {
  const auto is_artifact = [&](uint32_t vertex) {
    return !closure.numbering().node(vertex).is_execution();
  };
  // Edges lead upstream, so they lead to components of lower numbers: those are decided before.
  std::vector<uint32_t> by_component(closure.size());
  std::vector<uint32_t> next(components.sizes.size(), 0);
  for (size_t c = 1; c < next.size(); ++c) next[c] = next[c - 1] + components.sizes[c - 1];
  for (uint32_t v = 0; v < closure.size(); ++v) by_component[next[components.of[v]]++] = v;

  std::vector<bool> has_artifact_above(components.sizes.size(), false);
  std::vector<bool> has_artifact(components.sizes.size(), false);
  for (uint32_t vertex : by_component) {
    const uint32_t own = components.of[vertex];
    if (is_artifact(vertex)) has_artifact[own] = true;
    VisitUpstream(closure.graph(), vertex, [&](uint32_t to) {
      const uint32_t above = components.of[to];
      if (above != own && (has_artifact[above] || has_artifact_above[above])) {
        has_artifact_above[own] = true;
      }
    });
  }
  std::vector<bool> is_source(closure.size());
  for (uint32_t v = 0; v < closure.size(); ++v) {
    is_source[v] = is_artifact(v) && !has_artifact_above[components.of[v]];
  }
  return is_source;
}

// The vertices that every way from a source down to a start passes, the nearest to the starts
// first; found the other way round, along the edges from the starts up to the sources.
//
// Take one way p1, p2 ... pk, the shortest. A vertex that is on every way is on this one. Let what
// can be reached be grown from p1 to pk in turn, without passing any p that has not had its turn:
// pi is on every way if nothing that was grown before its turn leads beyond it. Linear, and without
// recursion.
// Rejected: Boost 1.74's lengauer_tarjan_dominator_tree. It finds the dominators of all vertices,
// where one is asked for; its path compression recurses as deep as the arms of a diamond are long
// (300,000 nodes each overflowed a stack of 8 MB); and it takes vertices that it cannot reach, of
// which executions above a source are some, for the root.
class Bottlenecks {
 public:
  Bottlenecks(const Graph& graph, const std::vector<uint32_t>& starts,
              const std::vector<bool>& is_source)
      : graph_(graph), starts_(starts), is_source_(is_source) {}

  std::vector<uint32_t> Find() {
    std::vector<uint32_t> found;
    const std::vector<uint32_t> way = ShortestWay();
    if (way.empty()) return found;
    end_ = way.size();
    place_.assign(num_vertices(graph_), kNone);
    for (size_t i = 0; i < way.size(); ++i) place_[way[i]] = static_cast<uint32_t>(i);
    seen_.assign(num_vertices(graph_), false);
    for (uint32_t start : starts_) Reach(start);
    Grow();
    for (size_t i = 0; i < way.size(); ++i) {
      if (farthest_ == i) found.push_back(way[i]);
      VisitFrom(way[i]);
      Grow();
    }
    return found;
  }

 private:
  // From a start to a source; empty if there is none.
  std::vector<uint32_t> ShortestWay() const {
    std::vector<uint32_t> from(num_vertices(graph_), kNone);  // A start: itself.
    std::vector<uint32_t> queue;
    const auto add = [&](uint32_t vertex, uint32_t before) {
      if (from[vertex] != kNone) return;
      from[vertex] = before;
      queue.push_back(vertex);
    };
    for (uint32_t start : starts_) add(start, start);
    for (size_t i = 0; i < queue.size(); ++i) {
      if (is_source_[queue[i]]) return WayTo(queue[i], from);
      VisitUpstream(graph_, queue[i], [&](uint32_t to) { add(to, queue[i]); });
    }
    return {};
  }
  static std::vector<uint32_t> WayTo(uint32_t vertex, const std::vector<uint32_t>& from) {
    std::vector<uint32_t> way = {vertex};
    while (from[vertex] != vertex) {
      vertex = from[vertex];
      way.push_back(vertex);
    }
    std::reverse(way.begin(), way.end());
    return way;
  }

  void Reach(uint32_t vertex) {
    if (place_[vertex] != kNone) {
      farthest_ = std::max(farthest_, size_t{place_[vertex]});
    } else if (!seen_[vertex]) {
      seen_[vertex] = true;
      growing_.push_back(vertex);
    }
  }
  void VisitFrom(uint32_t vertex) {
    if (is_source_[vertex]) farthest_ = end_;  // Here a way ends.
    VisitUpstream(graph_, vertex, [&](uint32_t to) { Reach(to); });
  }
  void Grow() {
    while (!growing_.empty()) {
      const uint32_t vertex = growing_.back();
      growing_.pop_back();
      VisitFrom(vertex);
    }
  }

  const Graph& graph_;
  const std::vector<uint32_t>& starts_;
  const std::vector<bool>& is_source_;
  std::vector<uint32_t> place_;  // By vertex: where it is on the way.
  std::vector<bool> seen_;
  std::vector<uint32_t> growing_;
  size_t farthest_ = 0;  // Of the places that have been reached; end_: a way's end.
  size_t end_ = 0;
};

std::vector<int64_t> HopsOf(const LineageWalk& walk, const LineageNumbering& numbering) {
  std::vector<int64_t> hops(numbering.size(), 0);
  size_t i = 0;
  for (size_t hop = 0; hop < walk.hop_ends().size(); ++hop) {
    for (; i < walk.hop_ends()[hop]; ++i) {
      hops[numbering.NumberOf(walk.nodes()[i])] = static_cast<int64_t>(hop);
    }
  }
  return hops;
}

}  // namespace

absl::StatusOr<LineageOrigins> FindOrigins(const Reader& reader, const LineageWalk& walk,
                                           const LineageWalkOptions& options) {
  auto closure = LineageClosure::Of(reader, walk, options);
  if (!closure.ok()) return closure.status();
  const LineageNumbering& numbering = closure->numbering();
  const LineageComponents components = ComponentsOf(closure->graph());
  // Four passes more, each over nodes and edges in memory.
  const auto steps = static_cast<int64_t>(closure->size() + num_edges(closure->graph()));
  if (absl::Status status = reader.Spend(steps / 2); !status.ok()) return status;

  const std::vector<bool> is_source = SourcesOf(*closure, components);
  const std::vector<int64_t> hops = HopsOf(walk, numbering);
  const auto node_of = [&](uint32_t v) {
    const LineageNode node = numbering.node(v);
    return LineageOrigins::Node{node, hops[v], components.InCycle(v), !walk.IsExpanded(node)};
  };
  LineageOrigins origins;
  origins.has_cycle = components.has_cycle();
  std::vector<uint32_t> starts;
  for (uint32_t v = 0; v < closure->size(); ++v) {
    if (is_source[v]) origins.sources.push_back(node_of(v));
    if (hops[v] == 0) {
      starts.push_back(v);
    } else if (numbering.node(v).is_execution()) {
      ++origins.executions;
    } else {
      ++origins.artifacts;
    }
  }
  for (uint32_t v : Bottlenecks(closure->graph(), starts, is_source).Find()) {
    if (hops[v] != 0) origins.dominators.push_back(node_of(v));
  }
  return origins;
}

}  // namespace pedigree
