// What the Gets should answer. Every search is a scan over the maps.
#include <algorithm>

#include "tests/model/model.h"
#include "tests/model/wanted.h"

namespace pedigree::model {
namespace {

using absl::StatusCode;
using google::protobuf::Message;
using namespace ml_metadata;  // NOLINT: half of its messages.

// The nodes that are wanted, ids ascending, as they are answered.
template <class Node, class Repeated>
void AddNodes(const State& state, const Wanted<Node>& wanted, Repeated* out) {
  for (const auto& [id, node] : state.Of<Node>().nodes) {
    if (wanted(*node)) *out->Add() = AnswerOf(state, *node);
  }
}

template <class Repeated, class T>
bool Contains(const Repeated& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

template <class Ids, class Repeated>
Verdict CheckExternalIds(const Ids& asked, const Repeated& found) {
  Verdict verdict;
  if (Contains(asked, "")) verdict.Fault(StatusCode::kInvalidArgument);
  if (verdict.ok() && found.empty() && !asked.empty()) verdict.Fault(StatusCode::kNotFound);
  return verdict;
}

template <class Node, class Ids, class Repeated>
Verdict ByExternalIds(const State& state, const Ids& asked, Repeated* out) {
  AddNodes<Node>(
      state,
      [&](const Node& node) {
        return node.has_external_id() && Contains(asked, node.external_id());
      },
      out);
  return CheckExternalIds(asked, *out);
}

template <class Node>
bool FindByName(const State& state, const std::string& type_name, const std::string& type_version,
                const std::string& name, Node* out) {
  const auto* type = FindType<Node>(state, type_name, type_version);
  for (const auto& [id, node] : state.Of<Node>().nodes) {
    if (type == nullptr || node->type_id() != type->id()) continue;
    if (!node->has_name() || node->name() != name) continue;
    *out = AnswerOf(state, *node);
    return true;
  }
  return false;
}

template <class Node, class Repeated>
Verdict Types(const State& state, Repeated* out) {
  for (const auto& [id, type] : state.Of<Node>().types) {
    if (id > 9) *out->Add() = *type;
  }
  return {};
}

template <class Node, class Ids, class Repeated>
Verdict TypesById(const State& state, const Ids& asked, Repeated* out) {
  for (int64_t id : asked) {
    const auto it = state.Of<Node>().types.find(id);
    if (it != state.Of<Node>().types.end()) *out->Add() = *it->second;
  }
  return {};
}

template <class Node, class Ids, class Repeated>
Verdict TypesByExternalIds(const State& state, const Ids& asked, Repeated* out) {
  for (const auto& [id, type] : state.Of<Node>().types) {
    if (type->has_external_id() && Contains(asked, type->external_id())) *out->Add() = *type;
  }
  return CheckExternalIds(asked, *out);
}

template <class Node, class Type>
Verdict TypeByName(const State& state, const std::string& name, const std::string& version,
                   Type* out) {
  Verdict verdict;
  const auto* type = FindType<Node>(state, name, version);
  if (type == nullptr) {
    verdict.Fault(StatusCode::kNotFound);
  } else {
    *out = *type;
  }
  return verdict;
}

template <class Repeated>
Verdict ContextsOf(const State& state, NodeKind kind, int64_t id, Repeated* out) {
  AddNodes<Context>(
      state,
      [&](const Context& context) {
        return state.LinksOf(kind).contains({id, context.id()});
      },
      out);
  Verdict verdict;
  if (out->empty() && kind != NodeKind::kContext) verdict.Fault(StatusCode::kNotFound);
  return verdict;
}

template <class Repeated>
void ChildrenOf(const State& state, int64_t id, Repeated* out) {
  AddNodes<Context>(
      state,
      [&](const Context& child) {
        return state.LinksOf(NodeKind::kContext).contains({child.id(), id});
      },
      out);
}

// Events by id, then in the order added.
template <class Ids, class Repeated>
Verdict EventsBy(const State& state, const Ids& asked, int64_t (*id_of)(const Event&),
                 Repeated* out) {
  const std::set<int64_t> ids(asked.begin(), asked.end());
  for (int64_t id : ids) {
    for (const auto& event : state.events) {
      if (id_of(*event) == id) *out->Add() = *event;
    }
  }
  return {};
}

// One overload per call. Lists are asked for without options here.

Verdict Answer(const State& s, const GetArtifactsByIDRequest& q, GetArtifactsByIDResponse* r) {
  std::set<int64_t> types;
  for (const auto& [id, node] : s.Of<Artifact>().nodes) {
    if (!Contains(q.artifact_ids(), id)) continue;
    *r->add_artifacts() = AnswerOf(s, *node);
    if (q.populate_artifact_types()) types.insert(node->type_id());
  }
  for (int64_t id : types) *r->add_artifact_types() = *s.Of<Artifact>().types.at(id);
  return {};
}
Verdict Answer(const State& s, const GetExecutionsByIDRequest& q, GetExecutionsByIDResponse* r) {
  AddNodes<Execution>(
      s, [&](const Execution& n) { return Contains(q.execution_ids(), n.id()); },
      r->mutable_executions());
  return {};
}
Verdict Answer(const State& s, const GetContextsByIDRequest& q, GetContextsByIDResponse* r) {
  AddNodes<Context>(
      s, [&](const Context& n) { return Contains(q.context_ids(), n.id()); },
      r->mutable_contexts());
  return {};
}
Verdict Answer(const State& s, const GetArtifactsByExternalIdsRequest& q,
               GetArtifactsByExternalIdsResponse* r) {
  return ByExternalIds<Artifact>(s, q.external_ids(), r->mutable_artifacts());
}
Verdict Answer(const State& s, const GetExecutionsByExternalIdsRequest& q,
               GetExecutionsByExternalIdsResponse* r) {
  return ByExternalIds<Execution>(s, q.external_ids(), r->mutable_executions());
}
Verdict Answer(const State& s, const GetContextsByExternalIdsRequest& q,
               GetContextsByExternalIdsResponse* r) {
  return ByExternalIds<Context>(s, q.external_ids(), r->mutable_contexts());
}
Verdict Answer(const State& s, const GetArtifactByTypeAndNameRequest& q,
               GetArtifactByTypeAndNameResponse* r) {
  Artifact found;
  if (FindByName(s, q.type_name(), q.type_version(), q.artifact_name(), &found)) {
    *r->mutable_artifact() = found;
  }
  return {};
}
Verdict Answer(const State& s, const GetExecutionByTypeAndNameRequest& q,
               GetExecutionByTypeAndNameResponse* r) {
  Execution found;
  if (FindByName(s, q.type_name(), q.type_version(), q.execution_name(), &found)) {
    *r->mutable_execution() = found;
  }
  return {};
}
Verdict Answer(const State& s, const GetContextByTypeAndNameRequest& q,
               GetContextByTypeAndNameResponse* r) {
  Context found;
  if (FindByName(s, q.type_name(), q.type_version(), q.context_name(), &found)) {
    *r->mutable_context() = found;
  }
  return {};
}
Verdict Answer(const State& s, const GetArtifactsRequest&, GetArtifactsResponse* r) {
  AddNodes<Artifact>(s, Any<Artifact>(), r->mutable_artifacts());
  return {};
}
Verdict Answer(const State& s, const GetExecutionsRequest&, GetExecutionsResponse* r) {
  AddNodes<Execution>(s, Any<Execution>(), r->mutable_executions());
  return {};
}
Verdict Answer(const State& s, const GetContextsRequest&, GetContextsResponse* r) {
  AddNodes<Context>(s, Any<Context>(), r->mutable_contexts());
  return {};
}
Verdict Answer(const State& s, const GetArtifactsByTypeRequest& q, GetArtifactsByTypeResponse* r) {
  AddNodes<Artifact>(s, OfType<Artifact>(s, q.type_name(), q.type_version()),
                     r->mutable_artifacts());
  return {};
}
Verdict Answer(const State& s, const GetExecutionsByTypeRequest& q,
               GetExecutionsByTypeResponse* r) {
  AddNodes<Execution>(s, OfType<Execution>(s, q.type_name(), q.type_version()),
                      r->mutable_executions());
  return {};
}
Verdict Answer(const State& s, const GetContextsByTypeRequest& q, GetContextsByTypeResponse* r) {
  AddNodes<Context>(s, OfType<Context>(s, q.type_name(), q.type_version()), r->mutable_contexts());
  return {};
}
Verdict Answer(const State& s, const GetArtifactsByContextRequest& q,
               GetArtifactsByContextResponse* r) {
  AddNodes<Artifact>(s, InContext<Artifact>(s, q.context_id()), r->mutable_artifacts());
  return {};
}
Verdict Answer(const State& s, const GetExecutionsByContextRequest& q,
               GetExecutionsByContextResponse* r) {
  AddNodes<Execution>(s, InContext<Execution>(s, q.context_id()), r->mutable_executions());
  return {};
}
Verdict Answer(const State& s, const GetArtifactsByURIRequest& q, GetArtifactsByURIResponse* r) {
  AddNodes<Artifact>(
      s, [&](const Artifact& n) { return Contains(q.uris(), n.uri()); }, r->mutable_artifacts());
  return {};
}
Verdict Answer(const State& s, const GetEventsByExecutionIDsRequest& q,
               GetEventsByExecutionIDsResponse* r) {
  return EventsBy(
      s, q.execution_ids(), [](const Event& e) { return e.execution_id(); }, r->mutable_events());
}
Verdict Answer(const State& s, const GetEventsByArtifactIDsRequest& q,
               GetEventsByArtifactIDsResponse* r) {
  return EventsBy(
      s, q.artifact_ids(), [](const Event& e) { return e.artifact_id(); }, r->mutable_events());
}
Verdict Answer(const State& s, const GetContextsByArtifactRequest& q,
               GetContextsByArtifactResponse* r) {
  return ContextsOf(s, NodeKind::kArtifact, q.artifact_id(), r->mutable_contexts());
}
Verdict Answer(const State& s, const GetContextsByExecutionRequest& q,
               GetContextsByExecutionResponse* r) {
  return ContextsOf(s, NodeKind::kExecution, q.execution_id(), r->mutable_contexts());
}
Verdict Answer(const State& s, const GetParentContextsByContextRequest& q,
               GetParentContextsByContextResponse* r) {
  return ContextsOf(s, NodeKind::kContext, q.context_id(), r->mutable_contexts());
}
Verdict Answer(const State& s, const GetChildrenContextsByContextRequest& q,
               GetChildrenContextsByContextResponse* r) {
  ChildrenOf(s, q.context_id(), r->mutable_contexts());
  return {};
}
Verdict Answer(const State& s, const GetParentContextsByContextsRequest& q,
               GetParentContextsByContextsResponse* r) {
  for (int64_t id : q.context_ids()) {
    GetParentContextsByContextsResponse::ParentContextsPerChild parents;
    ContextsOf(s, NodeKind::kContext, id, parents.mutable_parent_contexts());
    if (parents.parent_contexts_size() > 0) (*r->mutable_contexts())[id] = parents;
  }
  return {};
}
Verdict Answer(const State& s, const GetChildrenContextsByContextsRequest& q,
               GetChildrenContextsByContextsResponse* r) {
  for (int64_t id : q.context_ids()) {
    GetChildrenContextsByContextsResponse::ChildrenContextsPerParent children;
    ChildrenOf(s, id, children.mutable_children_contexts());
    if (children.children_contexts_size() > 0) (*r->mutable_contexts())[id] = children;
  }
  return {};
}
Verdict Answer(const State& s, const GetArtifactTypeRequest& q, GetArtifactTypeResponse* r) {
  return TypeByName<Artifact>(s, q.type_name(), q.type_version(), r->mutable_artifact_type());
}
Verdict Answer(const State& s, const GetExecutionTypeRequest& q, GetExecutionTypeResponse* r) {
  return TypeByName<Execution>(s, q.type_name(), q.type_version(), r->mutable_execution_type());
}
Verdict Answer(const State& s, const GetContextTypeRequest& q, GetContextTypeResponse* r) {
  return TypeByName<Context>(s, q.type_name(), q.type_version(), r->mutable_context_type());
}
Verdict Answer(const State& s, const GetArtifactTypesRequest&, GetArtifactTypesResponse* r) {
  return Types<Artifact>(s, r->mutable_artifact_types());
}
Verdict Answer(const State& s, const GetExecutionTypesRequest&, GetExecutionTypesResponse* r) {
  return Types<Execution>(s, r->mutable_execution_types());
}
Verdict Answer(const State& s, const GetContextTypesRequest&, GetContextTypesResponse* r) {
  return Types<Context>(s, r->mutable_context_types());
}
Verdict Answer(const State& s, const GetArtifactTypesByIDRequest& q,
               GetArtifactTypesByIDResponse* r) {
  return TypesById<Artifact>(s, q.type_ids(), r->mutable_artifact_types());
}
Verdict Answer(const State& s, const GetExecutionTypesByIDRequest& q,
               GetExecutionTypesByIDResponse* r) {
  return TypesById<Execution>(s, q.type_ids(), r->mutable_execution_types());
}
Verdict Answer(const State& s, const GetContextTypesByIDRequest& q,
               GetContextTypesByIDResponse* r) {
  return TypesById<Context>(s, q.type_ids(), r->mutable_context_types());
}
Verdict Answer(const State& s, const GetArtifactTypesByExternalIdsRequest& q,
               GetArtifactTypesByExternalIdsResponse* r) {
  return TypesByExternalIds<Artifact>(s, q.external_ids(), r->mutable_artifact_types());
}
Verdict Answer(const State& s, const GetExecutionTypesByExternalIdsRequest& q,
               GetExecutionTypesByExternalIdsResponse* r) {
  return TypesByExternalIds<Execution>(s, q.external_ids(), r->mutable_execution_types());
}
Verdict Answer(const State& s, const GetContextTypesByExternalIdsRequest& q,
               GetContextTypesByExternalIdsResponse* r) {
  return TypesByExternalIds<Context>(s, q.external_ids(), r->mutable_context_types());
}

using Answerer = Verdict (*)(const State&, const Message&, Message*);

template <class Request, class Response>
std::pair<const google::protobuf::Descriptor*, Answerer> Row() {
  return {Request::descriptor(), [](const State& state, const Message& request, Message* response) {
            return Answer(state, static_cast<const Request&>(request),
                          static_cast<Response*>(response));
          }};
}

#define PEDIGREE_ROW(Name) Row<Name##Request, Name##Response>()
const std::map<const google::protobuf::Descriptor*, Answerer>& Answerers() {
  static const auto* const kTable = new std::map<const google::protobuf::Descriptor*, Answerer>{
      PEDIGREE_ROW(GetArtifactsByID),
      PEDIGREE_ROW(GetExecutionsByID),
      PEDIGREE_ROW(GetContextsByID),
      PEDIGREE_ROW(GetArtifactsByExternalIds),
      PEDIGREE_ROW(GetExecutionsByExternalIds),
      PEDIGREE_ROW(GetContextsByExternalIds),
      PEDIGREE_ROW(GetArtifactByTypeAndName),
      PEDIGREE_ROW(GetExecutionByTypeAndName),
      PEDIGREE_ROW(GetContextByTypeAndName),
      PEDIGREE_ROW(GetArtifacts),
      PEDIGREE_ROW(GetExecutions),
      PEDIGREE_ROW(GetContexts),
      PEDIGREE_ROW(GetArtifactsByType),
      PEDIGREE_ROW(GetExecutionsByType),
      PEDIGREE_ROW(GetContextsByType),
      PEDIGREE_ROW(GetArtifactsByContext),
      PEDIGREE_ROW(GetExecutionsByContext),
      PEDIGREE_ROW(GetArtifactsByURI),
      PEDIGREE_ROW(GetEventsByExecutionIDs),
      PEDIGREE_ROW(GetEventsByArtifactIDs),
      PEDIGREE_ROW(GetContextsByArtifact),
      PEDIGREE_ROW(GetContextsByExecution),
      PEDIGREE_ROW(GetParentContextsByContext),
      PEDIGREE_ROW(GetChildrenContextsByContext),
      PEDIGREE_ROW(GetParentContextsByContexts),
      PEDIGREE_ROW(GetChildrenContextsByContexts),
      PEDIGREE_ROW(GetArtifactType),
      PEDIGREE_ROW(GetExecutionType),
      PEDIGREE_ROW(GetContextType),
      PEDIGREE_ROW(GetArtifactTypes),
      PEDIGREE_ROW(GetExecutionTypes),
      PEDIGREE_ROW(GetContextTypes),
      PEDIGREE_ROW(GetArtifactTypesByID),
      PEDIGREE_ROW(GetExecutionTypesByID),
      PEDIGREE_ROW(GetContextTypesByID),
      PEDIGREE_ROW(GetArtifactTypesByExternalIds),
      PEDIGREE_ROW(GetExecutionTypesByExternalIds),
      PEDIGREE_ROW(GetContextTypesByExternalIds),
  };
  return *kTable;
}
#undef PEDIGREE_ROW

}  // namespace

Verdict Model::Read(const Message& request, Message* response) const {
  const auto it = Answerers().find(request.GetDescriptor());
  Verdict verdict;
  if (it == Answerers().end()) {
    verdict.Fault(StatusCode::kInternal);
    return verdict;
  }
  verdict = it->second(state_, request, response);
  if (!verdict.ok()) response->Clear();
  return verdict;
}

}  // namespace pedigree::model
