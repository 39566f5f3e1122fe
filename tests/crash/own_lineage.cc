#include "tests/crash/own_lineage.h"

#include "absl/strings/str_cat.h"

namespace pedigree::crash {
namespace {

using ml_metadata::Event;
using ml_metadata::LineageGraph;
using ml_metadata::LineageSubgraphQueryOptions;

absl::StatusOr<LineageGraph> Ask(testing::RawClient* client,
                                 const LineageSubgraphQueryOptions& options) {
  ml_metadata::GetLineageSubgraphRequest request;
  *request.mutable_lineage_subgraph_query_options() = options;
  ml_metadata::GetLineageSubgraphResponse response;
  const grpc::Status status = client->Call("GetLineageSubgraph", request, &response);
  if (status.ok()) return response.lineage_subgraph();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

LineageSubgraphQueryOptions From(int64_t execution) {
  LineageSubgraphQueryOptions options;
  options.mutable_starting_executions()->set_filter_query(absl::StrCat("id = ", execution));
  return options;
}

}  // namespace

void OwnLineage::Add(const ml_metadata::PutExecutionRequest& request,
                     const ml_metadata::PutExecutionResponse& response) {
  Step& step = steps_[response.execution_id()];
  step.contexts.insert(response.context_ids().begin(), response.context_ids().end());
  for (int i = 0; i < request.artifact_event_pairs_size(); ++i) {
    const Event::Type type = request.artifact_event_pairs(i).event().type();
    step.events.insert({response.artifact_ids(i), response.execution_id(), type});
    if (type == Event::OUTPUT) writers_[response.artifact_ids(i)] = response.execution_id();
  }
}

std::string OwnLineage::Check(testing::RawClient* client, int64_t execution) const {
  LineageSubgraphQueryOptions next_to = From(execution);
  next_to.set_max_num_hops(1);
  const auto near = Ask(client, next_to);
  if (!near.ok()) return near.status().ToString();
  if (GraphOf(*near) != NextTo(execution)) {
    return absl::StrCat("next to execution ", execution, ": ", GraphOf(*near).ToString(),
                        "\n  acknowledged: ", NextTo(execution).ToString());
  }
  if (std::string failure = CheckContexts(*near, execution); !failure.empty()) return failure;

  LineageSubgraphQueryOptions upstream = From(execution);
  upstream.set_direction(LineageSubgraphQueryOptions::UPSTREAM);
  const auto far = Ask(client, upstream);
  if (!far.ok()) return far.status().ToString();
  if (GraphOf(*far) == Upstream(execution)) return "";
  return absl::StrCat("upstream of execution ", execution, ": ", GraphOf(*far).ToString(),
                      "\n  acknowledged: ", Upstream(execution).ToString());
}

// Of the execution; its artifacts may have got others since.
std::string OwnLineage::CheckContexts(const LineageGraph& answer, int64_t execution) const {
  std::set<int64_t> contexts;
  for (const auto& link : answer.associations()) contexts.insert(link.context_id());
  if (contexts == steps_.at(execution).contexts) return "";
  return absl::StrCat("other associations of execution ", execution, ": ",
                      answer.ShortDebugString());
}

OwnLineage::Graph OwnLineage::GraphOf(const LineageGraph& answer) {
  Graph graph;
  for (const auto& node : answer.artifacts()) graph.artifacts.insert(node.id());
  for (const auto& node : answer.executions()) graph.executions.insert(node.id());
  for (const Event& event : answer.events()) {
    graph.events.insert({event.artifact_id(), event.execution_id(), event.type()});
  }
  return graph;
}

OwnLineage::Graph OwnLineage::NextTo(int64_t execution) const {
  Graph graph;
  graph.executions = {execution};
  graph.events = steps_.at(execution).events;
  for (const auto& [artifact, of, type] : graph.events) graph.artifacts.insert(artifact);
  return graph;
}

OwnLineage::Graph OwnLineage::Upstream(int64_t execution) const {
  Graph graph;
  std::vector<int64_t> next = {execution};
  while (!next.empty()) {
    const int64_t at = next.back();
    next.pop_back();
    if (!graph.executions.insert(at).second) continue;
    for (const auto& [artifact, of, type] : steps_.at(at).events) {
      if (type != Event::INPUT) continue;
      graph.events.insert({artifact, of, type});
      graph.artifacts.insert(artifact);
      const auto writer = writers_.find(artifact);
      if (writer == writers_.end()) continue;  // Put without an execution.
      graph.events.insert({artifact, writer->second, Event::OUTPUT});
      next.push_back(writer->second);
    }
  }
  return graph;
}

std::string OwnLineage::Graph::ToString() const {
  std::string text = "artifacts";
  for (const int64_t id : artifacts) absl::StrAppend(&text, " ", id);
  absl::StrAppend(&text, ", executions");
  for (const int64_t id : executions) absl::StrAppend(&text, " ", id);
  absl::StrAppend(&text, ", events");
  for (const auto& [artifact, execution, type] : events) {
    absl::StrAppend(&text, " a", artifact, "-x", execution, ":", type);
  }
  return text;
}

}  // namespace pedigree::crash
