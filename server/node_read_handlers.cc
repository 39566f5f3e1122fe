// Get{Artifacts,Executions,Contexts}*: nodes by id, external id, name, uri, and as lists.
#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "query/list.h"
#include "server/handlers.h"
#include "store/ids.h"
#include "store/text.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Execution;

// Answers the nodes that exist, in id order.
absl::Status AnswerNodes(const Reader& reader, NodeKind kind, const std::vector<int64_t>& ids,
                         Answer* answer) {
  return reader.VisitRecords(kind, ids, [&](int64_t, const RecordView& record) {
    answer->AddNode(kNodesField, kind, record);
  });
}

absl::Status AnswerList(const Reader& reader, const ListQuery& query, Answer* answer) {
  auto token = ListNodes(reader, query, [&](int64_t, const RecordView& record) {
    answer->AddNode(kNodesField, query.kind, record);
  });
  if (!token.ok()) return token.status();
  answer->AddTextIfAny(kNextPageTokenField, *token);
  return absl::OkStatus();
}

template <class Request>
const ml_metadata::ListOperationOptions* OptionsOf(const Request& request) {
  return request.has_options() ? &request.options() : nullptr;
}

// `populate_artifact_types`: the types of the answered artifacts, each once.
absl::Status AnswerTypes(const Reader& reader, const ml_metadata::GetArtifactsByIDRequest& request,
                         const std::vector<int64_t>& ids, Answer* answer) {
  if (!request.populate_artifact_types()) return absl::OkStatus();
  std::vector<int64_t> type_ids;
  absl::Status status =
      reader.VisitRecords(NodeKind::kArtifact, ids, [&](int64_t, const RecordView& record) {
        type_ids.push_back(PeekTypeId(NodeKind::kArtifact, record.message()));
      });
  for (int64_t id : SortedOnce(type_ids)) {
    const auto* type = reader.catalog().Of<Artifact>().FindById(id);
    if (type == nullptr) continue;
    answer->AddMessage(ml_metadata::GetArtifactsByIDResponse::kArtifactTypesFieldNumber, *type);
  }
  return status;
}
template <class Request>
absl::Status AnswerTypes(const Reader&, const Request&, const std::vector<int64_t>&, Answer*) {
  return absl::OkStatus();
}

}  // namespace

template <class Node>
absl::Status GetNodesById(const Reader& reader, const typename RpcOf<Node>::ByIdRequest& request,
                          Answer* answer) {
  const std::vector<int64_t> ids = SortedOnce(RpcOf<Node>::Ids(request));
  absl::Status status = AnswerNodes(reader, TraitsOf<Node>::kKind, ids, answer);
  return status.ok() ? AnswerTypes(reader, request, ids, answer) : status;
}

template <class Node>
absl::Status GetNodesByExternalIds(const Reader& reader,
                                   const typename RpcOf<Node>::ByExternalIdsRequest& request,
                                   Answer* answer) {
  std::vector<int64_t> ids;
  for (const std::string& external_id : request.external_ids()) {
    if (external_id.empty()) return absl::InvalidArgumentError("an external_id is empty");
    auto id = reader.FindIdByExternalId(TraitsOf<Node>::kKind, external_id);
    if (!id.ok()) return id.status();
    if (id->has_value()) ids.push_back(**id);
  }
  if (ids.empty() && !request.external_ids().empty()) {
    return absl::NotFoundError(absl::StrCat("no ", TraitsOf<Node>::kName,
                                            " has one of these external_ids; the first is ",
                                            Quoted(request.external_ids(0))));
  }
  return AnswerNodes(reader, TraitsOf<Node>::kKind, SortedOnce(ids), answer);
}

// What does not exist is an empty answer, not an error: clients create it then.
template <class Node>
absl::Status GetNodeByTypeAndName(const Reader& reader,
                                  const typename RpcOf<Node>::ByTypeAndNameRequest& request,
                                  Answer* answer) {
  const auto* type =
      reader.catalog().Of<Node>().FindByName(request.type_name(), request.type_version());
  if (type == nullptr) return absl::OkStatus();
  auto id = reader.FindIdByName(TraitsOf<Node>::kKind, type->id(), RpcOf<Node>::Name(request));
  if (!id.ok()) return id.status();
  if (!id->has_value()) return absl::OkStatus();
  return AnswerNodes(reader, TraitsOf<Node>::kKind, {**id}, answer);
}

template <class Node>
absl::Status GetNodes(const Reader& reader, const typename RpcOf<Node>::ListRequest& request,
                      Answer* answer) {
  return AnswerList(
      reader, {RpcOf<Node>::kListName, TraitsOf<Node>::kKind, ListScope::All(), OptionsOf(request)},
      answer);
}

template <class Node>
absl::Status GetNodesByType(const Reader& reader,
                            const typename RpcOf<Node>::ByTypeRequest& request, Answer* answer) {
  const auto* type =
      reader.catalog().Of<Node>().FindByName(request.type_name(), request.type_version());
  // No type has id 0: the options are checked all the same, and the list is empty.
  const int64_t type_id = type == nullptr ? 0 : type->id();
  return AnswerList(reader,
                    {RpcOf<Node>::kByTypeName, TraitsOf<Node>::kKind, ListScope::Type(type_id),
                     OptionsOf(request)},
                    answer);
}

template <class Node>
absl::Status GetNodesByContext(const Reader& reader,
                               const typename RpcOf<Node>::ByContextRequest& request,
                               Answer* answer) {
  return AnswerList(reader,
                    {RpcOf<Node>::kByContextName, TraitsOf<Node>::kKind,
                     ListScope::Context(request.context_id()), OptionsOf(request)},
                    answer);
}

absl::Status GetArtifactsByUri(const Reader& reader,
                               const ml_metadata::GetArtifactsByURIRequest& request,
                               Answer* answer) {
  std::vector<int64_t> ids;
  for (const std::string& uri : request.uris()) {
    absl::Status status = reader.VisitArtifactsByUri(uri, [&](int64_t id) {
      ids.push_back(id);
      return true;
    });
    if (!status.ok()) return status;
  }
  return AnswerNodes(reader, NodeKind::kArtifact, SortedOnce(ids), answer);
}

#define PEDIGREE_INSTANTIATE(Node)                                                               \
  template absl::Status GetNodesById<Node>(const Reader&, const RpcOf<Node>::ByIdRequest&,       \
                                           Answer*);                                             \
  template absl::Status GetNodesByExternalIds<Node>(                                             \
      const Reader&, const RpcOf<Node>::ByExternalIdsRequest&, Answer*);                         \
  template absl::Status GetNodeByTypeAndName<Node>(                                              \
      const Reader&, const RpcOf<Node>::ByTypeAndNameRequest&, Answer*);                         \
  template absl::Status GetNodes<Node>(const Reader&, const RpcOf<Node>::ListRequest&, Answer*); \
  template absl::Status GetNodesByType<Node>(const Reader&, const RpcOf<Node>::ByTypeRequest&,   \
                                             Answer*);
PEDIGREE_INSTANTIATE(Artifact)
PEDIGREE_INSTANTIATE(Execution)
PEDIGREE_INSTANTIATE(Context)
#undef PEDIGREE_INSTANTIATE

template absl::Status GetNodesByContext<Artifact>(const Reader&,
                                                  const RpcOf<Artifact>::ByContextRequest&,
                                                  Answer*);
template absl::Status GetNodesByContext<Execution>(const Reader&,
                                                   const RpcOf<Execution>::ByContextRequest&,
                                                   Answer*);

}  // namespace pedigree
