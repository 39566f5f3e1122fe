// The calls of ml_metadata.MetadataStoreService, one function each.
//
// The first parameter says what a call does: a Transaction writes, a Reader reads. A write has its
// request to itself and may take it apart; an error rolls back all it wrote. What is wrong with a
// request by itself has been refused before (validate.h). Calls that exist for artifacts,
// executions and contexts are templates over Node, instantiated for the three.
//
//   absl::Status status = PutNodes<Artifact>(transaction, &request, &response);
#pragma once

#include "absl/status/status.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "server/answer.h"
#include "server/rpc_traits.h"
#include "store/reader.h"
#include "store/transaction.h"

namespace pedigree {

// Types (type_handlers.cc).
template <class Node>
absl::Status PutType(Transaction& transaction, typename RpcOf<Node>::PutTypeRequest* request,
                     typename RpcOf<Node>::PutTypeResponse* response);
// Whether PutType would change nothing; the response is then as it would have answered.
template <class Node>
bool IsTypeWritten(const Reader& reader, typename RpcOf<Node>::PutTypeRequest* request,
                   typename RpcOf<Node>::PutTypeResponse* response);
absl::Status PutTypes(Transaction& transaction, ml_metadata::PutTypesRequest* request,
                      ml_metadata::PutTypesResponse* response);
template <class Node>
absl::Status GetType(const Reader& reader, const typename RpcOf<Node>::GetTypeRequest& request,
                     Answer* answer);
template <class Node>
absl::Status GetTypes(const Reader& reader, const typename RpcOf<Node>::GetTypesRequest& request,
                      Answer* answer);
template <class Node>
absl::Status GetTypesById(const Reader& reader,
                          const typename RpcOf<Node>::TypesByIdRequest& request, Answer* answer);
template <class Node>
absl::Status GetTypesByExternalIds(const Reader& reader,
                                   const typename RpcOf<Node>::TypesByExternalIdsRequest& request,
                                   Answer* answer);

// Nodes (node_read_handlers.cc, put_handlers.cc).
template <class Node>
absl::Status PutNodes(Transaction& transaction, typename RpcOf<Node>::PutRequest* request,
                      typename RpcOf<Node>::PutResponse* response);
template <class Node>
absl::Status GetNodesById(const Reader& reader, const typename RpcOf<Node>::ByIdRequest& request,
                          Answer* answer);
template <class Node>
absl::Status GetNodesByExternalIds(const Reader& reader,
                                   const typename RpcOf<Node>::ByExternalIdsRequest& request,
                                   Answer* answer);
template <class Node>
absl::Status GetNodeByTypeAndName(const Reader& reader,
                                  const typename RpcOf<Node>::ByTypeAndNameRequest& request,
                                  Answer* answer);
template <class Node>
absl::Status GetNodes(const Reader& reader, const typename RpcOf<Node>::ListRequest& request,
                      Answer* answer);
template <class Node>
absl::Status GetNodesByType(const Reader& reader,
                            const typename RpcOf<Node>::ByTypeRequest& request, Answer* answer);
template <class Node>
absl::Status GetNodesByContext(const Reader& reader,
                               const typename RpcOf<Node>::ByContextRequest& request,
                               Answer* answer);
absl::Status GetArtifactsByUri(const Reader& reader,
                               const ml_metadata::GetArtifactsByURIRequest& request,
                               Answer* answer);

// Events and links (link_handlers.cc).
absl::Status PutEvents(Transaction& transaction, ml_metadata::PutEventsRequest* request,
                       ml_metadata::PutEventsResponse* response);
absl::Status PutAttributionsAndAssociations(
    Transaction& transaction, ml_metadata::PutAttributionsAndAssociationsRequest* request,
    ml_metadata::PutAttributionsAndAssociationsResponse* response);
absl::Status PutParentContexts(Transaction& transaction,
                               ml_metadata::PutParentContextsRequest* request,
                               ml_metadata::PutParentContextsResponse* response);
absl::Status GetEventsByExecutionIds(const Reader& reader,
                                     const ml_metadata::GetEventsByExecutionIDsRequest& request,
                                     Answer* answer);
absl::Status GetEventsByArtifactIds(const Reader& reader,
                                    const ml_metadata::GetEventsByArtifactIDsRequest& request,
                                    Answer* answer);
template <class Node>
absl::Status GetContextsOf(const Reader& reader,
                           const typename RpcOf<Node>::ContextsOfRequest& request, Answer* answer);
absl::Status GetParentContexts(const Reader& reader,
                               const ml_metadata::GetParentContextsByContextRequest& request,
                               Answer* answer);
absl::Status GetChildContexts(const Reader& reader,
                              const ml_metadata::GetChildrenContextsByContextRequest& request,
                              Answer* answer);
absl::Status GetParentContextsOfMany(const Reader& reader,
                                     const ml_metadata::GetParentContextsByContextsRequest& request,
                                     Answer* answer);
absl::Status GetChildContextsOfMany(
    const Reader& reader, const ml_metadata::GetChildrenContextsByContextsRequest& request,
    Answer* answer);

// Executions with all around them (put_handlers.cc).
absl::Status PutExecution(Transaction& transaction, ml_metadata::PutExecutionRequest* request,
                          ml_metadata::PutExecutionResponse* response);
absl::Status PutLineageSubgraph(Transaction& transaction,
                                ml_metadata::PutLineageSubgraphRequest* request,
                                ml_metadata::PutLineageSubgraphResponse* response);

// Lineage (lineage_handlers.cc).
absl::Status GetLineageSubgraph(const Reader& reader,
                                const ml_metadata::GetLineageSubgraphRequest& request,
                                Answer* answer);
absl::Status GetLineageGraph(const Reader& reader,
                             const ml_metadata::GetLineageGraphRequest& request, Answer* answer);

}  // namespace pedigree
