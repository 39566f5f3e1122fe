#include "server/query_handlers.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "query/filtered_list.h"
#include "query/list.h"
#include "query/list_page.h"
#include "server/validate.h"
#include "store/text.h"

namespace pedigree {
namespace {

absl::StatusOr<NodeKind> KindOf(v1::NodeKind kind) {
  switch (kind) {
    case v1::ARTIFACT:
      return NodeKind::kArtifact;
    case v1::EXECUTION:
      return NodeKind::kExecution;
    case v1::CONTEXT:
      return NodeKind::kContext;
    default:
      return absl::InvalidArgumentError("kind must be ARTIFACT, EXECUTION or CONTEXT");
  }
}

template <class Node>
int64_t TypeIdOf(const Catalog& catalog, const v1::ExplainRequest::TypeName& type) {
  const auto* found = catalog.Of<Node>().FindByName(type.name(), type.version());
  return found == nullptr ? 0 : found->id();  // No type has id 0: its list is empty.
}

ListScope ScopeOf(const Catalog& catalog, NodeKind kind, const v1::ExplainRequest& request) {
  if (request.has_context_id()) return ListScope::Context(request.context_id());
  if (!request.has_type()) return ListScope::All();
  switch (kind) {
    case NodeKind::kArtifact:
      return ListScope::Type(TypeIdOf<ml_metadata::Artifact>(catalog, request.type()));
    case NodeKind::kExecution:
      return ListScope::Type(TypeIdOf<ml_metadata::Execution>(catalog, request.type()));
    case NodeKind::kContext:
      break;
  }
  return ListScope::Type(TypeIdOf<ml_metadata::Context>(catalog, request.type()));
}

v1::PropertyIndex ToMessage(const PropertyIndex& index) {
  v1::PropertyIndex message;
  message.set_kind(static_cast<v1::NodeKind>(index.kind));
  message.set_is_custom(index.is_custom);
  message.set_name(index.name);
  message.set_state(static_cast<v1::PropertyIndex::State>(index.state));
  if (index.state == PropertyIndex::State::kBuilding) {
    message.set_nodes_done(index.next - 1);
    message.set_nodes_in_all(index.last);
  }
  return message;
}

}  // namespace

absl::Status Explain(const Reader& reader, const v1::ExplainRequest& request, Answer* answer) {
  auto kind = KindOf(request.kind());
  if (!kind.ok()) return kind.status();
  if (request.options().filter_query().empty()) {
    return absl::InvalidArgumentError("options.filter_query is empty: there is nothing to explain");
  }
  const ListQuery query = {"Explain", *kind, ScopeOf(reader.catalog(), *kind, request),
                           &request.options()};
  auto page = ReadListPage(reader.catalog(), query);
  if (!page.ok()) return page.status();
  ListExplanation explanation;
  auto token = ListFiltered(
      reader, query, *page, [](int64_t, const RecordView&) {}, &explanation);
  if (!token.ok() && !absl::IsResourceExhausted(token.status())) return token.status();
  v1::ExplainResponse response;
  response.set_filter(explanation.filter);
  response.set_order(explanation.order);
  response.set_source(explanation.source);
  response.set_estimated_rows(explanation.estimated_rows);
  response.set_is_estimate_exact(explanation.is_estimate_exact);
  response.set_candidates(explanation.candidates);
  response.set_rows(explanation.rows);
  response.set_missing_index(explanation.missing_index);
  if (!token.ok()) response.set_error(std::string(token.status().message()));
  answer->AddFields(response);
  return absl::OkStatus();
}

absl::Status AddPropertyIndex(Transaction& transaction, v1::AddPropertyIndexRequest* request,
                              v1::AddPropertyIndexResponse* response) {
  auto kind = KindOf(request->kind());
  if (!kind.ok()) return kind.status();
  // An unnamed property is possible, and nobody means it.
  if (request->name().empty()) return absl::InvalidArgumentError("name is empty");
  auto index = transaction.AddPropertyIndex(*kind, request->is_custom(), request->name());
  if (!index.ok()) return index.status();
  *response->mutable_index() = ToMessage(*index);
  return absl::OkStatus();
}

absl::Status DropPropertyIndex(Transaction& transaction, v1::DropPropertyIndexRequest* request,
                               v1::DropPropertyIndexResponse*) {
  auto kind = KindOf(request->kind());
  if (!kind.ok()) return kind.status();
  const PropertyIndex* index =
      transaction.catalog().property_indexes().Find(*kind, request->is_custom(), request->name());
  if (index == nullptr) {
    return absl::NotFoundError(absl::StrCat("there is no index on ", NameOf(*kind), " property ",
                                            Quoted(request->name())));
  }
  return transaction.DropPropertyIndex(index->id);
}

absl::Status ListPropertyIndexes(const Reader& reader, const v1::ListPropertyIndexesRequest&,
                                 Answer* answer) {
  for (const auto& [id, index] : reader.catalog().property_indexes().all()) {
    answer->AddMessage(v1::ListPropertyIndexesResponse::kIndexesFieldNumber, ToMessage(*index));
  }
  return absl::OkStatus();
}

}  // namespace pedigree
