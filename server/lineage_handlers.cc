// GetLineageSubgraph and GetLineageGraph.
#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "query/lineage_scope.h"
#include "query/lineage_start.h"
#include "query/lineage_view.h"
#include "query/lineage_walk.h"
#include "query/list.h"
#include "server/handlers.h"
#include "store/wire.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Association;
using ml_metadata::Attribution;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;
using ml_metadata::LineageGraph;
using ml_metadata::LineageSubgraphQueryOptions;

absl::Status CheckMaxHops(bool has, int64_t max_hops) {
  if (!has || max_hops >= 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("max_num_hops is ", max_hops, ", below 0"));
}

// Which fields of LineageGraph a call wants.
class GraphFields {
 public:
  // An unset or empty mask wants all; paths that name no field are ignored.
  explicit GraphFields(const google::protobuf::FieldMask& mask) {
    if (mask.paths().empty()) wanted_ = ~0u;
    for (const std::string& path : mask.paths()) {
      const auto* field = LineageGraph::descriptor()->FindFieldByName(path);
      if (field != nullptr) wanted_ |= 1u << field->number();
    }
  }
  bool Want(int number) const { return (wanted_ >> number & 1) != 0; }

 private:
  unsigned wanted_ = 0;  // Bit n is for field n.
};

enum class Predefined : uint8_t { kWith, kWithout };

// Appends the store's types of a kind.
template <class Node>
void AddTypes(const Catalog& catalog, int number, Predefined predefined, Answer* answer) {
  for (const auto& [id, type] : catalog.Of<Node>().all()) {
    if (predefined == Predefined::kWithout && IsPredefined<Node>(*type)) continue;
    answer->AddMessage(number, *type);
  }
}

// A message whose fields 1, 2, ... are ids; on the stack, since answers have tens of thousands.
template <class... Ids>
void AddIds(int number, Answer* answer, Ids... ids) {
  char bytes[2 * kMaxVarintBytes * sizeof...(Ids)];
  char* end = bytes;
  int field = 0;
  const auto write = [&](int64_t id) {
    end = WriteVarint(end, TagOf(++field, WireType::kVarint));
    end = WriteVarint(end, static_cast<uint64_t>(id));
  };
  (write(ids), ...);
  answer->AddShort(number, bytes, static_cast<size_t>(end - bytes));
}

// What an event's wire bytes say that decides whether it is in an answer.
struct EventPeek {
  LineageNode artifact;
  uint8_t type = 0;
};

EventPeek PeekEvent(absl::string_view event) {
  static_assert(Event::kArtifactIdFieldNumber < Event::kTypeFieldNumber,
                "stored messages have their fields in the order of their numbers");
  EventPeek peek;
  ByteReader reader(event);
  uint64_t tag = 0;
  uint64_t value = 0;
  absl::string_view path;
  while (reader.ReadVarint(&tag) && reader.ReadVarint(&value)) {
    if (tag == TagOf(Event::kArtifactIdFieldNumber, WireType::kVarint)) {
      peek.artifact = LineageNode::Artifact(static_cast<uint32_t>(value));
    } else if (tag == TagOf(Event::kTypeFieldNumber, WireType::kVarint)) {
      peek.type = static_cast<uint8_t>(value);
      break;
    } else if (tag == TagOf(Event::kPathFieldNumber, WireType::kLength)) {
      if (!reader.ReadBytes(value, &path)) break;
    }
  }
  return peek;
}

// The nodes of a walk, and how it treated events.
class WalkedGraph {
 public:
  WalkedGraph(const LineageWalk& walk, LineageDirection direction)
      : walk_(walk), direction_(direction) {
    for (NodeKind kind : {NodeKind::kArtifact, NodeKind::kExecution}) {
      walk.AppendIds(kind, &ids_[kind == NodeKind::kExecution]);
    }
  }

  // Ascending.
  const std::vector<int64_t>& ids(NodeKind kind) const {
    return ids_[kind == NodeKind::kExecution];
  }

  // Whether the walk came along the event: both of its nodes are reached, and it went on over the
  // event from one of them.
  bool IsTraversed(LineageNode execution, const EventPeek& event) const {
    if (!walk_.IsReached(event.artifact)) return false;
    // Upstream, an output is found at its artifact and an input at its execution; downstream it is
    // the other way round.
    const bool is_output = EventEnds::IsOutput(event.type);
    const auto upstream_end = is_output ? event.artifact : execution;
    const auto downstream_end = is_output ? execution : event.artifact;
    return (Includes(direction_, LineageDirection::kUpstream) && walk_.IsExpanded(upstream_end)) ||
           (Includes(direction_, LineageDirection::kDownstream) &&
            walk_.IsExpanded(downstream_end));
  }

 private:
  const LineageWalk& walk_;
  const LineageDirection direction_;
  std::vector<int64_t> ids_[2];
};

// Writes the LineageGraph of GetLineageSubgraph.
class SubgraphAnswer {
 public:
  SubgraphAnswer(const Reader& reader, const GraphFields& fields, Answer* answer)
      : reader_(reader), fields_(fields), answer_(*answer) {}

  absl::Status Write(const WalkedGraph& graph) {
    const Catalog& catalog = reader_.catalog();
    if (fields_.Want(LineageGraph::kArtifactTypesFieldNumber)) {
      AddTypes<Artifact>(catalog, LineageGraph::kArtifactTypesFieldNumber, Predefined::kWith,
                         &answer_);
    }
    if (fields_.Want(LineageGraph::kExecutionTypesFieldNumber)) {
      AddTypes<Execution>(catalog, LineageGraph::kExecutionTypesFieldNumber, Predefined::kWith,
                          &answer_);
    }
    if (fields_.Want(LineageGraph::kContextTypesFieldNumber)) {
      AddTypes<Context>(catalog, LineageGraph::kContextTypesFieldNumber, Predefined::kWith,
                        &answer_);
    }
    WriteIds(LineageGraph::kArtifactsFieldNumber, graph.ids(NodeKind::kArtifact));
    WriteIds(LineageGraph::kExecutionsFieldNumber, graph.ids(NodeKind::kExecution));
    absl::Status status = WriteEvents(graph);
    if (status.ok()) {
      status = WriteLinks(NodeKind::kArtifact, graph.ids(NodeKind::kArtifact),
                          LineageGraph::kAttributionsFieldNumber);
    }
    if (status.ok()) {
      status = WriteLinks(NodeKind::kExecution, graph.ids(NodeKind::kExecution),
                          LineageGraph::kAssociationsFieldNumber);
    }
    if (!status.ok()) return status;
    std::sort(contexts_.begin(), contexts_.end());
    WriteIds(LineageGraph::kContextsFieldNumber, contexts_);
    return absl::OkStatus();
  }

 private:
  void WriteIds(int number, const std::vector<int64_t>& ids) {
    if (!fields_.Want(number)) return;
    for (int64_t id : ids) AddIds(number, &answer_, id);
  }

  absl::Status WriteEvents(const WalkedGraph& graph) {
    if (!fields_.Want(LineageGraph::kEventsFieldNumber)) return absl::OkStatus();
    return reader_.VisitEventsOfExecutions(
        graph.ids(NodeKind::kExecution), [&](int64_t id, absl::string_view event) {
          const auto execution = LineageNode::Execution(static_cast<uint32_t>(id));
          if (graph.IsTraversed(execution, PeekEvent(event))) {
            answer_.AddBytes(LineageGraph::kEventsFieldNumber, event);
          }
        });
  }

  // Attributions of artifacts or associations of executions, and the contexts that they lead to.
  absl::Status WriteLinks(NodeKind kind, const std::vector<int64_t>& ids, int number) {
    const bool wants_links = fields_.Want(number);
    const bool wants_contexts = fields_.Want(LineageGraph::kContextsFieldNumber);
    if (!wants_links && !wants_contexts) return absl::OkStatus();
    std::vector<int64_t> far;  // Nodes with more contexts than stand in their records.
    const auto take = [&](int64_t id, int64_t context) {
      // In both messages the node is field 1 and the context field 2.
      if (wants_links) AddIds(number, &answer_, id, context);
      if (wants_contexts) AddContext(context);
    };
    absl::Status status = reader_.VisitRecords(
        kind, ids,
        [&](int64_t id, const RecordView& record) {
          if (record.HasFarLinks()) {
            far.push_back(id);
          } else {
            record.VisitNearLinks([&](int64_t context) { take(id, context); });
          }
        },
        RecordPart::kLinks);
    for (int64_t id : far) {
      if (!status.ok()) break;
      auto contexts = reader_.Links(kind, id);
      if (!contexts.ok()) return contexts.status();
      for (int64_t context : *contexts) take(id, context);
    }
    return status;
  }

  // Neighbours have the same few contexts.
  void AddContext(int64_t context) {
    int64_t& recent = recent_contexts_[static_cast<size_t>(context) % recent_contexts_.size()];
    if (std::exchange(recent, context) == context) return;
    if (seen_contexts_.insert(context).second) contexts_.push_back(context);
  }

  const Reader& reader_;
  const GraphFields& fields_;
  Answer& answer_;
  std::array<int64_t, 64> recent_contexts_ = {};
  absl::flat_hash_set<int64_t> seen_contexts_;
  std::vector<int64_t> contexts_;
};

static_assert(Attribution::kArtifactIdFieldNumber == 1 && Attribution::kContextIdFieldNumber == 2);

LineageDirection DirectionOf(const LineageSubgraphQueryOptions& options) {
  switch (options.direction()) {
    case LineageSubgraphQueryOptions::UPSTREAM:
      return LineageDirection::kUpstream;
    case LineageSubgraphQueryOptions::DOWNSTREAM:
      return LineageDirection::kDownstream;
    case LineageSubgraphQueryOptions::DIRECTION_UNSPECIFIED:
    case LineageSubgraphQueryOptions::BIDIRECTIONAL:
      break;
  }
  return LineageDirection::kBoth;
}

absl::StatusOr<LineageStart> StartOf(const LineageSubgraphQueryOptions& options) {
  LineageStart start;
  switch (options.starting_nodes_case()) {
    case LineageSubgraphQueryOptions::kStartingArtifacts:
      start.artifact_filter = options.starting_artifacts().filter_query();
      break;
    case LineageSubgraphQueryOptions::kStartingExecutions:
      start.execution_filter = options.starting_executions().filter_query();
      break;
    case LineageSubgraphQueryOptions::STARTING_NODES_NOT_SET:
      return absl::InvalidArgumentError(
          "neither starting_artifacts nor starting_executions is set");
  }
  if (start.artifact_filter.empty() && start.execution_filter.empty()) {
    return absl::InvalidArgumentError("the filter_query of the starting nodes is empty");
  }
  return start;
}

LineageScope ScopeOf(const LineageSubgraphQueryOptions& options) {
  LineageScope scope;
  if (options.has_max_num_hops()) scope.max_hops = options.max_num_hops();
  scope.stop_artifacts = options.ending_artifacts().filter_query();
  scope.stop_executions = options.ending_executions().filter_query();
  return scope;
}

}  // namespace

absl::Status GetLineageSubgraph(const Reader& reader,
                                const ml_metadata::GetLineageSubgraphRequest& request,
                                Answer* answer) {
  const LineageSubgraphQueryOptions& options = request.lineage_subgraph_query_options();
  absl::Status status = CheckMaxHops(options.has_max_num_hops(), options.max_num_hops());
  if (!status.ok()) return status;
  const auto start = StartOf(options);
  if (!start.ok()) return start.status();
  const LineageDirection direction = DirectionOf(options);
  const LineageScope scope = ScopeOf(options);
  const auto judge = LineageJudge::Make(reader, scope);
  if (!judge.ok()) return judge.status();

  const LineageView view(reader);
  const auto starts = ResolveStart(reader, view, *start);
  if (!starts.ok()) return starts.status();
  reader.LimitQuery();
  LineageWalk walk(reader, view);
  const auto verdict_of_end = [&](LineageNode node) {
    const auto& ends =
        node.is_execution() ? options.ending_executions() : options.ending_artifacts();
    return ends.include_ending_nodes() ? LineageVerdict::kStop : LineageVerdict::kLeaveOut;
  };
  status = walk.Run(
      *starts, OptionsOf(scope, direction),
      [&](int64_t hop, absl::Span<const LineageNode> nodes, absl::Span<LineageVerdict> verdicts) {
        // Each node will be read. What is long goes to a thread that may take its time before, not
        // after, it is half done.
        absl::Status judged = reader.Spend(static_cast<int64_t>(nodes.size()));
        if (judged.ok()) judged = (*judge)(hop, nodes, verdicts);
        if (!judged.ok() || !judge->has_opinions()) return judged;
        for (size_t i = 0; i < nodes.size(); ++i) {
          if (verdicts[i] == LineageVerdict::kStop) {
            verdicts[i] = verdict_of_end(nodes[i]);
          }
        }
        return judged;
      });
  if (!status.ok()) return status;
  const GraphFields fields(request.read_mask());
  status = SubgraphAnswer(reader, fields, answer).Write(WalkedGraph(walk, direction));
  answer->Enclose(ml_metadata::GetLineageSubgraphResponse::kLineageSubgraphFieldNumber);
  return status;
}

namespace {

using ml_metadata::GetLineageGraphRequest;
using ml_metadata::LineageGraphQueryOptions;

constexpr int64_t kNoNodeLimit = kLastId;

// Takes the first nodes of a walk, the nearest first and within a hop by id, and ends it then.
class NodeLimit {
 public:
  NodeLimit(const LineageJudge& judge, int64_t most) : judge_(judge), left_(most) {}

  absl::Status operator()(int64_t hop, absl::Span<const LineageNode> nodes,
                          absl::Span<LineageVerdict> verdicts) {
    if (absl::Status status = judge_(hop, nodes, verdicts); !status.ok()) return status;
    std::vector<size_t> taken;
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (verdicts[i] != LineageVerdict::kLeaveOut) taken.push_back(i);
    }
    const auto count = static_cast<int64_t>(taken.size());
    if (count > left_) {
      std::sort(taken.begin(), taken.end(),
                [&](size_t a, size_t b) { return nodes[a] < nodes[b]; });
      for (size_t i = static_cast<size_t>(left_); i < taken.size(); ++i) {
        verdicts[taken[i]] = LineageVerdict::kLeaveOut;
      }
    }
    left_ -= std::min(left_, count);
    if (left_ > 0) return absl::OkStatus();
    for (LineageVerdict& verdict : verdicts) {
      if (verdict == LineageVerdict::kGoOn) verdict = LineageVerdict::kStop;
    }
    return absl::OkStatus();
  }

 private:
  const LineageJudge& judge_;
  int64_t left_;
};

absl::StatusOr<std::vector<LineageNode>> QueryNodes(const Reader& reader,
                                                    const LineageGraphQueryOptions& options) {
  const ListQuery query = {"GetLineageGraph", NodeKind::kArtifact, ListScope::All(),
                           &options.artifacts_options()};
  std::vector<LineageNode> nodes;
  auto token = ListNodes(reader, query, [&](int64_t id, const RecordView&) {
    if (id <= kLastGraphId) nodes.push_back(LineageNode::Artifact(static_cast<uint32_t>(id)));
  });
  if (!token.ok()) return token.status();
  if (nodes.empty()) {
    return absl::NotFoundError("no artifact satisfies artifacts_options: there is no query node");
  }
  return nodes;
}

// Whole nodes, the events among them, and the types that users have made.
absl::Status WriteWholeGraph(const Reader& reader, const LineageWalk& walk, Answer* graph) {
  const Catalog& catalog = reader.catalog();
  AddTypes<Artifact>(catalog, LineageGraph::kArtifactTypesFieldNumber, Predefined::kWithout, graph);
  AddTypes<Execution>(catalog, LineageGraph::kExecutionTypesFieldNumber, Predefined::kWithout,
                      graph);
  AddTypes<Context>(catalog, LineageGraph::kContextTypesFieldNumber, Predefined::kWithout, graph);
  const WalkedGraph nodes(walk, LineageDirection::kBoth);
  const auto add_nodes = [&](NodeKind kind, int number) {
    return reader.VisitRecords(kind, nodes.ids(kind), [&](int64_t, const RecordView& record) {
      graph->AddNode(number, kind, record);
    });
  };
  absl::Status status = add_nodes(NodeKind::kArtifact, LineageGraph::kArtifactsFieldNumber);
  if (status.ok()) {
    status = add_nodes(NodeKind::kExecution, LineageGraph::kExecutionsFieldNumber);
  }
  if (!status.ok()) return status;
  return reader.VisitEventsOfExecutions(
      nodes.ids(NodeKind::kExecution), [&](int64_t, absl::string_view event) {
        if (walk.IsReached(PeekEvent(event).artifact)) {
          graph->AddBytes(LineageGraph::kEventsFieldNumber, event);
        }
      });
}

}  // namespace

absl::Status GetLineageGraph(const Reader& reader, const GetLineageGraphRequest& request,
                             Answer* answer) {
  const LineageGraphQueryOptions& options = request.options();
  const auto& stops = options.stop_conditions();
  if (!options.has_artifacts_options()) {
    return absl::InvalidArgumentError("options.artifacts_options is not set");
  }
  absl::Status status = CheckMaxHops(stops.has_max_num_hops(), stops.max_num_hops());
  if (!status.ok()) return status;
  LineageScope scope;
  if (stops.has_max_num_hops()) scope.max_hops = stops.max_num_hops();
  scope.artifact_filter = stops.boundary_artifacts();
  scope.execution_filter = stops.boundary_executions();
  const auto judge = LineageJudge::Make(reader, scope);
  if (!judge.ok()) return judge.status();
  const auto starts = QueryNodes(reader, options);
  if (!starts.ok()) return starts.status();

  reader.LimitQuery();
  LineageWalk walk(reader, LineageView(reader));
  NodeLimit limit(*judge, options.max_node_size() > 0 ? options.max_node_size() : kNoNodeLimit);
  status =
      walk.Run(*starts, OptionsOf(scope, LineageDirection::kBoth),
               [&](int64_t hop, absl::Span<const LineageNode> nodes,
                   absl::Span<LineageVerdict> verdicts) { return limit(hop, nodes, verdicts); });
  if (!status.ok()) return status;
  status = WriteWholeGraph(reader, walk, answer);
  answer->Enclose(ml_metadata::GetLineageGraphResponse::kSubgraphFieldNumber);
  return status;
}

}  // namespace pedigree
