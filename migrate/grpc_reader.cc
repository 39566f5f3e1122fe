#include "migrate/grpc_reader.h"

#include <algorithm>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "migrate/convert.h"
#include "migrate/wire.h"
#include "store/catalog.h"

namespace pedigree::migrate {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;
using ml_metadata::ListOperationOptions;

ListOperationOptions OptionsOf(GrpcReader::Order order, int page_size) {
  using Field = ListOperationOptions::OrderByField;
  ListOperationOptions options;
  options.set_max_result_size(page_size);
  const bool is_by_time = order == GrpcReader::Order::kLastUpdatedFirst;
  options.mutable_order_by_field()->set_field(is_by_time ? Field::LAST_UPDATE_TIME : Field::ID);
  options.mutable_order_by_field()->set_is_asc(order == GrpcReader::Order::kById);
  return options;
}

// Calls until there is no next page, or `visit` answers false.
template <class Response, class Request>
absl::Status VisitPages(GrpcClient& client, absl::string_view method, Request request,
                        absl::FunctionRef<absl::StatusOr<bool>(Response& page)> visit) {
  while (true) {
    Response response;
    absl::Status status = client.Call(method, request, &response);
    if (!status.ok()) return status;
    auto goes_on = visit(response);
    if (!goes_on.ok() || !*goes_on) return goes_on.status();
    if (response.next_page_token().empty()) return absl::OkStatus();
    request.mutable_options()->set_next_page_token(response.next_page_token());
  }
}

// Some calls answer NOT_FOUND where there is nothing.
template <class Response>
absl::StatusOr<Response> CallForSome(GrpcClient& client, absl::string_view method,
                                     const google::protobuf::MessageLite& request) {
  Response response;
  absl::Status status = client.Call(method, request, &response);
  if (!status.ok() && !absl::IsNotFound(status)) return status;
  return response;
}

template <class Response>
absl::StatusOr<std::vector<int64_t>> IdsOfContexts(absl::StatusOr<Response> response) {
  if (!response.ok()) return response.status();
  std::vector<int64_t> ids;
  for (const Context& context : response->contexts()) ids.push_back(context.id());
  return ids;
}

template <class Response>
absl::StatusOr<std::vector<Event>> EventsIn(absl::StatusOr<Response> response) {
  if (!response.ok()) return response.status();
  return std::vector<Event>(response->events().begin(), response->events().end());
}

}  // namespace

template <class Node>
absl::StatusOr<std::vector<TypeRow>> GrpcReader::Types() {
  using Wire = WireOf<Node>;
  typename Wire::TypesResponse types;
  absl::Status status = client_->Call(Wire::kTypes, typename Wire::TypesRequest(), &types);
  if (!status.ok()) return status;
  // A list of types may leave out what the answer to their ids has.
  typename Wire::TypesByIdRequest by_id;
  for (const auto& type : *Wire::Types(&types)) by_id.add_type_ids(type.id());
  typename Wire::TypesByIdResponse whole;
  if (by_id.type_ids_size() > 0) {
    status = client_->Call(Wire::kTypesById, by_id, &whole);
    if (!status.ok()) return status;
  }
  std::vector<typename TraitsOf<Node>::Type> all(Wire::Types(&whole)->begin(),
                                                 Wire::Types(&whole)->end());
  absl::flat_hash_map<std::string, int64_t> predefined;
  for (absl::string_view name : PredefinedTypeNames(TraitsOf<Node>::kKind)) {
    typename Wire::TypeRequest request;
    request.set_type_name(std::string(name));
    typename Wire::TypeResponse response;
    status = client_->Call(Wire::kType, request, &response);
    if (absl::IsNotFound(status)) continue;
    if (!status.ok()) return status;
    const auto& type = Wire::Type(response);
    predefined[type.name()] = type.id();
    all.push_back(type);
  }
  std::vector<TypeRow> rows;
  absl::flat_hash_set<int64_t> seen;
  for (const auto& type : all) {
    if (!seen.insert(type.id()).second) continue;
    rows.push_back(ToTypeRow<Node>(type, [&](absl::string_view name) {
      const auto it = predefined.find(name);
      return it == predefined.end() ? 0 : it->second;
    }));
  }
  return rows;
}

template <class Node>
absl::Status GrpcReader::VisitNodes(Order order, int page_size,
                                    absl::FunctionRef<absl::StatusOr<bool>(Node& node)> visit) {
  using Response = typename WireOf<Node>::ListResponse;
  typename WireOf<Node>::ListRequest request;
  *request.mutable_options() = OptionsOf(order, page_size);
  return VisitPages<Response>(*client_, WireOf<Node>::kList, std::move(request),
                              [&](Response& page) -> absl::StatusOr<bool> {
                                for (Node& node : *WireOf<Node>::Nodes(&page)) {
                                  auto goes_on = visit(node);
                                  if (!goes_on.ok() || !*goes_on) return goes_on;
                                }
                                return true;
                              });
}

template <class Node>
absl::StatusOr<std::vector<int64_t>> GrpcReader::MembersOf(int64_t context) {
  using Wire = WireOf<Node>;
  using Response = typename Wire::MembersResponse;
  typename Wire::MembersRequest request;
  request.set_context_id(context);
  *request.mutable_options() = OptionsOf(Order::kById, kNodesPerPage);
  std::vector<int64_t> ids;
  absl::Status status = VisitPages<Response>(*client_, Wire::kMembers, std::move(request),
                                             [&](Response& page) -> absl::StatusOr<bool> {
                                               for (const Node& node : *Wire::Nodes(&page))
                                                 ids.push_back(node.id());
                                               return true;
                                             });
  if (!status.ok()) return status;
  return ids;
}

template <class Node>
absl::StatusOr<std::vector<int64_t>> GrpcReader::ContextsOf(int64_t node) {
  using Wire = WireOf<Node>;
  typename Wire::ContextsRequest request;
  Wire::SetId(node, &request);
  return IdsOfContexts(
      CallForSome<typename Wire::ContextsResponse>(*client_, Wire::kContexts, request));
}

absl::StatusOr<std::vector<Event>> GrpcReader::EventsOfExecutions(
    absl::Span<const int64_t> executions) {
  ml_metadata::GetEventsByExecutionIDsRequest request;
  for (int64_t id : executions) request.add_execution_ids(id);
  return EventsIn(CallForSome<ml_metadata::GetEventsByExecutionIDsResponse>(
      *client_, "GetEventsByExecutionIDs", request));
}

absl::StatusOr<std::vector<Event>> GrpcReader::EventsOfArtifacts(
    absl::Span<const int64_t> artifacts) {
  ml_metadata::GetEventsByArtifactIDsRequest request;
  for (int64_t id : artifacts) request.add_artifact_ids(id);
  return EventsIn(CallForSome<ml_metadata::GetEventsByArtifactIDsResponse>(
      *client_, "GetEventsByArtifactIDs", request));
}

#define PEDIGREE_INSTANTIATE(Node)                                                              \
  template absl::StatusOr<std::vector<TypeRow>> GrpcReader::Types<Node>();                      \
  template absl::Status GrpcReader::VisitNodes(Order, int,                                      \
                                               absl::FunctionRef<absl::StatusOr<bool>(Node&)>); \
  template absl::StatusOr<std::vector<int64_t>> GrpcReader::ContextsOf<Node>(int64_t);
PEDIGREE_INSTANTIATE(Artifact)
PEDIGREE_INSTANTIATE(Execution)
PEDIGREE_INSTANTIATE(Context)
#undef PEDIGREE_INSTANTIATE
template absl::StatusOr<std::vector<int64_t>> GrpcReader::MembersOf<Artifact>(int64_t);
template absl::StatusOr<std::vector<int64_t>> GrpcReader::MembersOf<Execution>(int64_t);

}  // namespace pedigree::migrate
