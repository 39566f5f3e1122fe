#include "server/validate.h"

#include <initializer_list>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/stubs/common.h"
#include "store/text.h"
#include "store/traits.h"

namespace pedigree {
namespace {

using google::protobuf::RepeatedPtrField;
using ml_metadata::Event;
using ml_metadata::PropertyType;
using ml_metadata::Value;

absl::Status Invalid(absl::string_view where, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(where, ": ", what));
}

absl::Status CheckUtf8(absl::string_view where, absl::string_view field, const std::string& text) {
  if (google::protobuf::internal::IsStructurallyValidUTF8(text.data(),
                                                          static_cast<int>(text.size()))) {
    return absl::OkStatus();
  }
  return Invalid(where, absl::StrCat(field, " is not valid UTF-8"));
}

struct EnumField {
  int number;
  absl::string_view name;
};

// An enum number outside the contract parses into the unknown fields, as do the map entries that
// hold one.
template <class Message>
absl::Status DropUnknown(absl::string_view where, Message* message,
                         std::initializer_list<EnumField> enums) {
  const auto& unknown = message->unknown_fields();
  if (unknown.empty()) return absl::OkStatus();
  for (int i = 0; i < unknown.field_count(); ++i) {
    for (const EnumField& field : enums) {
      if (unknown.field(i).number() != field.number) continue;
      return Invalid(where,
                     absl::StrCat(field.name, " has a number that the contract does not know"));
    }
  }
  message->mutable_unknown_fields()->Clear();
  return absl::OkStatus();
}

template <class Message>
void DropUnknown(Message* message) {
  if (!message->unknown_fields().empty()) message->mutable_unknown_fields()->Clear();
}

absl::Status CheckValue(absl::string_view where, const std::string& name, Value* value) {
  DropUnknown(value);
  switch (value->value_case()) {
    case Value::VALUE_NOT_SET:
      return Invalid(where, absl::StrCat("property ", Quoted(name), " has no value"));
    case Value::kStringValue:
      return CheckUtf8(where, absl::StrCat("property ", Quoted(name)), value->string_value());
    case Value::kStructValue:  // Its text is checked by the parser: proto3.
      value->mutable_struct_value()->DiscardUnknownFields();
      break;
    case Value::kProtoValue:
      value->mutable_proto_value()->DiscardUnknownFields();
      break;
    case Value::kIntValue:
    case Value::kDoubleValue:
    case Value::kBoolValue:
      break;
  }
  return absl::OkStatus();
}

absl::Status CheckProperties(absl::string_view where,
                             google::protobuf::Map<std::string, Value>* properties) {
  for (auto& [name, value] : *properties) {
    absl::Status status = CheckUtf8(where, "a property name", name);
    if (status.ok()) status = CheckValue(where, name, &value);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckUri(absl::string_view where, const ml_metadata::Artifact& artifact) {
  return CheckUtf8(where, "uri", artifact.uri());
}
template <class Node>
absl::Status CheckUri(absl::string_view, const Node&) {
  return absl::OkStatus();
}

template <class Node>
absl::Status CheckNode(absl::string_view where, Node* node) {
  absl::Status status = DropUnknown(where, node, {{TraitsOf<Node>::kFields.state, "the state"}});
  if (status.ok()) status = CheckUtf8(where, "name", node->name());
  if (status.ok()) status = CheckUtf8(where, "external_id", node->external_id());
  if (status.ok()) status = CheckUri(where, *node);
  if (status.ok()) status = CheckProperties(where, node->mutable_properties());
  if (status.ok()) status = CheckProperties(where, node->mutable_custom_properties());
  if (node->has_system_metadata()) node->mutable_system_metadata()->DiscardUnknownFields();
  return status;
}

template <class Message>
absl::Status CheckAll(absl::string_view field, RepeatedPtrField<Message>* messages,
                      absl::Status (*check)(absl::string_view, Message*)) {
  for (int i = 0; i < messages->size(); ++i) {
    absl::Status status = check("", messages->Mutable(i));
    // The place is put into words only when it is needed.
    if (!status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(field, "[", i, "]", status.message()));
    }
  }
  return absl::OkStatus();
}

// Whether unknown fields of this number come of an enum, or of a map of enums.
bool IsOfEnum(const google::protobuf::Descriptor& message, int number) {
  const auto* field = message.FindFieldByNumber(number);
  if (field == nullptr) return false;
  if (field->is_map()) field = field->message_type()->map_value();
  return field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_ENUM;
}

absl::Status CheckTree(absl::string_view where, const google::protobuf::Message& message);

// Checks one value of a field.
absl::Status CheckField(absl::string_view where, const google::protobuf::Message& message,
                        const google::protobuf::FieldDescriptor& field, int index) {
  const auto* reflection = message.GetReflection();
  const bool repeated = field.is_repeated();
  switch (field.cpp_type()) {
    case google::protobuf::FieldDescriptor::CPPTYPE_STRING:
      return CheckUtf8(where, field.name(),
                       repeated ? reflection->GetRepeatedString(message, &field, index)
                                : reflection->GetString(message, &field));
    case google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE:
      return CheckTree(where, repeated ? reflection->GetRepeatedMessage(message, &field, index)
                                       : reflection->GetMessage(message, &field));
    default:
      return absl::OkStatus();
  }
}

// The same checks for messages that nest as they like. By reflection: struct types are rare.
absl::Status CheckTree(absl::string_view where, const google::protobuf::Message& message) {
  const auto* reflection = message.GetReflection();
  const auto& unknown = reflection->GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i) {
    if (IsOfEnum(*message.GetDescriptor(), unknown.field(i).number())) {
      return Invalid(where, "an enum has a number that the contract does not know");
    }
  }
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const auto* field : fields) {
    const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      absl::Status status = CheckField(where, message, *field, i);
      if (!status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::Status CheckStructTypes(absl::string_view where, ml_metadata::ExecutionType* type) {
  absl::Status status;
  if (type->has_input_type()) {
    status = CheckTree(where, type->input_type());
    type->mutable_input_type()->DiscardUnknownFields();
  }
  if (status.ok() && type->has_output_type()) {
    status = CheckTree(where, type->output_type());
    type->mutable_output_type()->DiscardUnknownFields();
  }
  return status;
}
template <class Type>
absl::Status CheckStructTypes(absl::string_view, Type*) {
  return absl::OkStatus();
}

template <class Type>
absl::Status CheckType(absl::string_view where, Type* type) {
  absl::Status status = DropUnknown(
      where, type,
      {{Type::kPropertiesFieldNumber, "a property"}, {Type::kBaseTypeFieldNumber, "base_type"}});
  if (status.ok()) status = CheckStructTypes(where, type);
  if (status.ok()) status = CheckUtf8(where, "name", type->name());
  if (status.ok()) status = CheckUtf8(where, "version", type->version());
  if (status.ok()) status = CheckUtf8(where, "description", type->description());
  if (status.ok()) status = CheckUtf8(where, "external_id", type->external_id());
  for (const auto& [name, kind] : type->properties()) {
    if (status.ok()) status = CheckUtf8(where, "a property name", name);
    if (status.ok() && kind == PropertyType::UNKNOWN) {
      status = Invalid(where, absl::StrCat("property ", Quoted(name), " has no type"));
    }
  }
  return status;
}

absl::Status CheckEvent(absl::string_view where, Event* event) {
  absl::Status status = DropUnknown(where, event, {{Event::kTypeFieldNumber, "type"}});
  if (event->has_system_metadata()) event->mutable_system_metadata()->DiscardUnknownFields();
  if (!event->has_path()) return status;
  DropUnknown(event->mutable_path());
  for (auto& step : *event->mutable_path()->mutable_steps()) {
    DropUnknown(&step);
    if (status.ok()) status = CheckUtf8(where, "a step of the path", step.key());
  }
  return status;
}

}  // namespace

absl::Status Prepare(ml_metadata::PutArtifactsRequest* request) {
  return CheckAll("artifacts", request->mutable_artifacts(), CheckNode);
}

absl::Status Prepare(ml_metadata::PutExecutionsRequest* request) {
  return CheckAll("executions", request->mutable_executions(), CheckNode);
}

absl::Status Prepare(ml_metadata::PutContextsRequest* request) {
  return CheckAll("contexts", request->mutable_contexts(), CheckNode);
}

absl::Status Prepare(ml_metadata::PutArtifactTypeRequest* request) {
  return CheckType("artifact_type", request->mutable_artifact_type());
}

absl::Status Prepare(ml_metadata::PutExecutionTypeRequest* request) {
  return CheckType("execution_type", request->mutable_execution_type());
}

absl::Status Prepare(ml_metadata::PutContextTypeRequest* request) {
  return CheckType("context_type", request->mutable_context_type());
}

absl::Status Prepare(ml_metadata::PutTypesRequest* request) {
  absl::Status status = CheckAll("artifact_types", request->mutable_artifact_types(), CheckType);
  if (status.ok()) {
    status = CheckAll("execution_types", request->mutable_execution_types(), CheckType);
  }
  if (status.ok()) status = CheckAll("context_types", request->mutable_context_types(), CheckType);
  return status;
}

absl::Status Prepare(ml_metadata::PutEventsRequest* request) {
  return CheckAll("events", request->mutable_events(), CheckEvent);
}

absl::Status Prepare(ml_metadata::PutExecutionRequest* request) {
  if (!request->has_execution()) return absl::InvalidArgumentError("execution is missing");
  absl::Status status = CheckNode("execution", request->mutable_execution());
  for (int i = 0; status.ok() && i < request->artifact_event_pairs_size(); ++i) {
    auto* pair = request->mutable_artifact_event_pairs(i);
    if (pair->has_artifact()) status = CheckNode("", pair->mutable_artifact());
    if (status.ok() && pair->has_event()) status = CheckEvent("", pair->mutable_event());
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("artifact_event_pairs[", i, "]", status.message()));
    }
  }
  if (!status.ok()) return status;
  return CheckAll("contexts", request->mutable_contexts(), CheckNode);
}

absl::Status Prepare(ml_metadata::PutLineageSubgraphRequest* request) {
  absl::Status status = CheckAll("executions", request->mutable_executions(), CheckNode);
  if (status.ok()) status = CheckAll("artifacts", request->mutable_artifacts(), CheckNode);
  if (status.ok()) status = CheckAll("contexts", request->mutable_contexts(), CheckNode);
  for (int i = 0; status.ok() && i < request->event_edges_size(); ++i) {
    if (!request->event_edges(i).has_event()) continue;
    status = CheckEvent(absl::StrCat("event_edges[", i, "].event"),
                        request->mutable_event_edges(i)->mutable_event());
  }
  return status;
}

absl::Status Prepare(v1::PutImportRequest* request) {
  const int types = request->artifact_types_size() + request->execution_types_size() +
                    request->context_types_size();
  const int nodes =
      request->contexts_size() + request->artifacts_size() + request->executions_size();
  const int links =
      request->attributions_size() + request->associations_size() + request->parent_contexts_size();
  const int64_t rows = int64_t{types} + nodes + links + request->events_size();
  if (rows > kMaxImportRows) {
    return absl::InvalidArgumentError(
        absl::StrCat("the request has ", rows, " rows; at most ", kMaxImportRows));
  }
  absl::Status status = CheckAll("artifact_types", request->mutable_artifact_types(), CheckType);
  status.Update(CheckAll("execution_types", request->mutable_execution_types(), CheckType));
  status.Update(CheckAll("context_types", request->mutable_context_types(), CheckType));
  status.Update(CheckAll("contexts", request->mutable_contexts(), CheckNode));
  status.Update(CheckAll("artifacts", request->mutable_artifacts(), CheckNode));
  status.Update(CheckAll("executions", request->mutable_executions(), CheckNode));
  status.Update(CheckAll("events", request->mutable_events(), CheckEvent));
  return status;
}

}  // namespace pedigree
