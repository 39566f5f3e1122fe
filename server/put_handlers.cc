// Put{Artifacts,Executions,Contexts}, PutExecution, PutLineageSubgraph.
#include <map>
#include <optional>
#include <string>
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
class ContextPlanner {
 public:
  ContextPlanner(const Transaction& transaction, ReuseOptions reuse)
      : transaction_(transaction),
        reuse_(reuse),
        next_id_(transaction.last_id(NodeKind::kContext) + 1) {}

  absl::StatusOr<PlannedContext> Plan(const Context& context) {
    if (context.has_id()) return PlanUpdate(context);
    const Name name = {context.type_id(), context.name()};
    if (reuse_.context_by_name && !context.name().empty()) {
      auto existing = FindByName(name);
      if (!existing.ok()) return existing.status();
      if (existing->has_value()) return PlannedContext{**existing, false};
    }
    names_[name] = next_id_;
    return PlannedContext{next_id_++, true};
  }

 private:
  using Name = std::pair<int64_t, std::string>;  // Type and name.

  absl::StatusOr<PlannedContext> PlanUpdate(const Context& context) {
    const PlannedContext planned = {context.id(), !reuse_.context_by_id};
    if (!planned.is_put || !reuse_.context_by_name) return planned;
    auto record = transaction_.FindRecord(NodeKind::kContext, context.id());
    if (!record.ok()) return record.status();
    const auto stored =
        record->has_value() ? PeekNode(NodeKind::kContext, (*record)->message()) : std::nullopt;
    if (!stored.has_value()) return planned;  // Refused when it is put.
    names_[{stored->type_id, std::string(stored->name.value_or(""))}] = std::nullopt;
    names_[{stored->type_id, context.name()}] = context.id();
    return planned;
  }

  absl::StatusOr<std::optional<int64_t>> FindByName(const Name& name) const {
    const auto it = names_.find(name);
    if (it != names_.end()) return it->second;
    return transaction_.FindIdByName(NodeKind::kContext, name.first, name.second);
  }

  const Transaction& transaction_;
  const ReuseOptions reuse_;
  int64_t next_id_;
  // What this request makes of names: whose they are, or that they are free.
  std::map<Name, std::optional<int64_t>> names_;
};

absl::StatusOr<std::vector<PlannedContext>> PlanContexts(const Transaction& transaction,
                                                         const Contexts& contexts,
                                                         ReuseOptions reuse) {
  ContextPlanner planner(transaction, reuse);
  std::vector<PlannedContext> plan;
  for (const Context& context : contexts) {
    auto planned = planner.Plan(context);
    if (!planned.ok()) return planned.status();
    plan.push_back(*planned);
  }
  return plan;
}

std::vector<int64_t> IdsOf(const std::vector<PlannedContext>& plan) {
  std::vector<int64_t> ids;
  for (const PlannedContext& context : plan) {
    if (context.id > 0) ids.push_back(context.id);  // Others are refused when they are put.
  }
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
  for (const PlannedContext& context : *plan) response->add_context_ids(context.id);

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
  for (const PlannedContext& context : *plan) response->add_context_ids(context.id);

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
