// The calls of MLMD's service that exist once per kind of node, as a client names them.
//
// With WireOf<Node>, reading artifacts, executions and contexts is one template. Constant data; any
// thread.
//
//   WireOf<Node>::ListResponse response;
//   client.Call(WireOf<Node>::kList, request, &response);
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "store/traits.h"

namespace pedigree::migrate {

template <class Node>
struct WireOf;

#define PEDIGREE_WIRE(Kind, kinds, kind)                                   \
  using ListRequest = ml_metadata::Get##Kind##sRequest;                    \
  using ListResponse = ml_metadata::Get##Kind##sResponse;                  \
  using TypeRequest = ml_metadata::Get##Kind##TypeRequest;                 \
  using TypeResponse = ml_metadata::Get##Kind##TypeResponse;               \
  using TypesRequest = ml_metadata::Get##Kind##TypesRequest;               \
  using TypesResponse = ml_metadata::Get##Kind##TypesResponse;             \
  using TypesByIdRequest = ml_metadata::Get##Kind##TypesByIDRequest;       \
  using TypesByIdResponse = ml_metadata::Get##Kind##TypesByIDResponse;     \
  static constexpr absl::string_view kList = "Get" #Kind "s";              \
  static constexpr absl::string_view kType = "Get" #Kind "Type";           \
  static constexpr absl::string_view kTypes = "Get" #Kind "Types";         \
  static constexpr absl::string_view kTypesById = "Get" #Kind "TypesByID"; \
  template <class Response>                                                \
  static auto* Nodes(Response* response) {                                 \
    return response->mutable_##kinds();                                    \
  }                                                                        \
  template <class Response>                                                \
  static auto* Types(Response* response) {                                 \
    return response->mutable_##kind##_types();                             \
  }                                                                        \
  static const auto& Type(const TypeResponse& response) { return response.kind##_type(); }

// Of the kinds that are members of contexts.
#define PEDIGREE_WIRE_OF_MEMBERS(Kind, kind)                              \
  using MembersRequest = ml_metadata::Get##Kind##sByContextRequest;       \
  using MembersResponse = ml_metadata::Get##Kind##sByContextResponse;     \
  using ContextsRequest = ml_metadata::GetContextsBy##Kind##Request;      \
  using ContextsResponse = ml_metadata::GetContextsBy##Kind##Response;    \
  static constexpr absl::string_view kMembers = "Get" #Kind "sByContext"; \
  static constexpr absl::string_view kContexts = "GetContextsBy" #Kind;   \
  static void SetId(int64_t id, ContextsRequest* request) { request->set_##kind##_id(id); }

template <>
struct WireOf<ml_metadata::Artifact> {
  PEDIGREE_WIRE(Artifact, artifacts, artifact)
  PEDIGREE_WIRE_OF_MEMBERS(Artifact, artifact)
};

template <>
struct WireOf<ml_metadata::Execution> {
  PEDIGREE_WIRE(Execution, executions, execution)
  PEDIGREE_WIRE_OF_MEMBERS(Execution, execution)
};

template <>
struct WireOf<ml_metadata::Context> {
  PEDIGREE_WIRE(Context, contexts, context)
  // A context is in its parents.
  using ContextsRequest = ml_metadata::GetParentContextsByContextRequest;
  using ContextsResponse = ml_metadata::GetParentContextsByContextResponse;
  static constexpr absl::string_view kContexts = "GetParentContextsByContext";
  static void SetId(int64_t id, ContextsRequest* request) { request->set_context_id(id); }
};

#undef PEDIGREE_WIRE
#undef PEDIGREE_WIRE_OF_MEMBERS

}  // namespace pedigree::migrate
