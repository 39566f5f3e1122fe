#include "tests/conformance/demo_store.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/conformance/transcript.h"

namespace pedigree::conformance {
namespace {

using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;
using testing::RawClient;

constexpr char kRunType[] = "system.PipelineRun";

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

}  // namespace pedigree::conformance
