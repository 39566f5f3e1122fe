#include "server/lineage_messages.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace pedigree {

absl::StatusOr<LineageNode> NodeOf(absl::string_view field, const v1::NodeRef& ref) {
  if (ref.kind() != v1::ARTIFACT && ref.kind() != v1::EXECUTION) {
    return absl::InvalidArgumentError(absl::StrCat(field, ".kind must be ARTIFACT or EXECUTION"));
  }
  const NodeKind kind = ref.kind() == v1::ARTIFACT ? NodeKind::kArtifact : NodeKind::kExecution;
  if (ref.id() < kFirstId || ref.id() > kLastGraphId) {
    return absl::NotFoundError(
        absl::StrCat(field, ": there is no ", NameOf(kind), " with id ", ref.id()));
  }
  return LineageNode::Of(kind, static_cast<uint32_t>(ref.id()));
}

v1::NodeRef RefOf(LineageNode node) {
  v1::NodeRef ref;
  ref.set_kind(node.is_execution() ? v1::EXECUTION : v1::ARTIFACT);
  ref.set_id(node.id());
  return ref;
}

absl::StatusOr<LineageStart> StartOf(const v1::LineageStart& message) {
  if (message.nodes().empty() && message.artifact_filter().empty() &&
      message.execution_filter().empty()) {
    return absl::InvalidArgumentError(
        "start is empty: name nodes, or give artifact_filter or execution_filter");
  }
  LineageStart start;
  start.nodes.reserve(static_cast<size_t>(message.nodes_size()));
  for (const v1::NodeRef& ref : message.nodes()) {
    auto node = NodeOf("start.nodes", ref);
    if (!node.ok()) return node.status();
    start.nodes.push_back(*node);
  }
  start.artifact_filter = message.artifact_filter();
  start.execution_filter = message.execution_filter();
  return start;
}

absl::StatusOr<LineageScope> ScopeOf(const v1::LineageScope& message) {
  LineageScope scope;
  if (message.has_max_hops()) {
    if (message.max_hops() < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("scope.max_hops is ", message.max_hops(), "; it must not be below 0"));
    }
    scope.max_hops = message.max_hops();
  }
  if (!message.event_types().empty()) scope.event_types = 0;
  for (const int type : message.event_types()) {
    if (!v1::LineageScope::EventType_IsValid(type)) {
      return absl::InvalidArgumentError(
          absl::StrCat("scope.event_types: there is no event type ", type));
    }
    scope.event_types |= 1u << type;
  }
  scope.artifact_filter = message.artifact_filter();
  scope.execution_filter = message.execution_filter();
  scope.stop_artifacts = message.stop_artifacts();
  scope.stop_executions = message.stop_executions();
  if (message.has_as_of_ms()) scope.as_of_ms = message.as_of_ms();
  return scope;
}

absl::StatusOr<LineageDirection> DirectionOf(v1::LineageDirection direction) {
  switch (direction) {
    case v1::UPSTREAM:
      return LineageDirection::kUpstream;
    case v1::DOWNSTREAM:
      return LineageDirection::kDownstream;
    case v1::BOTH:
      return LineageDirection::kBoth;
    default:
      return absl::InvalidArgumentError("direction must be UPSTREAM, DOWNSTREAM or BOTH");
  }
}

absl::Status CheckContent(v1::TraceRequest::Content content) {
  if (v1::TraceRequest::Content_IsValid(content)) return absl::OkStatus();
  return absl::InvalidArgumentError("content must be IDS or BODIES");
}

v1::Completeness CompletenessOf(absl::string_view reason, const LineageScope& scope) {
  v1::Completeness message;
  message.set_complete(reason.empty());
  message.set_reason(std::string(reason));
  message.set_bodies_are_of_now(scope.as_of_ms != kNow);
  return message;
}

}  // namespace pedigree
