// The request and response messages of the calls that exist once per kind of node.
//
// With RpcOf<Node>, a handler over artifacts, executions and contexts is one template: this is the
// only place in the server that spells the three families out. Constant data: any thread.
//
//   for (int64_t id : RpcOf<Node>::Ids(request)) ...
#pragma once

#include <cstdint>

#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "store/traits.h"

namespace pedigree {

template <class Node>
struct RpcOf;

// Field numbers are the same in the three families: 1 in the answers, and repeated there.
inline constexpr int kNodesField = 1;
inline constexpr int kTypesField = 1;
inline constexpr int kNextPageTokenField = 2;

template <>
struct RpcOf<ml_metadata::Artifact> {
  using PutRequest = ml_metadata::PutArtifactsRequest;
  using PutResponse = ml_metadata::PutArtifactsResponse;
  using ByIdRequest = ml_metadata::GetArtifactsByIDRequest;
  using ByExternalIdsRequest = ml_metadata::GetArtifactsByExternalIdsRequest;
  using ByTypeAndNameRequest = ml_metadata::GetArtifactByTypeAndNameRequest;
  using ListRequest = ml_metadata::GetArtifactsRequest;
  using ByTypeRequest = ml_metadata::GetArtifactsByTypeRequest;
  using ByContextRequest = ml_metadata::GetArtifactsByContextRequest;
  using ContextsOfRequest = ml_metadata::GetContextsByArtifactRequest;
  using PutTypeRequest = ml_metadata::PutArtifactTypeRequest;
  using PutTypeResponse = ml_metadata::PutArtifactTypeResponse;
  using GetTypeRequest = ml_metadata::GetArtifactTypeRequest;
  using GetTypesRequest = ml_metadata::GetArtifactTypesRequest;
  using TypesByIdRequest = ml_metadata::GetArtifactTypesByIDRequest;
  using TypesByExternalIdsRequest = ml_metadata::GetArtifactTypesByExternalIdsRequest;

  static constexpr absl::string_view kListName = "GetArtifacts";
  static constexpr absl::string_view kByTypeName = "GetArtifactsByType";
  static constexpr absl::string_view kByContextName = "GetArtifactsByContext";

  static auto* Nodes(PutRequest* request) { return request->mutable_artifacts(); }
  static void AddId(PutResponse* response, int64_t id) { response->add_artifact_ids(id); }
  static const auto& Ids(const ByIdRequest& request) { return request.artifact_ids(); }
  static const auto& Name(const ByTypeAndNameRequest& r) { return r.artifact_name(); }
  static int64_t Id(const ContextsOfRequest& request) { return request.artifact_id(); }
  static auto* Type(PutTypeRequest* request) { return request->mutable_artifact_type(); }
};

template <>
struct RpcOf<ml_metadata::Execution> {
  using PutRequest = ml_metadata::PutExecutionsRequest;
  using PutResponse = ml_metadata::PutExecutionsResponse;
  using ByIdRequest = ml_metadata::GetExecutionsByIDRequest;
  using ByExternalIdsRequest = ml_metadata::GetExecutionsByExternalIdsRequest;
  using ByTypeAndNameRequest = ml_metadata::GetExecutionByTypeAndNameRequest;
  using ListRequest = ml_metadata::GetExecutionsRequest;
  using ByTypeRequest = ml_metadata::GetExecutionsByTypeRequest;
  using ByContextRequest = ml_metadata::GetExecutionsByContextRequest;
  using ContextsOfRequest = ml_metadata::GetContextsByExecutionRequest;
  using PutTypeRequest = ml_metadata::PutExecutionTypeRequest;
  using PutTypeResponse = ml_metadata::PutExecutionTypeResponse;
  using GetTypeRequest = ml_metadata::GetExecutionTypeRequest;
  using GetTypesRequest = ml_metadata::GetExecutionTypesRequest;
  using TypesByIdRequest = ml_metadata::GetExecutionTypesByIDRequest;
  using TypesByExternalIdsRequest = ml_metadata::GetExecutionTypesByExternalIdsRequest;

  static constexpr absl::string_view kListName = "GetExecutions";
  static constexpr absl::string_view kByTypeName = "GetExecutionsByType";
  static constexpr absl::string_view kByContextName = "GetExecutionsByContext";

  static auto* Nodes(PutRequest* request) { return request->mutable_executions(); }
  static void AddId(PutResponse* response, int64_t id) { response->add_execution_ids(id); }
  static const auto& Ids(const ByIdRequest& request) { return request.execution_ids(); }
  static const auto& Name(const ByTypeAndNameRequest& r) { return r.execution_name(); }
  static int64_t Id(const ContextsOfRequest& request) { return request.execution_id(); }
  static auto* Type(PutTypeRequest* request) { return request->mutable_execution_type(); }
};

template <>
struct RpcOf<ml_metadata::Context> {
  using PutRequest = ml_metadata::PutContextsRequest;
  using PutResponse = ml_metadata::PutContextsResponse;
  using ByIdRequest = ml_metadata::GetContextsByIDRequest;
  using ByExternalIdsRequest = ml_metadata::GetContextsByExternalIdsRequest;
  using ByTypeAndNameRequest = ml_metadata::GetContextByTypeAndNameRequest;
  using ListRequest = ml_metadata::GetContextsRequest;
  using ByTypeRequest = ml_metadata::GetContextsByTypeRequest;
  using PutTypeRequest = ml_metadata::PutContextTypeRequest;
  using PutTypeResponse = ml_metadata::PutContextTypeResponse;
  using GetTypeRequest = ml_metadata::GetContextTypeRequest;
  using GetTypesRequest = ml_metadata::GetContextTypesRequest;
  using TypesByIdRequest = ml_metadata::GetContextTypesByIDRequest;
  using TypesByExternalIdsRequest = ml_metadata::GetContextTypesByExternalIdsRequest;

  static constexpr absl::string_view kListName = "GetContexts";
  static constexpr absl::string_view kByTypeName = "GetContextsByType";

  static auto* Nodes(PutRequest* request) { return request->mutable_contexts(); }
  static void AddId(PutResponse* response, int64_t id) { response->add_context_ids(id); }
  static const auto& Ids(const ByIdRequest& request) { return request.context_ids(); }
  static const auto& Name(const ByTypeAndNameRequest& r) { return r.context_name(); }
  static auto* Type(PutTypeRequest* request) { return request->mutable_context_type(); }
};

}  // namespace pedigree
