#include "tests/query/lineage_answer_oracle.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace pedigree {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using ml_metadata::LineageGraph;
using ml_metadata::LineageGraphQueryOptions;
using ml_metadata::LineageSubgraphQueryOptions;
using ml_metadata::ListOperationOptions;
using Refs = std::set<OracleRef>;

enum class Satisfying : uint8_t { kYes, kNo };

// Nodes of a kind that satisfy a filter, or that do not.
absl::StatusOr<Refs> Filtered(const OracleModel& model, NodeKind kind, const std::string& filter,
                              Satisfying satisfying) {
  // "" is no filter.
  const auto oracle = FilterOracle::Parse(filter.empty() ? "id > 0" : filter);
  if (!oracle.has_value()) return absl::UnimplementedError(absl::StrCat("cannot read ", filter));
  Refs refs;
  for (const auto& [id, node] : model.Of(kind)) {
    const FilterOracle::Answer answer = oracle->Matches(model, kind, id);
    if (answer == FilterOracle::Answer::kTooMuch) return absl::UnimplementedError("too much");
    const bool matches = answer == FilterOracle::Answer::kYes;
    if (matches == (satisfying == Satisfying::kYes)) refs.insert({kind, id});
  }
  return refs;
}

// Adds one kind's ending nodes.
absl::Status AddEnding(const OracleModel& model, NodeKind kind,
                       const LineageSubgraphQueryOptions::EndingNodes& ending,
                       OracleQuestion* question) {
  if (ending.filter_query().empty()) return absl::OkStatus();
  const auto nodes = Filtered(model, kind, ending.filter_query(), Satisfying::kYes);
  if (!nodes.ok()) return nodes.status();
  Refs& into = ending.include_ending_nodes() ? question->stops : question->left_out;
  into.insert(nodes->begin(), nodes->end());
  return absl::OkStatus();
}

absl::StatusOr<OracleQuestion> QuestionOf(const OracleModel& model,
                                          const LineageSubgraphQueryOptions& options) {
  using Options = LineageSubgraphQueryOptions;
  OracleQuestion question;
  if (options.starting_nodes_case() == Options::STARTING_NODES_NOT_SET) {
    return absl::InvalidArgumentError("no starting nodes");
  }
  const bool is_artifacts = options.has_starting_artifacts();
  const std::string& filter = is_artifacts ? options.starting_artifacts().filter_query()
                                           : options.starting_executions().filter_query();
  if (filter.empty()) return absl::InvalidArgumentError("no starting filter");
  if (options.max_num_hops() < 0) return absl::InvalidArgumentError("hops below 0");
  const NodeKind kind = is_artifacts ? NodeKind::kArtifact : NodeKind::kExecution;
  const auto starts = Filtered(model, kind, filter, Satisfying::kYes);
  if (!starts.ok()) return starts.status();
  question.starts = *starts;
  if (question.starts.empty()) return absl::NotFoundError("no such nodes");

  question.is_upstream = options.direction() != Options::DOWNSTREAM;
  question.is_downstream = options.direction() != Options::UPSTREAM;
  if (options.has_max_num_hops()) question.max_hops = options.max_num_hops();
  absl::Status status =
      AddEnding(model, NodeKind::kArtifact, options.ending_artifacts(), &question);
  if (status.ok()) {
    status = AddEnding(model, NodeKind::kExecution, options.ending_executions(), &question);
  }
  if (!status.ok()) return status;
  return question;
}

// Leaves out the fields that a mask does not name.
void Mask(const google::protobuf::FieldMask& mask, LineageGraph* graph) {
  if (mask.paths().empty()) return;
  const auto* descriptor = LineageGraph::descriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    const bool is_wanted = std::count(mask.paths().begin(), mask.paths().end(), field->name()) > 0;
    if (!is_wanted) graph->GetReflection()->ClearField(graph, field);
  }
}

// The links of one node, and their contexts.
void AddContexts(const OracleModel& model, OracleRef node, std::set<int64_t>* contexts,
                 LineageGraph* graph) {
  for (const int64_t context : model.Of(node.first).at(node.second).contexts) {
    contexts->insert(context);
    if (node.first == NodeKind::kArtifact) {
      auto* link = graph->add_attributions();
      link->set_artifact_id(node.second);
      link->set_context_id(context);
    } else {
      auto* link = graph->add_associations();
      link->set_execution_id(node.second);
      link->set_context_id(context);
    }
  }
}

// The types that every store has, as the recordings have them.
void AddPredefinedTypes(LineageGraph* graph) {
  int64_t id = 0;
  const auto add = [&](const char* name, auto* types) {
    auto* type = types->Add();
    type->set_id(++id);
    type->set_name(absl::StrCat("mlmd.", name));
  };
  for (const char* name : {"Dataset", "Model", "Metrics", "Statistics"}) {
    add(name, graph->mutable_artifact_types());
  }
  for (const char* name : {"Train", "Transform", "Process", "Evaluate", "Deploy"}) {
    add(name, graph->mutable_execution_types());
  }
}

void AddTypes(const OracleStore& store, LineageGraph* graph) {
  graph->mutable_artifact_types()->Add(store.artifact_types.begin(), store.artifact_types.end());
  graph->mutable_execution_types()->Add(store.execution_types.begin(), store.execution_types.end());
  graph->mutable_context_types()->Add(store.context_types.begin(), store.context_types.end());
}

// The first page of GetArtifacts.
absl::StatusOr<Refs> FirstPage(const OracleModel& model, const ListOperationOptions& options) {
  using Order = ListOperationOptions::OrderByField;
  const auto matching =
      Filtered(model, NodeKind::kArtifact, options.filter_query(), Satisfying::kYes);
  if (!matching.ok()) return matching.status();
  std::vector<std::pair<int64_t, OracleRef>> places;
  for (const OracleRef& node : *matching) {
    const OracleNode& stored = model.Of(NodeKind::kArtifact).at(node.second);
    const auto order = options.order_by_field().field();
    places.emplace_back(order == Order::CREATE_TIME        ? stored.create_time
                        : order == Order::LAST_UPDATE_TIME ? stored.last_update_time
                                                           : 0,
                        node);
  }
  std::sort(places.begin(), places.end());
  if (!options.order_by_field().is_asc()) std::reverse(places.begin(), places.end());
  Refs page;
  for (const auto& place : places) {
    if (static_cast<int32_t>(page.size()) < options.max_result_size()) page.insert(place.second);
  }
  return page;
}

// Leaves out what fails the boundary of its kind.
absl::Status AddBoundary(const OracleModel& model, NodeKind kind, const std::string& filter,
                         OracleQuestion* question) {
  if (filter.empty()) return absl::OkStatus();
  const auto failing = Filtered(model, kind, filter, Satisfying::kNo);
  if (!failing.ok()) return failing.status();
  for (const OracleRef& node : *failing) {
    if (question->starts.count(node) == 0) question->left_out.insert(node);
  }
  return absl::OkStatus();
}

Refs Nearest(const OracleWalk& walk, int64_t most) {
  std::vector<std::pair<int64_t, OracleRef>> places;
  for (const auto& [node, hops] : walk.hops) places.emplace_back(hops, node);
  std::sort(places.begin(), places.end());
  Refs nearest;
  for (const auto& place : places) {
    if (most <= 0 || static_cast<int64_t>(nearest.size()) < most) nearest.insert(place.second);
  }
  return nearest;
}

// The same bytes for the same content, maps included.
std::string Bytes(const Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream output(&stream);
  output.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&output);
  output.Trim();
  return bytes;
}

// How often each element comes, in one field of both.
using Count = std::map<std::string, std::pair<int, std::string>>;

void CountElements(const LineageGraph& graph, const FieldDescriptor* field, int each,
                   Count* count) {
  const auto* reflection = graph.GetReflection();
  for (int i = 0; i < reflection->FieldSize(graph, field); ++i) {
    const Message& element = reflection->GetRepeatedMessage(graph, field, i);
    auto& [times, text] = (*count)[Bytes(element)];
    times += each;
    text = element.ShortDebugString();
  }
}

}  // namespace

OracleLineage LineageOf(const OracleModel& model) {
  OracleLineage lineage;
  for (const NodeKind kind : {NodeKind::kArtifact, NodeKind::kExecution}) {
    for (const auto& [id, node] : model.Of(kind)) lineage.nodes[{kind, id}] = node.create_time;
  }
  for (const ml_metadata::Event& event : model.events) {
    lineage.events.push_back({event.artifact_id(), event.execution_id(), event.type(),
                              event.milliseconds_since_epoch()});
  }
  return lineage;
}

absl::StatusOr<LineageGraph> SubgraphByDefinition(const OracleStore& store,
                                                  const LineageSubgraphQueryOptions& options,
                                                  const google::protobuf::FieldMask& read_mask) {
  const auto question = QuestionOf(store.model, options);
  if (!question.ok()) return question.status();
  const OracleWalk walk = WalkByDefinition(LineageOf(store.model), *question);
  LineageGraph graph;
  std::set<int64_t> contexts;
  for (const auto& [node, hops] : walk.hops) {
    if (node.first == NodeKind::kArtifact) {
      graph.add_artifacts()->set_id(node.second);
    } else {
      graph.add_executions()->set_id(node.second);
    }
    AddContexts(store.model, node, &contexts, &graph);
  }
  for (const int64_t context : contexts) graph.add_contexts()->set_id(context);
  for (const size_t event : walk.traversed) *graph.add_events() = store.model.events[event];
  AddPredefinedTypes(&graph);
  AddTypes(store, &graph);
  Mask(read_mask, &graph);
  return graph;
}

absl::StatusOr<LineageGraph> GraphByDefinition(const OracleStore& store,
                                               const LineageGraphQueryOptions& options) {
  if (!options.has_artifacts_options()) return absl::InvalidArgumentError("no query nodes");
  const auto& conditions = options.stop_conditions();
  if (conditions.max_num_hops() < 0) return absl::InvalidArgumentError("hops below 0");
  if (options.artifacts_options().max_result_size() <= 0) {
    return absl::InvalidArgumentError("an empty page");
  }
  const auto page = FirstPage(store.model, options.artifacts_options());
  if (!page.ok()) return page.status();
  OracleQuestion question;
  question.starts = *page;
  if (question.starts.empty()) return absl::NotFoundError("no such nodes");
  question.is_upstream = question.is_downstream = true;
  if (conditions.has_max_num_hops()) question.max_hops = conditions.max_num_hops();
  absl::Status status =
      AddBoundary(store.model, NodeKind::kArtifact, conditions.boundary_artifacts(), &question);
  if (status.ok()) {
    status =
        AddBoundary(store.model, NodeKind::kExecution, conditions.boundary_executions(), &question);
  }
  if (!status.ok()) return status;

  const Refs nodes =
      Nearest(WalkByDefinition(LineageOf(store.model), question), options.max_node_size());
  LineageGraph graph;
  for (const OracleRef& node : nodes) {
    if (node.first == NodeKind::kArtifact) {
      *graph.add_artifacts() = store.artifacts.at(node.second);
    } else {
      *graph.add_executions() = store.executions.at(node.second);
    }
  }
  for (const ml_metadata::Event& event : store.model.events) {
    if (nodes.count({NodeKind::kArtifact, event.artifact_id()}) > 0 &&
        nodes.count({NodeKind::kExecution, event.execution_id()}) > 0) {
      *graph.add_events() = event;
    }
  }
  AddTypes(store, &graph);
  return graph;
}

std::string AnswerDifference(const LineageGraph& actual, const LineageGraph& expected) {
  std::string text;
  const auto* descriptor = LineageGraph::descriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    Count count;
    CountElements(actual, descriptor->field(i), 1, &count);
    CountElements(expected, descriptor->field(i), -1, &count);
    for (const auto& [bytes, element] : count) {
      if (element.first == 0) continue;
      absl::StrAppend(&text, element.first > 0 ? "too many " : "missing ",
                      descriptor->field(i)->name(), ": ", element.second, "\n");
    }
  }
  return text;
}

}  // namespace pedigree
