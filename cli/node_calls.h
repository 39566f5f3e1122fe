// The reads of ml_metadata.MetadataStoreService that commands ask, one template for the three kinds
// of node.
//
// Threads: as the connection. Errors are those of Connection::Call().
//
//   auto artifacts = NodesById<ml_metadata::Artifact>(connection, {42});
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "cli/connection.h"
#include "ml_metadata/proto/metadata_store.pb.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "store/traits.h"

namespace pedigree::cli {

template <class Node>
struct ReadsOf;

template <>
struct ReadsOf<ml_metadata::Artifact> {
  using ById = ml_metadata::GetArtifactsByIDRequest;
  using ByIdAnswer = ml_metadata::GetArtifactsByIDResponse;
  using List = ml_metadata::GetArtifactsRequest;
  using ListAnswer = ml_metadata::GetArtifactsResponse;
  using Types = ml_metadata::GetArtifactTypesRequest;
  using TypesAnswer = ml_metadata::GetArtifactTypesResponse;
  static constexpr char kById[] = "/ml_metadata.MetadataStoreService/GetArtifactsByID";
  static constexpr char kList[] = "/ml_metadata.MetadataStoreService/GetArtifacts";
  static constexpr char kTypes[] = "/ml_metadata.MetadataStoreService/GetArtifactTypes";
  static auto* Ids(ById* request) { return request->mutable_artifact_ids(); }
  template <class Answer>
  static const auto& Nodes(const Answer& answer) {
    return answer.artifacts();
  }
  static const auto& TypesIn(const TypesAnswer& answer) { return answer.artifact_types(); }
};

template <>
struct ReadsOf<ml_metadata::Execution> {
  using ById = ml_metadata::GetExecutionsByIDRequest;
  using ByIdAnswer = ml_metadata::GetExecutionsByIDResponse;
  using List = ml_metadata::GetExecutionsRequest;
  using ListAnswer = ml_metadata::GetExecutionsResponse;
  using Types = ml_metadata::GetExecutionTypesRequest;
  using TypesAnswer = ml_metadata::GetExecutionTypesResponse;
  static constexpr char kById[] = "/ml_metadata.MetadataStoreService/GetExecutionsByID";
  static constexpr char kList[] = "/ml_metadata.MetadataStoreService/GetExecutions";
  static constexpr char kTypes[] = "/ml_metadata.MetadataStoreService/GetExecutionTypes";
  static auto* Ids(ById* request) { return request->mutable_execution_ids(); }
  template <class Answer>
  static const auto& Nodes(const Answer& answer) {
    return answer.executions();
  }
  static const auto& TypesIn(const TypesAnswer& answer) { return answer.execution_types(); }
};

template <>
struct ReadsOf<ml_metadata::Context> {
  using ById = ml_metadata::GetContextsByIDRequest;
  using ByIdAnswer = ml_metadata::GetContextsByIDResponse;
  using List = ml_metadata::GetContextsRequest;
  using ListAnswer = ml_metadata::GetContextsResponse;
  using Types = ml_metadata::GetContextTypesRequest;
  using TypesAnswer = ml_metadata::GetContextTypesResponse;
  static constexpr char kById[] = "/ml_metadata.MetadataStoreService/GetContextsByID";
  static constexpr char kList[] = "/ml_metadata.MetadataStoreService/GetContexts";
  static constexpr char kTypes[] = "/ml_metadata.MetadataStoreService/GetContextTypes";
  static auto* Ids(ById* request) { return request->mutable_context_ids(); }
  template <class Answer>
  static const auto& Nodes(const Answer& answer) {
    return answer.contexts();
  }
  static const auto& TypesIn(const TypesAnswer& answer) { return answer.context_types(); }
};

// Those of the ids that there are, ascending.
template <class Node>
absl::StatusOr<std::vector<Node>> NodesById(Connection* connection, absl::Span<const int64_t> ids) {
  if (ids.empty()) return std::vector<Node>();
  typename ReadsOf<Node>::ById request;
  ReadsOf<Node>::Ids(&request)->Add(ids.begin(), ids.end());
  typename ReadsOf<Node>::ByIdAnswer answer;
  absl::Status status = connection->Call(ReadsOf<Node>::kById, request, &answer);
  if (!status.ok()) return status;
  const auto& nodes = ReadsOf<Node>::Nodes(answer);
  return std::vector<Node>(nodes.begin(), nodes.end());
}

// The contexts of an artifact or an execution, or the parents of a context, ascending.
absl::StatusOr<std::vector<ml_metadata::Context>> ContextsOf(Connection* connection, NodeKind kind,
                                                             int64_t id);

// Events of these artifacts or executions, as they were added.
absl::StatusOr<std::vector<ml_metadata::Event>> EventsOf(Connection* connection, NodeKind kind,
                                                         absl::Span<const int64_t> ids);

}  // namespace pedigree::cli
