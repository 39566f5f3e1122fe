// Put{Artifacts,Executions,Contexts}, PutExecution, PutLineageSubgraph.
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/handlers.h"
#include "server/put_events.h"
#include "server/put_node.h"
#include "store/text.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;

template <class Request>
bool MatchUpdateTime(const Request&) {
  return false;
}
bool MatchUpdateTime(const ml_metadata::PutArtifactsRequest& request) {
  return request.options().abort_if_latest_updated_time_changed();
}

struct ReuseOptions {
  bool context_by_name = false;
  bool artifact_by_external_id = false;
  bool context_by_id = false;
};

// What becomes of one context of a request.
struct PlannedContext {
  int64_t id;
  bool is_put;  // Else an existing one is linked as it is stored.
};

using Contexts = google::protobuf::RepeatedPtrField<Context>;

// PutExecution stores artifacts, the execution and events before contexts (which shows in which
// error comes first), but their records hold the ids of their contexts. So the ids are found out
// beforehand, without writing: they are given, found by name, or the next ones.
absl::StatusOr<std::vector<PlannedContext>> PlanContexts(const Transaction& transaction,
                                                         const Contexts& contexts,
                                                         ReuseOptions reuse) {
  std::vector<PlannedContext> plan;
  std::map<std::pair<int64_t, absl::string_view>, int64_t> new_ids;  // By type and name.
  int64_t next_id = transaction.last_id(NodeKind::kContext) + 1;
  for (const Context& context : contexts) {
    if (context.has_id()) {
      plan.push_back({context.id(), !reuse.context_by_id});
      continue;
    }
    const std::pair<int64_t, absl::string_view> key = {context.type_id(), context.name()};
    if (reuse.context_by_name && !context.name().empty()) {
      auto stored = transaction.FindIdByName(NodeKind::kContext, context.type_id(), context.name());
      if (!stored.ok()) return stored.status();
      if (stored->has_value()) {
        plan.push_back({**stored, false});
        continue;
      }
      if (const auto it = new_ids.find(key); it != new_ids.end()) {
        plan.push_back({it->second, false});
        continue;
      }
    }
    new_ids[key] = next_id;
    plan.push_back({next_id++, true});
  }
  return plan;
}

std::vector<int64_t> IdsOf(const std::vector<PlannedContext>& plan) {
  std::vector<int64_t> ids;
  for (const PlannedContext& context : plan) ids.push_back(context.id);
  return ids;
}

// Does as planned. NotFound if a context to be linked as it is stored is not there.
absl::Status PutPlannedContexts(Transaction& transaction, const std::vector<PlannedContext>& plan,
                                Contexts* contexts) {
  for (size_t i = 0; i < plan.size(); ++i) {
    Context* context = contexts->Mutable(static_cast<int>(i));
    if (plan[i].is_put) {
      auto id = PutNode(transaction, context, {});
      if (!id.ok()) return id.status();
      if (*id != plan[i].id) {
        return absl::InternalError(
            absl::StrCat("context ", *id, " was planned as context ", plan[i].id));
      }
    } else if (context->has_id()) {
      auto exists = transaction.NodeExists(NodeKind::kContext, plan[i].id);
      if (!exists.ok()) return exists.status();
      if (!*exists) return absl::NotFoundError(absl::StrCat("no context has id ", plan[i].id));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> PutArtifact(Transaction& transaction, Artifact* artifact,
                                    ReuseOptions reuse, const std::vector<int64_t>& contexts) {
  if (reuse.artifact_by_external_id && !artifact->has_id() && artifact->has_external_id()) {
    auto existing = transaction.FindIdByExternalId(NodeKind::kArtifact, artifact->external_id());
    if (!existing.ok()) return existing.status();
    if (existing->has_value()) artifact->set_id(**existing);
  }
  return PutNode(transaction, artifact, {.contexts = contexts});
}

// Fills in one end of an event. An event may name the id too, but no other one.
absl::Status BindEnd(absl::string_view what, bool has_id, int64_t id_in_event, int64_t id) {
  if (!has_id || id_in_event == id) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("an event names ", what, " ", id_in_event, ", it stands with ", what, " ", id));
}

absl::Status BindArtifact(Event* event, int64_t id) {
  absl::Status status = BindEnd("artifact", event->has_artifact_id(), event->artifact_id(), id);
  event->set_artifact_id(id);
  return status;
}

absl::Status BindExecution(Event* event, int64_t id) {
  absl::Status status = BindEnd("execution", event->has_execution_id(), event->execution_id(), id);
  event->set_execution_id(id);
  return status;
}

using Pair = ml_metadata::PutExecutionRequest::ArtifactAndEvent;
constexpr int64_t kNoArtifact = -1;  // What an empty pair answers.

// The artifact that a pair without one names by its event.
absl::StatusOr<int64_t> FindPairArtifact(Transaction& transaction, const Pair& pair,
                                         const std::vector<int64_t>& contexts) {
  if (!pair.has_event()) return kNoArtifact;
  if (!pair.event().has_artifact_id()) {
    return absl::InvalidArgumentError(
        "an event of artifact_event_pairs has neither an artifact nor an artifact_id");
  }
  const int64_t id = pair.event().artifact_id();
  absl::Status status = transaction.Link(NodeKind::kArtifact, id, contexts);
  if (!status.ok()) return status;
  return id;
}

// Resolves one end of an event edge: by its index into `ids`, or by the id in the event.
absl::StatusOr<int64_t> EdgeEnd(NodeKind kind, bool has_index, int index,
                                const std::vector<int64_t>& ids, bool has_id, int64_t id) {
  if (!has_index) {
    if (has_id) return id;
    return absl::InvalidArgumentError(absl::StrCat("an event edge names no ", NameOf(kind)));
  }
  if (index < 0 || static_cast<size_t>(index) >= ids.size()) {
    return absl::OutOfRangeError(
        absl::StrCat("an event edge names ", NameOf(kind), " index ", index, " of ", ids.size()));
  }
  return ids[static_cast<size_t>(index)];
}

absl::StatusOr<Event*> BindEdge(ml_metadata::PutLineageSubgraphRequest::EventEdge* edge,
                                const std::vector<int64_t>& executions,
                                const std::vector<int64_t>& artifacts) {
  if (!edge->has_event()) return absl::InvalidArgumentError("an event edge has no event");
  Event* event = edge->mutable_event();
  auto execution =
      EdgeEnd(NodeKind::kExecution, edge->has_execution_index(), edge->execution_index(),
              executions, event->has_execution_id(), event->execution_id());
  if (!execution.ok()) return execution.status();
  auto artifact = EdgeEnd(NodeKind::kArtifact, edge->has_artifact_index(), edge->artifact_index(),
                          artifacts, event->has_artifact_id(), event->artifact_id());
  if (!artifact.ok()) return artifact.status();
  if (absl::Status status = BindExecution(event, *execution); !status.ok()) return status;
  if (absl::Status status = BindArtifact(event, *artifact); !status.ok()) return status;
  return event;
}

}  // namespace

template <class Node>
absl::Status PutNodes(Transaction& transaction, typename RpcOf<Node>::PutRequest* request,
                      typename RpcOf<Node>::PutResponse* response) {
  PutNodeOptions options;
  if (request->has_update_mask()) options.update_mask = &request->update_mask();
  if (MatchUpdateTime(*request)) {
    options.match_update_time = true;
    options.update_time = UpdateTime::kStrictlyLater;
  }
  for (Node& node : *RpcOf<Node>::Nodes(request)) {
    auto id = PutNode(transaction, &node, options);
    if (!id.ok()) return id.status();
    RpcOf<Node>::AddId(response, *id);
  }
  return absl::OkStatus();
}

template absl::Status PutNodes<Artifact>(Transaction&, RpcOf<Artifact>::PutRequest*,
                                         RpcOf<Artifact>::PutResponse*);
template absl::Status PutNodes<Execution>(Transaction&, RpcOf<Execution>::PutRequest*,
                                          RpcOf<Execution>::PutResponse*);
template absl::Status PutNodes<Context>(Transaction&, RpcOf<Context>::PutRequest*,
                                        RpcOf<Context>::PutResponse*);

absl::Status PutExecution(Transaction& transaction, ml_metadata::PutExecutionRequest* request,
                          ml_metadata::PutExecutionResponse* response) {
  const auto& options = request->options();
  const ReuseOptions reuse = {options.reuse_context_if_already_exist(),
                              options.reuse_artifact_if_already_exist_by_external_id(),
                              options.force_reuse_context()};
  auto plan = PlanContexts(transaction, request->contexts(), reuse);
  if (!plan.ok()) return plan.status();
  const std::vector<int64_t> contexts = IdsOf(*plan);
  for (int64_t id : contexts) response->add_context_ids(id);

  std::vector<int64_t> artifacts;  // One per pair.
  for (Pair& pair : *request->mutable_artifact_event_pairs()) {
    artifacts.push_back(kNoArtifact);
    if (!pair.has_artifact()) continue;
    auto id = PutArtifact(transaction, pair.mutable_artifact(), reuse, contexts);
    if (!id.ok()) return id.status();
    artifacts.back() = *id;
  }

  const UpdateTime update_time =
      options.force_update_time() ? UpdateTime::kAlways : UpdateTime::kIfChanged;
  auto execution = PutNode(transaction, request->mutable_execution(),
                           {.contexts = contexts, .update_time = update_time});
  if (!execution.ok()) return execution.status();
  response->set_execution_id(*execution);

  std::vector<Event*> events;
  for (int i = 0; i < request->artifact_event_pairs_size(); ++i) {
    Pair* pair = request->mutable_artifact_event_pairs(i);
    int64_t& artifact = artifacts[static_cast<size_t>(i)];
    if (!pair->has_artifact()) {
      auto id = FindPairArtifact(transaction, *pair, contexts);
      if (!id.ok()) return id.status();
      artifact = *id;
    }
    response->add_artifact_ids(artifact);
    if (!pair->has_event()) continue;
    Event* event = pair->mutable_event();
    if (absl::Status status = BindArtifact(event, artifact); !status.ok()) return status;
    if (absl::Status status = BindExecution(event, *execution); !status.ok()) return status;
    events.push_back(event);
  }
  // Both ends of each event have just been stored or found.
  absl::Status status = transaction.AddEvents(events, CheckEventType);
  return status.ok() ? PutPlannedContexts(transaction, *plan, request->mutable_contexts()) : status;
}

absl::Status PutLineageSubgraph(Transaction& transaction,
                                ml_metadata::PutLineageSubgraphRequest* request,
                                ml_metadata::PutLineageSubgraphResponse* response) {
  const auto& options = request->options();
  const ReuseOptions reuse = {options.reuse_context_if_already_exist(),
                              options.reuse_artifact_if_already_exist_by_external_id(), false};
  auto plan = PlanContexts(transaction, request->contexts(), reuse);
  if (!plan.ok()) return plan.status();
  const std::vector<int64_t> contexts = IdsOf(*plan);
  for (int64_t id : contexts) response->add_context_ids(id);

  absl::Status status = PutPlannedContexts(transaction, *plan, request->mutable_contexts());
  if (!status.ok()) return status;
  std::vector<int64_t> artifacts;
  for (Artifact& artifact : *request->mutable_artifacts()) {
    auto id = PutArtifact(transaction, &artifact, reuse, contexts);
    if (!id.ok()) return id.status();
    artifacts.push_back(*id);
    response->add_artifact_ids(*id);
  }
  std::vector<int64_t> executions;
  for (Execution& execution : *request->mutable_executions()) {
    auto id = PutNode(transaction, &execution, {.contexts = contexts});
    if (!id.ok()) return id.status();
    executions.push_back(*id);
    response->add_execution_ids(*id);
  }
  std::vector<Event*> events;
  for (auto& edge : *request->mutable_event_edges()) {
    auto event = BindEdge(&edge, executions, artifacts);
    if (!event.ok()) return event.status();
    events.push_back(*event);
  }
  return AddCheckedEvents(transaction, events);
}

}  // namespace pedigree
