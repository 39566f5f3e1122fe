// Events, links, and the calls that put executions with all around them.
#include "tests/model/writer.h"

namespace pedigree::model {
namespace {

using absl::StatusCode;
using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;

}  // namespace

bool Writer::PutEvent(Event event) {
  if (!event.has_artifact_id() || !event.has_execution_id() || event.type() == Event::UNKNOWN ||
      !Exists<Artifact>(event.artifact_id()) || !Exists<Execution>(event.execution_id())) {
    Fault(StatusCode::kInvalidArgument);
    return false;
  }
  for (const auto& other : state_.events) {
    if (other->artifact_id() == event.artifact_id() &&
        other->execution_id() == event.execution_id() && other->type() == event.type()) {
      Fault(StatusCode::kAlreadyExists);
      return false;
    }
  }
  if (!event.has_milliseconds_since_epoch()) event.set_milliseconds_since_epoch(now_ms());
  if (event.path().steps().empty()) event.clear_path();
  event.DiscardUnknownFields();
  state_.events.push_back(std::make_shared<const Event>(event));
  return true;
}

void Writer::Put(const ml_metadata::PutEventsRequest& request, ml_metadata::PutEventsResponse*) {
  for (const Event& event : request.events()) PutEvent(event);
}

void Writer::Put(const ml_metadata::PutAttributionsAndAssociationsRequest& request,
                 ml_metadata::PutAttributionsAndAssociationsResponse*) {
  for (const auto& link : request.attributions()) {
    if (link.has_artifact_id() && link.has_context_id() && Exists<Artifact>(link.artifact_id()) &&
        Exists<Context>(link.context_id())) {
      state_.LinksOf(NodeKind::kArtifact).emplace(link.artifact_id(), link.context_id());
    } else {
      Fault(StatusCode::kInvalidArgument);
    }
  }
  for (const auto& link : request.associations()) {
    if (link.has_execution_id() && link.has_context_id() &&
        Exists<Execution>(link.execution_id()) && Exists<Context>(link.context_id())) {
      state_.LinksOf(NodeKind::kExecution).emplace(link.execution_id(), link.context_id());
    } else {
      Fault(StatusCode::kInvalidArgument);
    }
  }
}

void Writer::Put(const ml_metadata::PutParentContextsRequest& request,
                 ml_metadata::PutParentContextsResponse*) {
  State::Links& parents = state_.LinksOf(NodeKind::kContext);
  for (const auto& pair : request.parent_contexts()) {
    if (!pair.has_child_id() || !pair.has_parent_id() || !Exists<Context>(pair.child_id()) ||
        !Exists<Context>(pair.parent_id())) {
      Fault(StatusCode::kInvalidArgument);
      continue;
    }
    // Everything above the parent, the parent included: the child must not be among it.
    std::set<int64_t> above = {pair.parent_id()};
    for (bool grew = true; grew;) {
      grew = false;
      for (const auto& [child, parent] : parents) {
        if (above.contains(child)) grew = above.insert(parent).second || grew;
      }
    }
    if (above.contains(pair.child_id())) {
      Fault(StatusCode::kInvalidArgument);
    } else if (!parents.emplace(pair.child_id(), pair.parent_id()).second) {
      Fault(StatusCode::kAlreadyExists);
    }
  }
}

Writer::Id Writer::PutArtifactOrReuse(Artifact artifact, bool reuse_by_external_id) {
  if (reuse_by_external_id && !artifact.has_id() && artifact.has_external_id()) {
    for (const auto& [id, other] : state_.Of<Artifact>().nodes) {
      if (other->has_external_id() && other->external_id() == artifact.external_id()) {
        artifact.set_id(id);
      }
    }
  }
  return PutNode(artifact, {});
}

Writer::Id Writer::PutContextOrReuse(const Context& context, bool reuse_by_name, bool reuse_by_id) {
  if (context.has_id() && reuse_by_id) {
    return Exists<Context>(context.id()) ? Id(context.id()) : Fault(StatusCode::kNotFound);
  }
  if (!context.has_id() && reuse_by_name && !context.name().empty()) {
    for (const auto& [id, other] : state_.Of<Context>().nodes) {
      if (other->type_id() == context.type_id() && other->name() == context.name()) return id;
    }
  }
  return PutNode(context, {});
}

void Writer::LinkAll(NodeKind kind, const std::vector<Id>& nodes, const std::vector<Id>& contexts) {
  for (const Id& node : nodes) {
    for (const Id& context : contexts) {
      if (node && context && *node > 0) state_.LinksOf(kind).emplace(*node, *context);
    }
  }
}

// What one pair answers: its artifact, which is in `stored` if the pair holds one, or the one that
// its event names; -1 if the pair is empty. Adds the event.
Writer::Id Writer::PutPair(const ml_metadata::PutExecutionRequest::ArtifactAndEvent& pair,
                           Id stored, Id execution) {
  if (!pair.has_event()) return pair.has_artifact() ? stored : -1;
  Event event = pair.event();
  Id artifact = stored;
  if (!pair.has_artifact()) {
    const bool exists = event.has_artifact_id() && Exists<Artifact>(event.artifact_id());
    artifact = exists ? Id(event.artifact_id()) : Fault(StatusCode::kInvalidArgument);
  }
  if ((event.has_artifact_id() && artifact && event.artifact_id() != *artifact) ||
      (event.has_execution_id() && execution && event.execution_id() != *execution) ||
      event.type() == Event::UNKNOWN) {
    return Fault(StatusCode::kInvalidArgument);
  }
  if (!artifact || !execution) return std::nullopt;
  event.set_artifact_id(*artifact);
  event.set_execution_id(*execution);
  return PutEvent(event) ? artifact : std::nullopt;
}

void Writer::Put(const ml_metadata::PutExecutionRequest& request,
                 ml_metadata::PutExecutionResponse* response) {
  const auto& options = request.options();
  if (!request.has_execution()) {
    Fault(StatusCode::kInvalidArgument);
    return;
  }
  // All artifacts come before all events: an event may name what a later pair brings.
  std::vector<Id> artifacts;
  for (const auto& pair : request.artifact_event_pairs()) {
    artifacts.push_back(
        pair.has_artifact()
            ? PutArtifactOrReuse(pair.artifact(),
                                 options.reuse_artifact_if_already_exist_by_external_id())
            : std::nullopt);
  }
  UpdateRules rules;
  rules.force_time = options.force_update_time();
  const Id execution = PutNode(request.execution(), rules);
  response->set_execution_id(execution.value_or(0));
  for (size_t i = 0; i < artifacts.size(); ++i) {
    const auto& pair = request.artifact_event_pairs(static_cast<int>(i));
    artifacts[i] = PutPair(pair, artifacts[i], execution);
    response->add_artifact_ids(artifacts[i].value_or(0));
  }
  std::vector<Id> contexts;
  for (const Context& context : request.contexts()) {
    contexts.push_back(PutContextOrReuse(context, options.reuse_context_if_already_exist(),
                                         options.force_reuse_context()));
    response->add_context_ids(contexts.back().value_or(0));
  }
  LinkAll(NodeKind::kExecution, {execution}, contexts);
  LinkAll(NodeKind::kArtifact, artifacts, contexts);
}

Writer::Id Writer::EdgeEnd(bool has_index, int index, const std::vector<Id>& ids, bool has_id,
                           int64_t id) {
  if (!has_index) return has_id ? Id(id) : Fault(StatusCode::kInvalidArgument);
  if (index < 0 || static_cast<size_t>(index) >= ids.size()) return Fault(StatusCode::kOutOfRange);
  const Id chosen = ids[static_cast<size_t>(index)];
  if (chosen && has_id && id != *chosen) return Fault(StatusCode::kInvalidArgument);
  return chosen;
}

void Writer::PutEdge(const ml_metadata::PutLineageSubgraphRequest::EventEdge& edge,
                     const std::vector<Id>& executions, const std::vector<Id>& artifacts) {
  Event event = edge.event();
  if (!edge.has_event()) Fault(StatusCode::kInvalidArgument);
  const Id execution = EdgeEnd(edge.has_execution_index(), edge.execution_index(), executions,
                               event.has_execution_id(), event.execution_id());
  const Id artifact = EdgeEnd(edge.has_artifact_index(), edge.artifact_index(), artifacts,
                              event.has_artifact_id(), event.artifact_id());
  if (!edge.has_event() || !execution || !artifact) return;
  event.set_execution_id(*execution);
  event.set_artifact_id(*artifact);
  PutEvent(event);
}

void Writer::Put(const ml_metadata::PutLineageSubgraphRequest& request,
                 ml_metadata::PutLineageSubgraphResponse* response) {
  const auto& options = request.options();
  std::vector<Id> executions;
  for (const Execution& execution : request.executions()) {
    executions.push_back(PutNode(execution, {}));
    response->add_execution_ids(executions.back().value_or(0));
  }
  std::vector<Id> artifacts;
  for (const Artifact& artifact : request.artifacts()) {
    artifacts.push_back(
        PutArtifactOrReuse(artifact, options.reuse_artifact_if_already_exist_by_external_id()));
    response->add_artifact_ids(artifacts.back().value_or(0));
  }
  std::vector<Id> contexts;
  for (const Context& context : request.contexts()) {
    contexts.push_back(PutContextOrReuse(context, options.reuse_context_if_already_exist(), false));
    response->add_context_ids(contexts.back().value_or(0));
  }
  LinkAll(NodeKind::kExecution, executions, contexts);
  LinkAll(NodeKind::kArtifact, artifacts, contexts);
  for (const auto& edge : request.event_edges()) PutEdge(edge, executions, artifacts);
}

}  // namespace pedigree::model
