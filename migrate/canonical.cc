#include "migrate/canonical.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "migrate/convert.h"

namespace pedigree::migrate {
namespace {

class Row {
 public:
  Row& Text(absl::string_view name, absl::string_view value) {
    absl::StrAppend(&bytes_, name, "=", value.size(), ":", value, ";");
    return *this;
  }
  Row& MaybeText(absl::string_view name, const std::optional<std::string>& value) {
    return value.has_value() ? Text(name, *value) : Null(name);
  }
  Row& Int(absl::string_view name, int64_t value) { return Text(name, absl::StrCat(value)); }
  Row& MaybeInt(absl::string_view name, const std::optional<int64_t>& value) {
    return value.has_value() ? Int(name, *value) : Null(name);
  }
  Row& Double(absl::string_view name, double value) {
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    return Text(name, absl::StrCat(absl::Hex(bits, absl::kZeroPad16)));
  }
  std::string Take() { return std::move(bytes_); }

 private:
  Row& Null(absl::string_view name) {
    absl::StrAppend(&bytes_, name, ";");
    return *this;
  }

  std::string bytes_;
};

void AddProperty(const PropertyRow& property, Row* row) {
  row->Text(property.is_custom ? "custom_property" : "property", property.name);
  if (property.int_value.has_value()) {
    row->Int("int", *property.int_value);
  } else if (property.double_value.has_value()) {
    row->Double("double", *property.double_value);
  } else if (property.string_value.has_value()) {
    row->Text("string", CanonicalStructText(*property.string_value));
  } else if (property.proto_value.has_value()) {
    row->Text("proto", CanonicalProtoText(*property.proto_value));
  } else if (property.bool_value.has_value()) {
    row->Int("bool", *property.bool_value ? 1 : 0);
  }
}

// The peer writes no struct type as NULL and as "".
void AddStructType(absl::string_view name, const std::optional<std::string>& json, Row* row) {
  if (json.has_value() && !json->empty()) row->Text(name, CanonicalTypeJson(*json));
}

}  // namespace

std::string CanonicalType(const TypeRow& type) {
  Row row;
  row.Int("id", type.id).Int("type_kind", type.kind).MaybeText("name", type.name);
  row.MaybeText("version", type.version).MaybeText("description", type.description);
  row.MaybeText("external_id", type.external_id);
  AddStructType("input_type", type.input_type, &row);
  AddStructType("output_type", type.output_type, &row);
  for (int64_t parent : type.parents) row.Int("parent_type_id", parent);
  std::vector<TypePropertyRow> properties = type.properties;
  std::sort(properties.begin(), properties.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const TypePropertyRow& property : properties) {
    row.Text("property", property.name).MaybeInt("data_type", property.data_type);
  }
  return row.Take();
}

std::string CanonicalNode(const NodeRow& node) {
  Row row;
  row.Int("id", node.id).Int("type_id", node.type_id).MaybeText("name", node.name);
  row.MaybeText("external_id", node.external_id)
      .MaybeText("uri", node.uri)
      .MaybeInt("state", node.state);
  row.Int("create_time", node.create_time_ms).Int("last_update_time", node.last_update_time_ms);
  std::vector<const PropertyRow*> properties;
  properties.reserve(node.properties.size());
  for (const PropertyRow& property : node.properties) properties.push_back(&property);
  std::sort(properties.begin(), properties.end(), [](const auto* a, const auto* b) {
    return std::tie(a->is_custom, a->name) < std::tie(b->is_custom, b->name);
  });
  for (const PropertyRow* property : properties) AddProperty(*property, &row);
  return row.Take();
}

std::string CanonicalEvent(const EventRow& event, int64_t place) {
  Row row;
  row.Int("artifact_id", event.artifact_id).Int("execution_id", event.execution_id);
  row.Int("place", place).Int("type", event.type).MaybeInt("milliseconds", event.time_ms);
  for (const EventPathRow& step : event.path) {
    if (step.is_index) {
      row.MaybeInt("step_index", step.index);
    } else {
      row.MaybeText("step_key", step.key);
    }
  }
  return row.Take();
}

std::string CanonicalLink(int64_t node, int64_t context) {
  Row row;
  row.Int("node", node).Int("context", context);
  return row.Take();
}

}  // namespace pedigree::migrate
