#include "query/lineage_trace.h"

#include <algorithm>
#include <functional>
#include <queue>

#include "query/lineage_closure.h"

namespace pedigree {
namespace {

using Graph = LineageClosure::Graph;

// Vertices by their components: those of component c are at [begins[c], begins[c + 1]), ascending.
struct Members {
  std::vector<uint32_t> begins;
  std::vector<uint32_t> vertices;

  explicit Members(const LineageComponents& components)
      : begins(components.sizes.size() + 1, 0), vertices(components.of.size()) {
    for (size_t c = 0; c < components.sizes.size(); ++c) {
      begins[c + 1] = begins[c] + components.sizes[c];
    }
    std::vector<uint32_t> next(begins.begin(), begins.end() - 1);
    for (uint32_t v = 0; v < components.of.size(); ++v) vertices[next[components.of[v]]++] = v;
  }

  absl::Span<const uint32_t> Of(uint32_t component) const {
    return absl::MakeConstSpan(vertices).subspan(begins[component],
                                                 begins[component + 1] - begins[component]);
  }
};

// Calls visit(component) for the edges from one vertex that leave its component.
template <class Visit>
void VisitLeaving(const Graph& graph, const LineageComponents& components, uint32_t vertex,
                  Visit visit) {
  const auto [begin, end] = adjacent_vertices(vertex, graph);
  for (auto it = begin; it != end; ++it) {
    const uint32_t component = components.of[*it];
    if (component != components.of[vertex]) visit(component);
  }
}

// All vertices in the order of a trace. Vertices are numbered in id order.
std::vector<uint32_t> OrderOf(const Graph& graph, const LineageComponents& components) {
  const Members members(components);
  const auto vertices = static_cast<uint32_t>(components.of.size());
  std::vector<uint32_t> leading_here(components.sizes.size(), 0);
  for (uint32_t v = 0; v < vertices; ++v) {
    VisitLeaving(graph, components, v, [&](uint32_t component) { ++leading_here[component]; });
  }
  // The first vertices of components that nothing is before any more, the lowest on top.
  std::priority_queue<uint32_t, std::vector<uint32_t>, std::greater<>> free;
  for (uint32_t c = 0; c < leading_here.size(); ++c) {
    if (leading_here[c] == 0) free.push(members.Of(c).front());
  }
  std::vector<uint32_t> order;
  order.reserve(vertices);
  while (!free.empty()) {
    const uint32_t next = components.of[free.top()];
    free.pop();
    for (uint32_t v : members.Of(next)) {
      order.push_back(v);
      VisitLeaving(graph, components, v, [&](uint32_t component) {
        if (--leading_here[component] == 0) free.push(members.Of(component).front());
      });
    }
  }
  return order;
}

// By vertex.
std::vector<uint32_t> HopsOf(const LineageWalk& walk, const LineageNumbering& numbering) {
  std::vector<uint32_t> hops(numbering.size());
  size_t i = 0;
  for (uint32_t hop = 0; hop < walk.hop_ends().size(); ++hop) {
    for (; i < walk.hop_ends()[hop]; ++i) hops[numbering.NumberOf(walk.nodes()[i])] = hop;
  }
  return hops;
}

}  // namespace

absl::StatusOr<LineageTrace> LineageTrace::Of(const Reader& reader, const LineageWalk& walk,
                                              const LineageWalkOptions& options) {
  auto closure = LineageClosure::Of(reader, walk, options);
  if (!closure.ok()) return closure.status();
  const LineageNumbering& numbering = closure->numbering();
  const LineageComponents components = ComponentsOf(closure->graph());
  LineageTrace trace;
  trace.has_cycle_ = components.has_cycle();
  std::vector<uint32_t> places(numbering.size());  // By vertex.
  {
    const std::vector<uint32_t> hops = HopsOf(walk, numbering);
    trace.nodes_.reserve(numbering.size());
    for (uint32_t vertex : OrderOf(closure->graph(), components)) {
      places[vertex] = static_cast<uint32_t>(trace.nodes_.size());
      const LineageNode node = numbering.node(vertex);
      trace.nodes_.push_back(
          {node, hops[vertex], components.InCycle(vertex), !walk.IsExpanded(node)});
    }
  }
  // Sorted by the later of an event's nodes and its number. The closure has spent for this pass.
  std::vector<std::pair<uint32_t, uint32_t>> events;
  events.reserve(num_edges(closure->graph()));
  for (uint32_t vertex = 0; vertex < numbering.size(); ++vertex) {
    VisitTraversed(walk, options, numbering.node(vertex), [&](uint32_t event, LineageNode to) {
      events.emplace_back(std::max(places[vertex], places[numbering.NumberOf(to)]), event);
    });
  }
  std::sort(events.begin(), events.end());
  trace.events_.reserve(events.size());
  trace.ends_.assign(numbering.size() + 1, 0);
  for (const auto& [place, event] : events) {
    trace.events_.push_back(event);
    ++trace.ends_[place + 1];
  }
  for (size_t i = 1; i < trace.ends_.size(); ++i) trace.ends_[i] += trace.ends_[i - 1];
  return trace;
}

uint64_t LineageTrace::DigestOfFirst(size_t places) const {
  // FNV-1a over the nodes, whole words at a time.
  uint64_t digest = 0xcbf29ce484222325;
  for (size_t i = 0; i < places; ++i) {
    digest = (digest ^ nodes_[i].node.bits()) * 0x100000001b3;
    digest ^= digest >> 32;
  }
  return digest;
}

}  // namespace pedigree
