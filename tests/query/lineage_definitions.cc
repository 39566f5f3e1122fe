#include "tests/query/lineage_definitions.h"

#include <algorithm>
#include <optional>

#include "store/event_graph.h"
#include "tests/query/compare_walk.h"

namespace pedigree {
namespace {

using Edge = std::pair<OracleRef, OracleRef>;

// The way that data goes.
Edge Downstream(const OracleEvent& event) {
  const OracleRef artifact = {NodeKind::kArtifact, event.artifact};
  const OracleRef execution = {NodeKind::kExecution, event.execution};
  return EventEnds::IsOutput(static_cast<uint8_t>(event.type)) ? Edge(execution, artifact)
                                                               : Edge(artifact, execution);
}

// In the order of answers.
void SortById(std::vector<OracleRef>* nodes) {
  std::sort(nodes->begin(), nodes->end(),
            [](const OracleRef& a, const OracleRef& b) { return NodeOf(a) < NodeOf(b); });
}

class TraceOrder {
 public:
  explicit TraceOrder(const WalkedGraph& graph) : graph_(graph) {
    for (const auto& [node, hops] : graph.walk().hops) all_.push_back(node);
    SortById(&all_);
  }

  std::vector<OracleRef> Make() {
    while (order_.size() < all_.size()) {
      const OracleRef next =
          *std::find_if(all_.begin(), all_.end(), [this](OracleRef node) { return IsFree(node); });
      for (const OracleRef& node : all_) {
        if (IsOneCycle(node, next)) Place(node);
      }
    }
    return order_;
  }

 private:
  bool IsOneCycle(OracleRef a, OracleRef b) const {
    return a == b || (graph_.LeadsTo(a, b) && graph_.LeadsTo(b, a));
  }
  // Has no place yet, and nothing leads to it but what has one, and its own cycle.
  bool IsFree(OracleRef node) const {
    if (has_place_.count(node) > 0) return false;
    return std::none_of(all_.begin(), all_.end(), [&](OracleRef before) {
      return has_place_.count(before) == 0 && graph_.LeadsTo(before, node) &&
             !IsOneCycle(before, node);
    });
  }
  void Place(OracleRef node) {
    order_.push_back(node);
    has_place_.insert(node);
  }

  const WalkedGraph& graph_;
  std::vector<OracleRef> all_;
  std::vector<OracleRef> order_;
  std::set<OracleRef> has_place_;
};

// Follows every way there is.
class PathSearch {
 public:
  PathSearch(const OracleLineage& lineage, const OracleQuestion& question, OracleRef to)
      : lineage_(lineage), question_(question), to_(to), path_{*question.starts.begin()} {
    Follow();
  }

  std::vector<ExpectedPath> Sorted() const { return {paths_.begin(), paths_.end()}; }

 private:
  void Follow() {
    if (path_.back() == to_) {
      ExpectedPath path;
      for (const OracleRef& node : path_) path.nodes.push_back(NodeOf(node));
      path.events = events_;
      paths_.insert(std::move(path));  // Of parallel events the first comes first.
      return;
    }
    if (question_.stops.count(path_.back()) > 0) return;
    if (question_.max_hops.has_value() &&
        static_cast<int64_t>(events_.size()) >= *question_.max_hops) {
      return;
    }
    for (size_t i = 0; i < lineage_.events.size(); ++i) {
      const auto next = NextOver(lineage_.events[i]);
      if (!next.has_value()) continue;
      path_.push_back(*next);
      events_.push_back(static_cast<uint32_t>(i + 1));
      Follow();
      path_.pop_back();
      events_.pop_back();
    }
  }

  // Where the event leads from the end of the path, if it may be gone.
  std::optional<OracleRef> NextOver(const OracleEvent& event) const {
    const auto [from, next] = Downstream(event);
    if (from != path_.back() || std::count(path_.begin(), path_.end(), next) > 0 ||
        question_.left_out.count(next) > 0 || !ExistsByDefinition(lineage_, question_, event)) {
      return std::nullopt;
    }
    return next;
  }

  const OracleLineage& lineage_;
  const OracleQuestion& question_;
  const OracleRef to_;
  std::vector<OracleRef> path_;
  std::vector<uint32_t> events_;
  std::set<ExpectedPath> paths_;
};

class OriginSearch {
 public:
  OriginSearch(const OracleLineage& lineage, const OracleQuestion& question)
      : graph_(lineage, question) {
    for (const auto& [node, hops] : graph_.walk().hops) {
      all_.push_back(node);
      if (IsSource(node)) sources_.push_back(node);
    }
    SortById(&sources_);
  }

  ExpectedOrigins Find() const {
    ExpectedOrigins origins;
    for (const OracleRef& node : sources_) origins.sources.push_back(graph_.Told(node));
    for (const OracleRef& node : all_) {
      if (IsStart(node)) continue;
      ++(node.first == NodeKind::kArtifact ? origins.artifacts : origins.executions);
      if (HasWay(std::nullopt) && !HasWay(node)) origins.dominators.push_back(graph_.Told(node));
    }
    // A node that all ways pass is on a shortest one, where every hop is one farther.
    std::sort(origins.dominators.begin(), origins.dominators.end(),
              [](const LineageTraceNode& a, const LineageTraceNode& b) { return a.hops < b.hops; });
    origins.has_cycle = graph_.HasCycle();
    origins.is_cut_by_hops = graph_.walk().is_cut_by_hops;
    return origins;
  }

 private:
  bool IsStart(OracleRef node) const { return graph_.walk().hops.at(node) == 0; }
  // Edges lead upstream.
  bool IsSource(OracleRef node) const {
    return node.first == NodeKind::kArtifact &&
           std::none_of(graph_.walk().hops.begin(), graph_.walk().hops.end(), [&](const auto& it) {
             const OracleRef above = it.first;
             return above.first == NodeKind::kArtifact && above != node &&
                    graph_.LeadsTo(node, above) && !graph_.LeadsTo(above, node);
           });
  }
  // Whether a start is connected with a source that are not this node, nor is any in between.
  bool HasWay(std::optional<OracleRef> without) const {
    std::set<OracleRef> reached;
    for (const OracleRef& node : all_) {
      if (IsStart(node) && node != without) reached.insert(node);
    }
    for (size_t before = 0; before != reached.size();) {
      before = reached.size();
      for (const auto& [number, edge] : graph_.edges()) {
        if (reached.count(edge.first) > 0 && edge.second != without) reached.insert(edge.second);
      }
    }
    return std::any_of(sources_.begin(), sources_.end(),
                       [&](const OracleRef& source) { return reached.count(source) > 0; });
  }

  const WalkedGraph graph_;
  std::vector<OracleRef> all_;
  std::vector<OracleRef> sources_;
};

}  // namespace

WalkedGraph::WalkedGraph(const OracleLineage& lineage, const OracleQuestion& question)
    : walk_(WalkByDefinition(lineage, question)) {
  for (const size_t index : walk_.traversed) {
    const Edge edge = Downstream(lineage.events[index]);
    edges_[static_cast<uint32_t>(index + 1)] =
        question.is_downstream ? edge : Edge(edge.second, edge.first);
  }
  for (const auto& [number, edge] : edges_) leads_to_.insert(edge);
  CloseTransitively(&leads_to_);
}

void CloseTransitively(std::set<Edge>* edges) {
  std::map<OracleRef, std::set<OracleRef>> to;
  std::map<OracleRef, std::set<OracleRef>> from;
  for (const auto& [tail, head] : *edges) {
    to[head].insert(tail);
    from[tail].insert(head);
  }
  // Warshall's: ways over the first nodes, then over one more.
  for (const auto& [via, unused] : std::map<OracleRef, std::set<OracleRef>>(to)) {
    const std::set<OracleRef> tails = to[via];
    const std::set<OracleRef> heads = from[via];
    for (const OracleRef& tail : tails) {
      for (const OracleRef& head : heads) {
        if (!edges->insert({tail, head}).second) continue;
        to[head].insert(tail);
        from[tail].insert(head);
      }
    }
  }
}

bool WalkedGraph::HasCycle() const {
  return std::any_of(walk_.hops.begin(), walk_.hops.end(),
                     [this](const auto& node) { return InCycle(node.first); });
}

LineageTraceNode WalkedGraph::Told(OracleRef node) const {
  return {NodeOf(node), static_cast<uint32_t>(walk_.hops.at(node)), InCycle(node),
          walk_.expanded.count(node) == 0};
}

ExpectedTrace TraceByDefinition(const OracleLineage& lineage, const OracleQuestion& question) {
  const WalkedGraph graph(lineage, question);
  ExpectedTrace trace;
  std::map<OracleRef, size_t> places;
  for (const OracleRef& node : TraceOrder(graph).Make()) {
    places[node] = trace.nodes.size();
    trace.nodes.push_back(graph.Told(node));
  }
  trace.events.resize(trace.nodes.size());
  for (const auto& [number, edge] : graph.edges()) {
    trace.events[std::max(places[edge.first], places[edge.second])].push_back(number);
  }
  trace.is_cut_by_hops = graph.walk().is_cut_by_hops;
  return trace;
}

std::vector<ExpectedPath> PathsByDefinition(const OracleLineage& lineage,
                                            const OracleQuestion& question, OracleRef to) {
  return PathSearch(lineage, question, to).Sorted();
}

ExpectedOrigins OriginsByDefinition(const OracleLineage& lineage, const OracleQuestion& question) {
  return OriginSearch(lineage, question).Find();
}

}  // namespace pedigree
