#include "tests/conformance/demo_store.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/conformance/transcript.h"

namespace pedigree::conformance {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;
using testing::RawClient;

constexpr char kRunType[] = "system.PipelineRun";
constexpr char kPipelineType[] = "system.Pipeline";

template <typename Response, typename Request>
absl::StatusOr<Response> Ask(RawClient& client, absl::string_view rpc, const Request& request) {
  Response response;
  const grpc::Status status = client.Call(rpc, request, &response);
  if (status.ok()) return response;
  return absl::UnavailableError(absl::StrCat(rpc, " was answered ", CodeName(status.error_code()),
                                             ": ", status.error_message()));
}

template <typename Node>
std::vector<Node> ToVector(const google::protobuf::RepeatedPtrField<Node>& list) {
  return {list.begin(), list.end()};
}

absl::StatusOr<std::vector<Event>> EventsOf(RawClient& client,
                                            const std::vector<Execution>& executions) {
  ml_metadata::GetEventsByExecutionIDsRequest request;
  for (const Execution& execution : executions) request.add_execution_ids(execution.id());
  const auto response =
      Ask<ml_metadata::GetEventsByExecutionIDsResponse>(client, "GetEventsByExecutionIDs", request);
  if (!response.ok()) return response.status();
  return ToVector(response->events());
}

absl::Status ReadNodes(RawClient& client, StoredThings& stored) {
  const auto contexts = Ask<ml_metadata::GetContextsResponse>(client, "GetContexts",
                                                              ml_metadata::GetContextsRequest());
  if (!contexts.ok()) return contexts.status();
  const auto executions = Ask<ml_metadata::GetExecutionsResponse>(
      client, "GetExecutions", ml_metadata::GetExecutionsRequest());
  if (!executions.ok()) return executions.status();
  const auto artifacts = Ask<ml_metadata::GetArtifactsResponse>(client, "GetArtifacts",
                                                                ml_metadata::GetArtifactsRequest());
  if (!artifacts.ok()) return artifacts.status();
  stored.contexts = ToVector(contexts->contexts());
  stored.executions = ToVector(executions->executions());
  stored.artifacts = ToVector(artifacts->artifacts());
  return absl::OkStatus();
}

absl::Status CountTypes(RawClient& client, StoredThings& stored) {
  const auto contexts = Ask<ml_metadata::GetContextTypesResponse>(
      client, "GetContextTypes", ml_metadata::GetContextTypesRequest());
  if (!contexts.ok()) return contexts.status();
  const auto executions = Ask<ml_metadata::GetExecutionTypesResponse>(
      client, "GetExecutionTypes", ml_metadata::GetExecutionTypesRequest());
  if (!executions.ok()) return executions.status();
  const auto artifacts = Ask<ml_metadata::GetArtifactTypesResponse>(
      client, "GetArtifactTypes", ml_metadata::GetArtifactTypesRequest());
  if (!artifacts.ok()) return artifacts.status();
  stored.types = {{"context", contexts->context_types_size()},
                  {"execution", executions->execution_types_size()},
                  {"artifact", artifacts->artifact_types_size()}};
  return absl::OkStatus();
}

absl::StatusOr<std::string> PipelineOf(RawClient& client, const Context& run) {
  ml_metadata::GetParentContextsByContextRequest request;
  request.set_context_id(run.id());
  const auto parents = Ask<ml_metadata::GetParentContextsByContextResponse>(
      client, "GetParentContextsByContext", request);
  if (!parents.ok()) return parents.status();
  for (const Context& parent : parents->contexts()) {
    if (parent.type() == kPipelineType) return parent.name();
  }
  return "";
}

absl::StatusOr<std::map<int64_t, Artifact>> ArtifactsOf(RawClient& client,
                                                        const std::vector<Event>& events) {
  std::set<int64_t> ids;
  for (const Event& event : events) ids.insert(event.artifact_id());
  ml_metadata::GetArtifactsByIDRequest request;
  request.mutable_artifact_ids()->Add(ids.begin(), ids.end());
  const auto response =
      Ask<ml_metadata::GetArtifactsByIDResponse>(client, "GetArtifactsByID", request);
  if (!response.ok()) return response.status();
  std::map<int64_t, Artifact> artifacts;
  for (const Artifact& artifact : response->artifacts()) artifacts[artifact.id()] = artifact;
  return artifacts;
}

// "execution 3, of run-1"; without the run if the execution is in none.
absl::StatusOr<std::string> WhereFrom(RawClient& client, int64_t execution_id) {
  ml_metadata::GetContextsByExecutionRequest request;
  request.set_execution_id(execution_id);
  ml_metadata::GetContextsByExecutionResponse response;
  const grpc::Status status = client.Call("GetContextsByExecution", request, &response);
  if (!status.ok() && status.error_code() != grpc::StatusCode::NOT_FOUND) {
    return absl::UnavailableError(absl::StrCat("GetContextsByExecution was answered ",
                                               CodeName(status.error_code()), ": ",
                                               status.error_message()));
  }
  for (const Context& context : response.contexts()) {
    if (context.type() == kRunType) {
      return absl::StrCat("execution ", execution_id, " of ", context.name());
    }
  }
  return absl::StrCat("execution ", execution_id);
}

absl::Status ReadCacheOrigins(RawClient& client, RunPicture& picture) {
  for (const Execution& execution : picture.executions) {
    int64_t id = 0;
    if (!absl::SimpleAtoi(CustomProperty(execution, "cached_execution_id"), &id)) continue;
    const absl::StatusOr<std::string> where = WhereFrom(client, id);
    if (!where.ok()) return where.status();
    picture.cached_from[execution.id()] = *where;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StoredThings> ReadStore(RawClient& client) {
  StoredThings stored;
  if (const absl::Status read = ReadNodes(client, stored); !read.ok()) return read;
  absl::StatusOr<std::vector<Event>> events = EventsOf(client, stored.executions);
  if (!events.ok()) return events.status();
  stored.events = *std::move(events);
  if (const absl::Status counted = CountTypes(client, stored); !counted.ok()) return counted;
  return stored;
}

const Context* NewestRun(const StoredThings& stored) {
  const Context* newest = nullptr;
  const auto age = [](const Context& c) { return std::pair(c.create_time_since_epoch(), c.id()); };
  for (const Context& context : stored.contexts) {
    if (context.type() != kRunType) continue;
    if (newest == nullptr || age(context) > age(*newest)) newest = &context;
  }
  return newest;
}

absl::StatusOr<RunPicture> ReadRun(RawClient& client, const Context& run) {
  RunPicture picture;
  picture.run = run;
  absl::StatusOr<std::string> pipeline = PipelineOf(client, run);
  if (!pipeline.ok()) return pipeline.status();
  picture.pipeline = *std::move(pipeline);
  ml_metadata::GetExecutionsByContextRequest request;
  request.set_context_id(run.id());
  const auto executions =
      Ask<ml_metadata::GetExecutionsByContextResponse>(client, "GetExecutionsByContext", request);
  if (!executions.ok()) return executions.status();
  picture.executions = ToVector(executions->executions());
  absl::StatusOr<std::vector<Event>> events = EventsOf(client, picture.executions);
  if (!events.ok()) return events.status();
  picture.events = *std::move(events);
  absl::StatusOr<std::map<int64_t, Artifact>> artifacts = ArtifactsOf(client, picture.events);
  if (!artifacts.ok()) return artifacts.status();
  picture.artifacts = *std::move(artifacts);
  if (const absl::Status read = ReadCacheOrigins(client, picture); !read.ok()) return read;
  return picture;
}

}  // namespace pedigree::conformance
