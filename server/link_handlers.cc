// Events, attributions, associations and parent contexts.
#include <algorithm>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "server/handlers.h"
#include "server/put_events.h"
#include "store/ids.h"
#include "store/wire.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Event;
using ml_metadata::Execution;

inline constexpr int kEventsField = 1;
inline constexpr int kContextsField = 1;

absl::Status CheckExists(const Transaction& transaction, NodeKind kind, int64_t id) {
  auto exists = transaction.NodeExists(kind, id);
  if (!exists.ok()) return exists.status();
  if (*exists) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("no ", NameOf(kind), " has id ", id));
}

absl::Status CheckEvent(const Transaction& transaction, const Event& event) {
  if (!event.has_artifact_id()) return absl::InvalidArgumentError("an event has no artifact_id");
  if (!event.has_execution_id()) return absl::InvalidArgumentError("an event has no execution_id");
  absl::Status status = CheckEventType(event);
  if (status.ok()) status = CheckExists(transaction, NodeKind::kArtifact, event.artifact_id());
  if (status.ok()) status = CheckExists(transaction, NodeKind::kExecution, event.execution_id());
  return status;
}

// Links one node to one context, both of which must exist.
absl::Status LinkToContext(Transaction& transaction, NodeKind kind, bool has_id, int64_t id,
                           bool has_context, int64_t context) {
  if (!has_id || !has_context) {
    return absl::InvalidArgumentError(
        absl::StrCat(kind == NodeKind::kArtifact ? "an attribution" : "an association", " needs ",
                     NameOf(kind), "_id and context_id"));
  }
  absl::Status status = CheckExists(transaction, NodeKind::kContext, context);
  return status.ok() ? transaction.Link(kind, id, {context}) : status;
}

absl::Status AddParent(Transaction& transaction, const ml_metadata::ParentContext& pair) {
  if (!pair.has_child_id() || !pair.has_parent_id()) {
    return absl::InvalidArgumentError("a parent context needs child_id and parent_id");
  }
  const int64_t child = pair.child_id();
  const int64_t parent = pair.parent_id();
  absl::Status status = CheckExists(transaction, NodeKind::kContext, parent);
  if (!status.ok()) return status;
  auto record = transaction.FindRecord(NodeKind::kContext, child);
  if (!record.ok()) return record.status();
  if (!record->has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("no context has id ", child));
  }
  auto linked = transaction.IsLinked(NodeKind::kContext, child, **record, parent);
  if (!linked.ok()) return linked.status();
  if (*linked) {
    return absl::AlreadyExistsError(
        absl::StrCat("context ", parent, " is already a parent of context ", child));
  }
  auto cycle = transaction.IsAncestor(child, parent);
  if (!cycle.ok()) return cycle.status();
  if (*cycle) {
    return absl::InvalidArgumentError(absl::StrCat("context ", parent, " as a parent of context ",
                                                   child, " would close a cycle"));
  }
  return transaction.Link(NodeKind::kContext, child, {parent});
}

absl::Status AnswerContexts(const Reader& reader, const std::vector<int64_t>& ids, Answer* answer) {
  return reader.VisitRecords(NodeKind::kContext, ids, [&](int64_t, const RecordView& record) {
    answer->AddNode(kContextsField, NodeKind::kContext, record);
  });
}

absl::StatusOr<std::vector<int64_t>> ParentsOf(const Reader& reader, int64_t context) {
  return reader.Links(NodeKind::kContext, context);
}

absl::StatusOr<std::vector<int64_t>> ChildrenOf(const Reader& reader, int64_t context) {
  std::vector<int64_t> ids;
  absl::Status status = reader.VisitContextMembers(context, NodeKind::kContext, kFirstId,
                                                   Direction::kAscending, [&](int64_t id) {
                                                     ids.push_back(id);
                                                     return true;
                                                   });
  if (!status.ok()) return status;
  return ids;
}

using FindContexts = absl::StatusOr<std::vector<int64_t>>(const Reader&, int64_t);

absl::Status AnswerRelatives(const Reader& reader, int64_t context, FindContexts* find,
                             Answer* answer) {
  auto ids = find(reader, context);
  return ids.ok() ? AnswerContexts(reader, *ids, answer) : ids.status();
}

// One map entry per asked context that has any: key (field 1) the id, value (field 2) a message
// whose field 1 is the contexts.
template <class Ids>
absl::Status AnswerRelativesOfMany(const Reader& reader, const Ids& contexts, int map_field,
                                   FindContexts* find, Answer* answer) {
  for (int64_t context : SortedOnce(contexts)) {
    auto ids = find(reader, context);
    if (!ids.ok()) return ids.status();
    if (ids->empty()) continue;
    Answer value(reader.catalog());
    absl::Status status = AnswerContexts(reader, *ids, &value);
    if (status.ok()) status = value.status();
    if (!status.ok()) return status;
    std::string entry;
    AppendVarintField(&entry, 1, static_cast<uint64_t>(context));
    AppendBytesField(&entry, 2, value.Release());
    answer->AddBytes(map_field, entry);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckEventType(const Event& event) {
  if (event.type() != Event::UNKNOWN) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the event between artifact ", event.artifact_id(),
                                                 " and execution ", event.execution_id(),
                                                 " has no type"));
}

absl::Status AddCheckedEvents(Transaction& transaction, const std::vector<Event*>& events) {
  return transaction.AddEvents(events,
                               [&](const Event& event) { return CheckEvent(transaction, event); });
}

absl::Status PutEvents(Transaction& transaction, ml_metadata::PutEventsRequest* request,
                       ml_metadata::PutEventsResponse*) {
  std::vector<Event*> events;
  for (Event& event : *request->mutable_events()) events.push_back(&event);
  return AddCheckedEvents(transaction, events);
}

absl::Status PutAttributionsAndAssociations(
    Transaction& transaction, ml_metadata::PutAttributionsAndAssociationsRequest* request,
    ml_metadata::PutAttributionsAndAssociationsResponse*) {
  for (const auto& link : request->attributions()) {
    absl::Status status =
        LinkToContext(transaction, NodeKind::kArtifact, link.has_artifact_id(), link.artifact_id(),
                      link.has_context_id(), link.context_id());
    if (!status.ok()) return status;
  }
  for (const auto& link : request->associations()) {
    absl::Status status =
        LinkToContext(transaction, NodeKind::kExecution, link.has_execution_id(),
                      link.execution_id(), link.has_context_id(), link.context_id());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status PutParentContexts(Transaction& transaction,
                               ml_metadata::PutParentContextsRequest* request,
                               ml_metadata::PutParentContextsResponse*) {
  for (const auto& pair : request->parent_contexts()) {
    if (absl::Status status = AddParent(transaction, pair); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status GetEventsByExecutionIds(const Reader& reader,
                                     const ml_metadata::GetEventsByExecutionIDsRequest& request,
                                     Answer* answer) {
  for (int64_t id : SortedOnce(request.execution_ids())) {
    absl::Status status = reader.VisitEventsOfExecution(
        id, [&](absl::string_view event) { answer->AddBytes(kEventsField, event); });
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status GetEventsByArtifactIds(const Reader& reader,
                                    const ml_metadata::GetEventsByArtifactIDsRequest& request,
                                    Answer* answer) {
  for (int64_t id : SortedOnce(request.artifact_ids())) {
    absl::Status status = reader.VisitEventsOfArtifact(
        id, [&](absl::string_view event) { answer->AddBytes(kEventsField, event); });
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

template <class Node>
absl::Status GetContextsOf(const Reader& reader,
                           const typename RpcOf<Node>::ContextsOfRequest& request, Answer* answer) {
  const int64_t id = RpcOf<Node>::Id(request);
  auto contexts = reader.Links(TraitsOf<Node>::kKind, id);
  if (!contexts.ok()) return contexts.status();
  if (contexts->empty()) {
    return absl::NotFoundError(
        absl::StrCat("no contexts are linked to ", TraitsOf<Node>::kName, " ", id));
  }
  return AnswerContexts(reader, *contexts, answer);
}

template absl::Status GetContextsOf<Artifact>(const Reader&,
                                              const RpcOf<Artifact>::ContextsOfRequest&, Answer*);
template absl::Status GetContextsOf<Execution>(const Reader&,
                                               const RpcOf<Execution>::ContextsOfRequest&, Answer*);

absl::Status GetParentContexts(const Reader& reader,
                               const ml_metadata::GetParentContextsByContextRequest& request,
                               Answer* answer) {
  return AnswerRelatives(reader, request.context_id(), ParentsOf, answer);
}

absl::Status GetChildContexts(const Reader& reader,
                              const ml_metadata::GetChildrenContextsByContextRequest& request,
                              Answer* answer) {
  return AnswerRelatives(reader, request.context_id(), ChildrenOf, answer);
}

absl::Status GetParentContextsOfMany(const Reader& reader,
                                     const ml_metadata::GetParentContextsByContextsRequest& request,
                                     Answer* answer) {
  using Response = ml_metadata::GetParentContextsByContextsResponse;
  return AnswerRelativesOfMany(reader, request.context_ids(), Response::kContextsFieldNumber,
                               ParentsOf, answer);
}

absl::Status GetChildContextsOfMany(
    const Reader& reader, const ml_metadata::GetChildrenContextsByContextsRequest& request,
    Answer* answer) {
  using Response = ml_metadata::GetChildrenContextsByContextsResponse;
  return AnswerRelativesOfMany(reader, request.context_ids(), Response::kContextsFieldNumber,
                               ChildrenOf, answer);
}

}  // namespace pedigree
