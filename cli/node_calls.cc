#include "cli/node_calls.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Context;
using ml_metadata::Event;

template <class Answer, class Request>
absl::StatusOr<std::vector<Context>> AskContexts(Connection* connection, const char* method,
                                                 const Request& request) {
  Answer answer;
  const absl::Status status = connection->Call(method, request, &answer);
  // How MLMD says that there are none.
  if (absl::IsNotFound(status)) return std::vector<Context>();
  if (!status.ok()) return status;
  return std::vector<Context>(answer.contexts().begin(), answer.contexts().end());
}

template <class Answer, class Request>
absl::StatusOr<std::vector<Event>> AskEvents(Connection* connection, const char* method,
                                             const Request& request) {
  Answer answer;
  const absl::Status status = connection->Call(method, request, &answer);
  if (!status.ok()) return status;
  return std::vector<Event>(answer.events().begin(), answer.events().end());
}

}  // namespace

absl::StatusOr<std::vector<Context>> ContextsOf(Connection* connection, NodeKind kind, int64_t id) {
  switch (kind) {
    case NodeKind::kArtifact: {
      ml_metadata::GetContextsByArtifactRequest request;
      request.set_artifact_id(id);
      return AskContexts<ml_metadata::GetContextsByArtifactResponse>(
          connection, "/ml_metadata.MetadataStoreService/GetContextsByArtifact", request);
    }
    case NodeKind::kExecution: {
      ml_metadata::GetContextsByExecutionRequest request;
      request.set_execution_id(id);
      return AskContexts<ml_metadata::GetContextsByExecutionResponse>(
          connection, "/ml_metadata.MetadataStoreService/GetContextsByExecution", request);
    }
    case NodeKind::kContext:
      break;
  }
  ml_metadata::GetParentContextsByContextRequest request;
  request.set_context_id(id);
  return AskContexts<ml_metadata::GetParentContextsByContextResponse>(
      connection, "/ml_metadata.MetadataStoreService/GetParentContextsByContext", request);
}

absl::StatusOr<std::vector<Event>> EventsOf(Connection* connection, NodeKind kind,
                                            absl::Span<const int64_t> ids) {
  if (ids.empty()) return std::vector<Event>();
  if (kind == NodeKind::kArtifact) {
    ml_metadata::GetEventsByArtifactIDsRequest request;
    request.mutable_artifact_ids()->Add(ids.begin(), ids.end());
    return AskEvents<ml_metadata::GetEventsByArtifactIDsResponse>(
        connection, "/ml_metadata.MetadataStoreService/GetEventsByArtifactIDs", request);
  }
  ml_metadata::GetEventsByExecutionIDsRequest request;
  request.mutable_execution_ids()->Add(ids.begin(), ids.end());
  return AskEvents<ml_metadata::GetEventsByExecutionIDsResponse>(
      connection, "/ml_metadata.MetadataStoreService/GetEventsByExecutionIDs", request);
}

}  // namespace pedigree::cli
