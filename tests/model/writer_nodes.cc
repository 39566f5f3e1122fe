// Artifacts, executions and contexts: what their Puts and PutExecution have in common.
#include <algorithm>
#include <type_traits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/model/writer.h"

namespace pedigree::model {
namespace {

using absl::StatusCode;
using google::protobuf::FieldMask;
using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Execution;
using ml_metadata::PropertyType;
using ml_metadata::Value;

template <class Node>
constexpr bool kIsContext = std::is_same_v<Node, Context>;

PropertyType KindOf(const Value& value) {
  if (value.has_int_value()) return ml_metadata::INT;
  if (value.has_double_value()) return ml_metadata::DOUBLE;
  if (value.has_string_value()) return ml_metadata::STRING;
  if (value.has_struct_value()) return ml_metadata::STRUCT;
  if (value.has_proto_value()) return ml_metadata::PROTO;
  return ml_metadata::BOOLEAN;
}

bool Names(const FieldMask& mask, const std::string& path) {
  return std::find(mask.paths().begin(), mask.paths().end(), path) != mask.paths().end();
}

using Properties = google::protobuf::Map<std::string, Value>;

void TakeProperties(const FieldMask& mask, const std::string& field, const Properties& from,
                    Properties* to) {
  if (Names(mask, field)) {
    *to = from;
    return;
  }
  const std::string head = field + ".";
  for (const std::string& path : mask.paths()) {
    if (!absl::StartsWith(path, head)) continue;
    const std::string name = path.substr(head.size());
    to->erase(name);
    if (from.contains(name)) (*to)[name] = from.at(name);
  }
}

void TakeState(const FieldMask& mask, const Artifact& from, Artifact* to) {
  if (Names(mask, "uri")) to->set_uri(from.uri());
  if (!Names(mask, "state")) return;
  to->clear_state();
  if (from.has_state()) to->set_state(from.state());
}
void TakeState(const FieldMask& mask, const Execution& from, Execution* to) {
  if (!Names(mask, "last_known_state")) return;
  to->clear_last_known_state();
  if (from.has_last_known_state()) to->set_last_known_state(from.last_known_state());
}
void TakeState(const FieldMask&, const Context&, Context*) {}

// `stored` with those fields of `node` that the mask names.
template <class Node>
Node Masked(const FieldMask& mask, const Node& stored, const Node& node) {
  Node result = stored;
  if (Names(mask, "name")) result.set_name(node.name());
  if (Names(mask, "external_id")) {
    result.clear_external_id();
    if (node.has_external_id()) result.set_external_id(node.external_id());
  }
  TakeState(mask, node, &result);
  TakeProperties(mask, "properties", node.properties(), result.mutable_properties());
  TakeProperties(mask, "custom_properties", node.custom_properties(),
                 result.mutable_custom_properties());
  return result;
}

void FillUri(Artifact* artifact) { artifact->set_uri(artifact->uri()); }
template <class Node>
void FillUri(Node*) {}

template <class Node>
void KeepName(const Node& stored, Node* node) {
  if (kIsContext<Node>) return;
  node->clear_name();
  if (stored.has_name()) node->set_name(stored.name());
}

// Only what the contract knows is stored.
void DropUnknownFields(google::protobuf::Message* message) { message->DiscardUnknownFields(); }

}  // namespace

// Whether the content may be stored in place of `stored`, or as a new node if that is null.
template <class Node>
bool Writer::CheckContent(const Node& node, const Node* stored) {
  const size_t faults = verdict_.fault_count();
  const auto& things = state_.Of<Node>();
  if (kIsContext<Node> && node.name().empty()) Fault(StatusCode::kInvalidArgument);
  const auto& declared = things.types.at(node.type_id())->properties();
  for (const auto& [name, value] : node.properties()) {
    const auto it = declared.find(name);
    if (it == declared.end() || it->second != KindOf(value)) Fault(StatusCode::kInvalidArgument);
  }
  for (const auto& [id, other] : things.nodes) {
    if (other.get() == stored) continue;
    const bool same_name = node.has_name() && other->has_name() && other->name() == node.name() &&
                           other->type_id() == node.type_id();
    const bool same_external_id = node.has_external_id() && other->has_external_id() &&
                                  other->external_id() == node.external_id();
    if (same_name || same_external_id) Fault(StatusCode::kAlreadyExists);
  }
  return verdict_.fault_count() == faults;
}

template <class Node>
Writer::Id Writer::Create(const Node& node) {
  auto& things = state_.Of<Node>();
  if (!node.has_type_id()) return Fault(StatusCode::kInvalidArgument);
  if (!things.types.contains(node.type_id())) {
    if (kIsContext<Node> && node.name().empty()) Fault(StatusCode::kInvalidArgument);
    return Fault(StatusCode::kNotFound);
  }
  if (!CheckContent<Node>(node, nullptr)) return std::nullopt;
  Node created = node;
  created.set_id(++things.last_id);
  created.clear_type();
  created.set_create_time_since_epoch(now_ms());
  created.set_last_update_time_since_epoch(now_ms());
  FillUri(&created);
  DropUnknownFields(&created);
  things.nodes[created.id()] = std::make_shared<const Node>(created);
  return created.id();
}

template <class Node>
Writer::Id Writer::Update(const Node& node, const UpdateRules& rules) {
  auto& things = state_.Of<Node>();
  const auto it = things.nodes.find(node.id());
  if (it == things.nodes.end()) return Fault(StatusCode::kInvalidArgument);
  const std::shared_ptr<const Node> stored = it->second;
  const size_t faults = verdict_.fault_count();
  if (node.has_type_id() && node.type_id() != stored->type_id()) {
    Fault(StatusCode::kInvalidArgument);
  }
  if (rules.must_match_time &&
      (!node.has_last_update_time_since_epoch() ||
       node.last_update_time_since_epoch() != stored->last_update_time_since_epoch())) {
    Fault(StatusCode::kFailedPrecondition);
  }
  Node updated = rules.mask.paths_size() > 0 ? Masked(rules.mask, *stored, node) : node;
  updated.set_id(stored->id());
  updated.set_type_id(stored->type_id());
  updated.clear_type();
  updated.set_create_time_since_epoch(stored->create_time_since_epoch());
  updated.set_last_update_time_since_epoch(stored->last_update_time_since_epoch());
  KeepName(*stored, &updated);
  FillUri(&updated);
  DropUnknownFields(&updated);
  CheckContent<Node>(updated, stored.get());
  if (verdict_.fault_count() > faults) return std::nullopt;

  int64_t time_ms = stored->last_update_time_since_epoch();
  if (rules.must_match_time) {
    time_ms = std::max(now_ms(), time_ms + 1);
  } else if (rules.force_time || CanonicalBytes(updated) != CanonicalBytes(*stored)) {
    time_ms = now_ms();
  }
  updated.set_last_update_time_since_epoch(time_ms);
  state_.last_time_ms = std::max(state_.last_time_ms, time_ms);
  if (CanonicalBytes(updated) != CanonicalBytes(*stored)) {
    it->second = std::make_shared<const Node>(updated);
  }
  return updated.id();
}

template <class Node>
Writer::Id Writer::PutNode(const Node& node, const UpdateRules& rules) {
  return node.has_id() ? Update<Node>(node, rules) : Create<Node>(node);
}

template Writer::Id Writer::PutNode(const Artifact&, const UpdateRules&);
template Writer::Id Writer::PutNode(const Execution&, const UpdateRules&);
template Writer::Id Writer::PutNode(const Context&, const UpdateRules&);

void Writer::Put(const ml_metadata::PutArtifactsRequest& request,
                 ml_metadata::PutArtifactsResponse* response) {
  const bool must_match = request.options().abort_if_latest_updated_time_changed();
  for (const Artifact& node : request.artifacts()) {
    const UpdateRules rules = {false, must_match, request.update_mask()};
    response->add_artifact_ids(PutNode(node, rules).value_or(0));
  }
}

void Writer::Put(const ml_metadata::PutExecutionsRequest& request,
                 ml_metadata::PutExecutionsResponse* response) {
  for (const Execution& node : request.executions()) {
    const UpdateRules rules = {false, false, request.update_mask()};
    response->add_execution_ids(PutNode(node, rules).value_or(0));
  }
}

void Writer::Put(const ml_metadata::PutContextsRequest& request,
                 ml_metadata::PutContextsResponse* response) {
  for (const Context& node : request.contexts()) {
    const UpdateRules rules = {false, false, request.update_mask()};
    response->add_context_ids(PutNode(node, rules).value_or(0));
  }
}

}  // namespace pedigree::model
