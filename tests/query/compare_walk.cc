#include "tests/query/compare_walk.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace pedigree {
namespace {

using Nodes = std::vector<LineageNode>;

std::string NameOf(LineageNode node) {
  return absl::StrCat(node.is_execution() ? "x" : "a", node.id());
}

// What the walk told its caller, hop by hop, and the verdicts of the question.
class Listener {
 public:
  explicit Listener(const OracleQuestion& question) : question_(question) {}

  absl::Status OnHop(int64_t hop, absl::Span<const LineageNode> nodes,
                     absl::Span<LineageVerdict> verdicts) {
    if (hop != next_hop_++ || nodes.empty() || nodes.size() != verdicts.size()) {
      return absl::InternalError(absl::StrCat("hop ", hop, " of ", nodes.size(), " nodes and ",
                                              verdicts.size(), " verdicts"));
    }
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (verdicts[i] != LineageVerdict::kGoOn) return absl::InternalError("a verdict was there");
      if (!asked_.insert(OracleRefOf(nodes[i])).second) {
        return absl::InternalError(absl::StrCat(NameOf(nodes[i]), " comes twice"));
      }
      if (question_.stops.count(OracleRefOf(nodes[i])) > 0) verdicts[i] = LineageVerdict::kStop;
      if (question_.left_out.count(OracleRefOf(nodes[i])) > 0)
        verdicts[i] = LineageVerdict::kLeaveOut;
    }
    return absl::OkStatus();
  }

 private:
  const OracleQuestion& question_;
  std::set<OracleRef> asked_;
  int64_t next_hop_ = 0;
};

std::string HopsDifference(const LineageWalk& walk, const OracleWalk& expected) {
  std::map<OracleRef, int64_t> hops;
  size_t begin = 0;
  for (size_t hop = 0; hop < walk.hop_ends().size(); ++hop) {
    for (size_t i = begin; i < walk.hop_ends()[hop]; ++i) {
      hops[OracleRefOf(walk.nodes()[i])] = static_cast<int64_t>(hop);
    }
    begin = walk.hop_ends()[hop];
  }
  if (begin != walk.nodes().size() || hops.size() != walk.nodes().size()) {
    return absl::StrCat(walk.nodes().size(), " nodes, ", hops.size(), " different ones, up to ",
                        begin, " in hops");
  }
  if (hops == expected.hops) return "";
  const auto join = [](const std::map<OracleRef, int64_t>& all) {
    return absl::StrJoin(all, " ", [](std::string* out, const auto& node) {
      absl::StrAppend(out, NameOf(NodeOf(node.first)), "@", node.second);
    });
  };
  return absl::StrCat("reached ", join(hops), " instead of ", join(expected.hops));
}

// All nodes that the view can have.
Nodes NodesOf(const LineageView& view) {
  Nodes nodes;
  for (uint32_t id = 1; id <= view.last_artifact(); ++id)
    nodes.push_back(LineageNode::Artifact(id));
  for (uint32_t id = 1; id <= view.last_execution(); ++id) {
    nodes.push_back(LineageNode::Execution(id));
  }
  return nodes;
}

std::string MarksDifference(const LineageWalk& walk, const OracleWalk& expected) {
  for (const LineageNode node : NodesOf(walk.view())) {
    const OracleRef ref = OracleRefOf(node);
    if (walk.IsReached(node) != (expected.hops.count(ref) > 0)) {
      return absl::StrCat("IsReached(", NameOf(node), ") is ", walk.IsReached(node));
    }
    if (walk.IsExpanded(node) != (expected.expanded.count(ref) > 0)) {
      return absl::StrCat("IsExpanded(", NameOf(node), ") is ", walk.IsExpanded(node));
    }
  }
  if (walk.is_cut_by_hops() != expected.is_cut_by_hops) {
    return absl::StrCat("is_cut_by_hops() is ", walk.is_cut_by_hops());
  }
  return "";
}

// Events that lead from expanded nodes to reached ones: what answers are made of.
std::string EventsDifference(const LineageWalk& walk, const LineageWalkOptions& options,
                             const OracleWalk& expected) {
  std::set<size_t> traversed;
  for (const LineageNode node : walk.nodes()) {
    if (!walk.IsExpanded(node)) continue;
    walk.view().VisitNeighbours(node, options.direction, [&](uint32_t event, LineageNode to) {
      const unsigned type = walk.view().ends(event).type;
      if ((options.event_types >> type & 1) != 0 && walk.IsReached(to)) traversed.insert(event - 1);
    });
  }
  if (traversed == expected.traversed) return "";
  return absl::StrCat("traversed events [", absl::StrJoin(traversed, " "), "] instead of [",
                      absl::StrJoin(expected.traversed, " "), "], counted from 0");
}

}  // namespace

LineageNode NodeOf(OracleRef node) {
  return LineageNode::Of(node.first, static_cast<uint32_t>(node.second));
}

OracleRef OracleRefOf(LineageNode node) { return {node.kind(), node.id()}; }

LineageWalkOptions OptionsOf(const OracleQuestion& question) {
  LineageWalkOptions options;
  options.direction = !question.is_upstream    ? LineageDirection::kDownstream
                      : question.is_downstream ? LineageDirection::kBoth
                                               : LineageDirection::kUpstream;
  if (question.max_hops.has_value()) options.max_hops = *question.max_hops;
  if (question.event_types.has_value()) {
    options.event_types = 0;
    for (const int type : *question.event_types) options.event_types |= 1u << type;
  }
  return options;
}

void FillGraph(const OracleLineage& lineage, EventGraph* graph) {
  AppendToGraph(lineage, 0, graph);
}

void AppendToGraph(const OracleLineage& lineage, size_t begin, EventGraph* graph) {
  for (size_t i = begin; i < lineage.events.size(); ++i) {
    const OracleEvent& event = lineage.events[i];
    const EventEnds ends = {static_cast<uint32_t>(event.artifact),
                            static_cast<uint32_t>(event.execution),
                            static_cast<uint8_t>(event.type)};
    graph->Append(static_cast<uint32_t>(i + 1), ends, event.time_ms);
  }
}

std::string WalkDifference(const Reader& reader, const LineageView& view,
                           const OracleQuestion& question, const OracleWalk& expected) {
  Nodes starts;
  for (const OracleRef& start : question.starts) starts.push_back(NodeOf(start));
  Listener listener(question);
  LineageWalk walk(reader, view);
  const LineageWalkOptions options = OptionsOf(question);
  const bool has_verdicts = !question.stops.empty() || !question.left_out.empty();
  const absl::Status status = has_verdicts
                                  ? walk.Run(starts, options,
                                             [&](int64_t hop, absl::Span<const LineageNode> nodes,
                                                 absl::Span<LineageVerdict> verdicts) {
                                               return listener.OnHop(hop, nodes, verdicts);
                                             })
                                  : walk.Run(starts, options);
  if (!status.ok()) return status.ToString();
  std::string difference = HopsDifference(walk, expected);
  if (difference.empty()) difference = MarksDifference(walk, expected);
  if (difference.empty()) difference = EventsDifference(walk, options, expected);
  return difference;
}

std::string WalkDifference(const Reader& reader, const LineageView& view,
                           const OracleLineage& lineage, const OracleQuestion& question) {
  const std::string difference =
      WalkDifference(reader, view, question, WalkByDefinition(lineage, question));
  if (difference.empty()) return "";
  return absl::StrCat(difference, "\n", lineage.ToString(), "\n", question.ToString());
}

}  // namespace pedigree
