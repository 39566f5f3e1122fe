#include "query/filter_attributes.h"

#include <cassert>

#include "absl/strings/str_cat.h"
#include "google/protobuf/generated_enum_reflection.h"
#include "ml_metadata/proto/metadata_store.pb.h"

namespace pedigree {

namespace {

using ml_metadata::Artifact;
using ml_metadata::Event;
using ml_metadata::Execution;

constexpr Attribute kId = {"id", Field::kId, ScalarType::kInt};
constexpr Attribute kTypeId = {"type_id", Field::kTypeId, ScalarType::kInt};
constexpr Attribute kType = {"type", Field::kType, ScalarType::kString};
constexpr Attribute kName = {"name", Field::kName, ScalarType::kString};
constexpr Attribute kExternalId = {"external_id", Field::kExternalId, ScalarType::kString};
constexpr Attribute kCreateTime = {"create_time_since_epoch", Field::kCreateTime, ScalarType::kInt};
constexpr Attribute kLastUpdateTime = {"last_update_time_since_epoch", Field::kLastUpdateTime,
                                       ScalarType::kInt};
constexpr Attribute kUri = {"uri", Field::kUri, ScalarType::kString};
constexpr Attribute kState = {"state", Field::kState, ScalarType::kArtifactState};
constexpr Attribute kLastKnownState = {"last_known_state", Field::kLastKnownState,
                                       ScalarType::kExecutionState};
constexpr Attribute kEventType = {"type", Field::kEventType, ScalarType::kEventType};
constexpr Attribute kMilliseconds = {"milliseconds_since_epoch", Field::kMilliseconds,
                                     ScalarType::kInt};

constexpr Attribute kArtifactNode[] = {kId,         kTypeId,         kType, kName, kExternalId,
                                       kCreateTime, kLastUpdateTime, kUri,  kState};
constexpr Attribute kExecutionNode[] = {kId,         kTypeId,     kType,           kName,
                                        kExternalId, kCreateTime, kLastUpdateTime, kLastKnownState};
constexpr Attribute kContextNode[] = {kId,         kTypeId,     kType,          kName,
                                      kExternalId, kCreateTime, kLastUpdateTime};

constexpr Attribute kProperty[] = {
    {"int_value", Field::kIntValue, ScalarType::kInt},
    {"double_value", Field::kDoubleValue, ScalarType::kDouble},
    {"string_value", Field::kStringValue, ScalarType::kString},
    {"bool_value", Field::kBoolValue, ScalarType::kBool},
};

constexpr Attribute kContext[] = {kId, kName, kType, kCreateTime, kLastUpdateTime};
constexpr Attribute kArtifact[] = {kId,    kName,       kType,       kUri,
                                   kState, kExternalId, kCreateTime, kLastUpdateTime};
constexpr Attribute kExecution[] = {kId,         kName,       kType,          kLastKnownState,
                                    kExternalId, kCreateTime, kLastUpdateTime};
constexpr Attribute kEventOfArtifact[] = {
    {"execution_id", Field::kExecutionId, ScalarType::kInt}, kEventType, kMilliseconds};
constexpr Attribute kEventOfExecution[] = {
    {"artifact_id", Field::kArtifactId, ScalarType::kInt}, kEventType, kMilliseconds};

constexpr VariableKind kOfArtifactAndExecution[] = {VariableKind::kProperty,
                                                    VariableKind::kCustomProperty,
                                                    VariableKind::kContexts, VariableKind::kEvents};
constexpr VariableKind kOfContext[] = {VariableKind::kProperty,       VariableKind::kCustomProperty,
                                       VariableKind::kParentContexts, VariableKind::kChildContexts,
                                       VariableKind::kArtifacts,      VariableKind::kExecutions};

absl::Span<const Attribute> AttributesOfNode(NodeKind kind) {
  switch (kind) {
    case NodeKind::kArtifact:
      return kArtifactNode;
    case NodeKind::kExecution:
      return kExecutionNode;
    case NodeKind::kContext:
      break;
  }
  return kContextNode;
}

}  // namespace

absl::Span<const Attribute> AttributesOf(NodeKind kind, VariableKind variable) {
  switch (variable) {
    case VariableKind::kProperty:
    case VariableKind::kCustomProperty:
      return kProperty;
    case VariableKind::kContexts:
    case VariableKind::kParentContexts:
    case VariableKind::kChildContexts:
      return kContext;
    case VariableKind::kEvents:
      if (kind == NodeKind::kArtifact) return kEventOfArtifact;
      return kEventOfExecution;
    case VariableKind::kArtifacts:
      return kArtifact;
    case VariableKind::kExecutions:
      return kExecution;
    case VariableKind::kNode:
      break;
  }
  return AttributesOfNode(kind);
}

absl::Span<const VariableKind> VariableKindsOf(NodeKind kind) {
  if (kind == NodeKind::kContext) return kOfContext;
  return kOfArtifactAndExecution;
}

absl::string_view PrefixOf(VariableKind kind) {
  switch (kind) {
    case VariableKind::kNode:
      break;
    case VariableKind::kProperty:
      return "properties.";
    case VariableKind::kCustomProperty:
      return "custom_properties.";
    case VariableKind::kContexts:
      return "contexts_";
    case VariableKind::kEvents:
      return "events_";
    case VariableKind::kParentContexts:
      return "parent_contexts_";
    case VariableKind::kChildContexts:
      return "child_contexts_";
    case VariableKind::kArtifacts:
      return "artifacts_";
    case VariableKind::kExecutions:
      return "executions_";
  }
  return "";
}

const Attribute* FindAttribute(absl::Span<const Attribute> attributes, absl::string_view name) {
  for (const Attribute& attribute : attributes) {
    if (attribute.name == name) return &attribute;
  }
  return nullptr;
}

absl::string_view NameOf(NodeKind kind, VariableKind variable, Field field) {
  for (const Attribute& attribute : AttributesOf(kind, variable)) {
    if (attribute.field == field) return attribute.name;
  }
  assert(false);
  return "";
}

std::optional<int> FindEnumValue(ScalarType type, absl::string_view name) {
  const std::string text(name);  // protobuf 3.21 knows another string_view.
  Artifact::State artifact_state;
  Execution::State execution_state;
  Event::Type event_type;
  switch (type) {
    case ScalarType::kArtifactState:
      if (Artifact::State_Parse(text, &artifact_state)) return artifact_state;
      break;
    case ScalarType::kExecutionState:
      if (Execution::State_Parse(text, &execution_state)) return execution_state;
      break;
    case ScalarType::kEventType:
      if (Event::Type_Parse(text, &event_type)) return event_type;
      break;
    default:
      assert(false);
  }
  return std::nullopt;
}

const std::string& EnumNameOf(ScalarType type, int64_t value) {
  const int number = static_cast<int>(value);
  if (type == ScalarType::kArtifactState) return Artifact::State_Name(number);
  if (type == ScalarType::kExecutionState) return Execution::State_Name(number);
  assert(type == ScalarType::kEventType);
  return Event::Type_Name(number);
}

std::string EnumNamesOf(ScalarType type) {
  std::string names;
  // The numbers of all three are dense from 0.
  for (int value = 0; !EnumNameOf(type, value).empty(); ++value) {
    absl::StrAppend(&names, value == 0 ? "" : ", ", EnumNameOf(type, value));
  }
  return names;
}

absl::string_view NameOf(ScalarType type) {
  switch (type) {
    case ScalarType::kInt:
      return "an int";
    case ScalarType::kDouble:
      return "a double";
    case ScalarType::kString:
      return "a string";
    case ScalarType::kBool:
      return "a bool";
    case ScalarType::kArtifactState:
      return "an artifact's state";
    case ScalarType::kExecutionState:
      return "an execution's state";
    case ScalarType::kEventType:
      break;
  }
  return "an event's type";
}

}  // namespace pedigree
