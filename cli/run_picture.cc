#include "cli/run_picture.h"

#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/node_calls.h"
#include "cli/node_text.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;

absl::StatusOr<std::string> PipelineOf(Connection* connection, const Context& run) {
  const auto parents = ContextsOf(connection, NodeKind::kContext, run.id());
  if (!parents.ok()) return parents.status();
  for (const Context& parent : *parents) {
    if (parent.type() == kPipelineType) return parent.name();
  }
  return "";
}

absl::StatusOr<std::vector<Execution>> ExecutionsIn(Connection* connection, const Context& run) {
  ml_metadata::GetExecutionsByContextRequest request;
  request.set_context_id(run.id());
  ml_metadata::GetExecutionsByContextResponse answer;
  const absl::Status status = connection->Call(
      "/ml_metadata.MetadataStoreService/GetExecutionsByContext", request, &answer);
  if (!status.ok()) return status;
  return std::vector<Execution>(answer.executions().begin(), answer.executions().end());
}

absl::StatusOr<std::map<int64_t, Artifact>> ArtifactsOf(Connection* connection,
                                                        const std::vector<Event>& events) {
  std::set<int64_t> ids;
  for (const Event& event : events) ids.insert(event.artifact_id());
  auto nodes = NodesById<Artifact>(connection, std::vector<int64_t>(ids.begin(), ids.end()));
  if (!nodes.ok()) return nodes.status();
  std::map<int64_t, Artifact> artifacts;
  for (Artifact& artifact : *nodes) artifacts[artifact.id()] = std::move(artifact);
  return artifacts;
}

// "execution 3 of run-1"; without the run if the execution is in none.
absl::StatusOr<std::string> WhereFrom(Connection* connection, int64_t execution_id) {
  const auto contexts = ContextsOf(connection, NodeKind::kExecution, execution_id);
  if (!contexts.ok()) return contexts.status();
  for (const Context& context : *contexts) {
    if (context.type() == kRunType) {
      return absl::StrCat("execution ", execution_id, " of ", context.name());
    }
  }
  return absl::StrCat("execution ", execution_id);
}

absl::Status ReadCacheOrigins(Connection* connection, RunPicture* picture) {
  for (const Execution& execution : picture->executions) {
    int64_t id = 0;
    if (!absl::SimpleAtoi(CustomProperty(execution, "cached_execution_id"), &id)) continue;
    absl::StatusOr<std::string> where = WhereFrom(connection, id);
    if (!where.ok()) return where.status();
    picture->cached_from[execution.id()] = *std::move(where);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RunPicture> ReadRun(Connection* connection, const Context& run) {
  RunPicture picture;
  picture.run = run;
  auto pipeline = PipelineOf(connection, run);
  if (!pipeline.ok()) return pipeline.status();
  picture.pipeline = *std::move(pipeline);
  auto executions = ExecutionsIn(connection, run);
  if (!executions.ok()) return executions.status();
  picture.executions = *std::move(executions);
  std::vector<int64_t> ids;
  for (const Execution& execution : picture.executions) ids.push_back(execution.id());
  auto events = EventsOf(connection, NodeKind::kExecution, ids);
  if (!events.ok()) return events.status();
  picture.events = *std::move(events);
  auto artifacts = ArtifactsOf(connection, picture.events);
  if (!artifacts.ok()) return artifacts.status();
  picture.artifacts = *std::move(artifacts);
  absl::Status status = ReadCacheOrigins(connection, &picture);
  if (!status.ok()) return status;
  return picture;
}

}  // namespace pedigree::cli
