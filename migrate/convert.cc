#include "migrate/convert.h"

#include <algorithm>
#include <map>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/json_util.h"
#include "store/record.h"
#include "store/text.h"

namespace pedigree::migrate {
namespace {

using ml_metadata::Artifact;
using ml_metadata::ArtifactStructType;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;
using ml_metadata::PropertyType;
using ml_metadata::Value;

absl::StatusOr<google::protobuf::Struct> DecodeStruct(absl::string_view text) {
  std::string bytes;
  google::protobuf::Struct value;
  if (!absl::Base64Unescape(absl::StripPrefix(text, kStructPrefix), &bytes) ||
      !value.ParseFromString(bytes)) {
    return absl::InvalidArgumentError("the struct does not decode");
  }
  return value;
}

std::string EncodeStruct(const google::protobuf::Struct& value) {
  return absl::StrCat(kStructPrefix, absl::Base64Escape(SerializeSame(value)));
}

absl::StatusOr<google::protobuf::Any> DecodeProto(absl::string_view text) {
  std::string bytes;
  google::protobuf::Any any;
  if (!absl::Base64Unescape(text, &bytes) || !any.ParseFromString(bytes)) {
    return absl::InvalidArgumentError("the proto value does not decode");
  }
  if (any.type_url().empty()) return absl::InvalidArgumentError("the proto value has no type_url");
  return any;
}

// The enum values of a kind's base_type, and the predefined types they stand for.
template <class Node>
const google::protobuf::EnumDescriptor& BaseTypes() {
  return *TraitsOf<Node>::Type::descriptor()->FindFieldByName("base_type")->enum_type();
}

std::string TypeNameOf(const google::protobuf::EnumValueDescriptor& value) {
  return value.options().GetExtension(ml_metadata::system_type_extension).type_name();
}

template <class Node>
const google::protobuf::EnumValueDescriptor* FindBaseType(absl::string_view name) {
  const auto& types = BaseTypes<Node>();
  for (int i = 0; i < types.value_count(); ++i) {
    const auto* value = types.value(i);
    if (value->number() != 0 && TypeNameOf(*value) == name) return value;
  }
  return nullptr;
}

void SetState(const NodeRow& row, Artifact* artifact) {
  if (row.state.has_value()) artifact->set_state(static_cast<Artifact::State>(*row.state));
  if (row.uri.has_value()) artifact->set_uri(*row.uri);
}
void SetState(const NodeRow& row, Execution* execution) {
  if (row.state.has_value()) {
    execution->set_last_known_state(static_cast<Execution::State>(*row.state));
  }
}
void SetState(const NodeRow&, Context*) {}

void ReadState(const Artifact& artifact, NodeRow* row) {
  if (artifact.has_state()) row->state = artifact.state();
  if (artifact.has_uri()) row->uri = artifact.uri();
}
void ReadState(const Execution& execution, NodeRow* row) {
  if (execution.has_last_known_state()) row->state = execution.last_known_state();
}
void ReadState(const Context&, NodeRow*) {}

absl::Status ParseStructType(const std::optional<std::string>& json, ArtifactStructType* to) {
  if (!json.has_value() || json->empty()) return absl::OkStatus();
  if (google::protobuf::util::JsonStringToMessage(*json, to).ok()) return absl::OkStatus();
  return absl::InvalidArgumentError("the JSON of a struct type does not parse");
}

std::string JsonOf(const ArtifactStructType& type) {
  std::string json;
  // It cannot fail: there is no Any in it.
  (void)google::protobuf::util::MessageToJsonString(type, &json);
  return json;
}

absl::Status SetStructTypes(const TypeRow& row, ml_metadata::ExecutionType* type) {
  if (row.input_type.has_value() && !row.input_type->empty()) {
    absl::Status status = ParseStructType(row.input_type, type->mutable_input_type());
    if (!status.ok()) return status;
  }
  if (row.output_type.has_value() && !row.output_type->empty()) {
    return ParseStructType(row.output_type, type->mutable_output_type());
  }
  return absl::OkStatus();
}
template <class Type>
absl::Status SetStructTypes(const TypeRow&, Type*) {
  return absl::OkStatus();
}

void ReadStructTypes(const ml_metadata::ExecutionType& type, TypeRow* row) {
  if (type.has_input_type()) row->input_type = JsonOf(type.input_type());
  if (type.has_output_type()) row->output_type = JsonOf(type.output_type());
}
template <class Type>
void ReadStructTypes(const Type&, TypeRow*) {}

// Rows in the order of their names, as a map has none.
template <class Map>
void ReadProperties(const Map& map, bool is_custom, std::vector<PropertyRow>* rows) {
  const std::map<std::string, Value> sorted(map.begin(), map.end());
  for (const auto& [name, value] : sorted) {
    rows->push_back(ToPropertyRow(name, is_custom, value));
  }
}

}  // namespace

absl::StatusOr<Value> ToValue(const PropertyRow& row) {
  Value value;
  if (row.int_value.has_value()) {
    value.set_int_value(*row.int_value);
  } else if (row.double_value.has_value()) {
    value.set_double_value(*row.double_value);
  } else if (row.string_value.has_value()) {
    if (!absl::StartsWith(*row.string_value, kStructPrefix)) {
      value.set_string_value(*row.string_value);
      return value;
    }
    auto decoded = DecodeStruct(*row.string_value);
    if (!decoded.ok()) return decoded.status();
    *value.mutable_struct_value() = *std::move(decoded);
  } else if (row.proto_value.has_value()) {
    auto decoded = DecodeProto(*row.proto_value);
    if (!decoded.ok()) return decoded.status();
    *value.mutable_proto_value() = *std::move(decoded);
  } else if (row.bool_value.has_value()) {
    value.set_bool_value(*row.bool_value);
  } else {
    return absl::InvalidArgumentError("there is no value");
  }
  return value;
}

PropertyRow ToPropertyRow(const std::string& name, bool is_custom, const Value& value) {
  PropertyRow row;
  row.name = name;
  row.is_custom = is_custom;
  switch (value.value_case()) {
    case Value::kIntValue:
      row.int_value = value.int_value();
      break;
    case Value::kDoubleValue:
      row.double_value = value.double_value();
      break;
    case Value::kStringValue:
      row.string_value = value.string_value();
      row.is_ambiguous = absl::StartsWith(value.string_value(), kStructPrefix);
      break;
    case Value::kStructValue:
      row.string_value = EncodeStruct(value.struct_value());
      break;
    case Value::kProtoValue:
      row.proto_value = absl::Base64Escape(SerializeSame(value.proto_value()));
      break;
    case Value::kBoolValue:
      row.bool_value = value.bool_value();
      break;
    case Value::VALUE_NOT_SET:
      break;
  }
  return row;
}

template <class Node>
absl::StatusOr<Node> ToNode(const NodeRow& row) {
  Node node;
  node.set_id(row.id);
  node.set_type_id(row.type_id);
  if (row.name.has_value()) node.set_name(*row.name);
  if (row.external_id.has_value()) node.set_external_id(*row.external_id);
  SetState(row, &node);
  node.set_create_time_since_epoch(row.create_time_ms);
  node.set_last_update_time_since_epoch(row.last_update_time_ms);
  for (const PropertyRow& property : row.properties) {
    auto value = ToValue(property);
    if (!value.ok()) return value.status();
    auto& properties =
        property.is_custom ? *node.mutable_custom_properties() : *node.mutable_properties();
    properties[property.name] = *std::move(value);
  }
  return node;
}

template <class Node>
NodeRow ToNodeRow(const Node& node) {
  NodeRow row;
  row.id = node.id();
  row.type_id = node.type_id();
  if (node.has_name()) row.name = node.name();
  if (node.has_external_id()) row.external_id = node.external_id();
  ReadState(node, &row);
  row.create_time_ms = node.create_time_since_epoch();
  row.last_update_time_ms = node.last_update_time_since_epoch();
  row.has_more = node.has_system_metadata();
  ReadProperties(node.properties(), false, &row.properties);
  ReadProperties(node.custom_properties(), true, &row.properties);
  return row;
}

template <class Node>
absl::StatusOr<typename TraitsOf<Node>::Type> ToType(const TypeRow& row, absl::string_view parent) {
  typename TraitsOf<Node>::Type type;
  type.set_id(row.id);
  if (row.name.has_value()) type.set_name(*row.name);
  if (row.version.has_value()) type.set_version(*row.version);
  if (row.description.has_value()) type.set_description(*row.description);
  if (row.external_id.has_value()) type.set_external_id(*row.external_id);
  for (const TypePropertyRow& property : row.properties) {
    (*type.mutable_properties())[property.name] =
        static_cast<PropertyType>(property.data_type.value_or(0));
  }
  if (absl::Status status = SetStructTypes(row, &type); !status.ok()) return status;
  if (parent.empty()) return type;
  const auto* base = FindBaseType<Node>(parent);
  if (base == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("no type derives from ", Quoted(parent)));
  }
  const auto* field = type.GetDescriptor()->FindFieldByName("base_type");
  type.GetReflection()->SetEnum(&type, field, base);
  return type;
}

template <class Node>
TypeRow ToTypeRow(const typename TraitsOf<Node>::Type& type,
                  absl::FunctionRef<int64_t(absl::string_view name)> parent) {
  TypeRow row;
  row.id = type.id();
  row.kind = TypeKindOf(TraitsOf<Node>::kKind);
  row.name = type.name();
  if (type.has_version()) row.version = type.version();
  if (type.has_description()) row.description = type.description();
  if (type.has_external_id()) row.external_id = type.external_id();
  ReadStructTypes(type, &row);
  for (const auto& [name, kind] : type.properties()) row.properties.push_back({name, kind});
  std::sort(row.properties.begin(), row.properties.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  if (type.has_base_type()) {
    const auto* base = BaseTypes<Node>().FindValueByNumber(type.base_type());
    if (base != nullptr && base->number() != 0) row.parents.push_back(parent(TypeNameOf(*base)));
  }
  return row;
}

bool IsBaseType(NodeKind kind, absl::string_view name) {
  switch (kind) {
    case NodeKind::kArtifact:
      return FindBaseType<Artifact>(name) != nullptr;
    case NodeKind::kExecution:
      return FindBaseType<Execution>(name) != nullptr;
    case NodeKind::kContext:
      break;
  }
  return FindBaseType<Context>(name) != nullptr;
}

Event ToEvent(const EventRow& row) {
  Event event;
  event.set_artifact_id(row.artifact_id);
  event.set_execution_id(row.execution_id);
  event.set_type(static_cast<Event::Type>(row.type));
  if (row.time_ms.has_value()) event.set_milliseconds_since_epoch(*row.time_ms);
  for (const EventPathRow& step : row.path) {
    auto* to = event.mutable_path()->add_steps();
    if (step.is_index) {
      to->set_index(step.index.value_or(0));
    } else {
      to->set_key(step.key.value_or(""));
    }
  }
  return event;
}

EventRow ToEventRow(int64_t id, const Event& event) {
  EventRow row;
  row.id = id;
  row.artifact_id = event.artifact_id();
  row.execution_id = event.execution_id();
  row.type = event.type();
  if (event.has_milliseconds_since_epoch()) row.time_ms = event.milliseconds_since_epoch();
  row.has_more = event.has_system_metadata();
  for (const auto& step : event.path().steps()) {
    EventPathRow path;
    path.is_index = step.value_case() == Event::Path::Step::kIndex;
    if (path.is_index) {
      path.index = step.index();
    } else {
      path.key = step.key();
    }
    row.path.push_back(std::move(path));
  }
  return row;
}

std::string CanonicalStructText(const std::string& text) {
  if (!absl::StartsWith(text, kStructPrefix)) return text;
  const auto value = DecodeStruct(text);
  return value.ok() ? EncodeStruct(*value) : text;
}

std::string CanonicalProtoText(const std::string& text) {
  const auto value = DecodeProto(text);
  return value.ok() ? absl::Base64Escape(SerializeSame(*value)) : text;
}

std::string CanonicalTypeJson(const std::string& json) {
  ArtifactStructType type;
  return ParseStructType(json, &type).ok() ? JsonOf(type) : json;
}

#define PEDIGREE_INSTANTIATE(Node)                                                               \
  template absl::StatusOr<Node> ToNode(const NodeRow&);                                          \
  template NodeRow ToNodeRow(const Node&);                                                       \
  template absl::StatusOr<TraitsOf<Node>::Type> ToType<Node>(const TypeRow&, absl::string_view); \
  template TypeRow ToTypeRow<Node>(const TraitsOf<Node>::Type&,                                  \
                                   absl::FunctionRef<int64_t(absl::string_view name)>);
PEDIGREE_INSTANTIATE(Artifact)
PEDIGREE_INSTANTIATE(Execution)
PEDIGREE_INSTANTIATE(Context)
#undef PEDIGREE_INSTANTIATE

}  // namespace pedigree::migrate
