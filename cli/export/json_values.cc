#include "cli/export/json_values.h"

#include <cmath>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cli/utf8.h"

namespace pedigree::cli {
namespace {

constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD.

}  // namespace

std::string Print(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string ToUtf8(absl::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const size_t length = Utf8Bytes(text);
    valid.append(length == 0 ? kReplacement.data() : text.data(),
                 length == 0 ? kReplacement.size() : length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return valid;
}

void Append(Json& object, absl::string_view key, Json value) {
  if (object.is_null()) object = Json::object();
  using Members = std::vector<std::pair<const std::string, Json>>;
  static_cast<Members&>(object.get_ref<Json::object_t&>())
      .emplace_back(std::string(key), std::move(value));
}

Json ToJson(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  return number;
}

Json ToJson(const google::protobuf::Struct& fields) {
  Json object = Json::object();
  for (const auto& [key, value] : Sorted(fields.fields())) Append(object, key, ToJson(*value));
  return object;
}

Json ToJson(const google::protobuf::Value& value) {
  switch (value.kind_case()) {
    case google::protobuf::Value::kNumberValue:
      return ToJson(value.number_value());
    case google::protobuf::Value::kStringValue:
      return value.string_value();
    case google::protobuf::Value::kBoolValue:
      return value.bool_value();
    case google::protobuf::Value::kStructValue:
      return ToJson(value.struct_value());
    case google::protobuf::Value::kListValue: {
      Json list = Json::array();
      for (const auto& element : value.list_value().values()) list.push_back(ToJson(element));
      return list;
    }
    case google::protobuf::Value::kNullValue:
    case google::protobuf::Value::KIND_NOT_SET:
      break;
  }
  return nullptr;
}

Json ToJson(const ml_metadata::Value& value) {
  switch (value.value_case()) {
    case ml_metadata::Value::kIntValue:
      return value.int_value();
    case ml_metadata::Value::kDoubleValue:
      return ToJson(value.double_value());
    case ml_metadata::Value::kStringValue:
      return value.string_value();
    case ml_metadata::Value::kStructValue:
      return ToJson(value.struct_value());
    case ml_metadata::Value::kProtoValue: {
      Json any = Json::object();
      Append(any, "@type", value.proto_value().type_url());
      Append(any, "value", absl::Base64Escape(value.proto_value().value()));
      return any;
    }
    case ml_metadata::Value::kBoolValue:
      return value.bool_value();
    case ml_metadata::Value::VALUE_NOT_SET:
      break;
  }
  return nullptr;
}

Json ToJson(const Properties& properties) {
  Json object = Json::object();
  for (const auto& [key, value] : Sorted(properties)) Append(object, key, ToJson(*value));
  return object;
}

Json ToJson(const ml_metadata::Event::Path& path) {
  Json steps = Json::array();
  for (const auto& step : path.steps()) {
    steps.push_back(step.has_key() ? Json(step.key()) : Json(step.index()));
  }
  return steps;
}

std::string ToText(const ml_metadata::Value& value) {
  return value.has_string_value() ? value.string_value() : Print(ToJson(value));
}

std::string ToText(const google::protobuf::Value& value) {
  return value.kind_case() == google::protobuf::Value::kStringValue ? value.string_value()
                                                                    : Print(ToJson(value));
}

std::string TimeText(int64_t ms) {
  static const absl::Time kFirst = absl::FromCivil(absl::CivilSecond(1, 1, 1), absl::UTCTimeZone());
  static const absl::Time kLast =
      absl::FromCivil(absl::CivilSecond(9999, 12, 31, 23, 59, 59), absl::UTCTimeZone());
  const absl::Time time = std::min(std::max(absl::FromUnixMillis(ms), kFirst), kLast);
  return absl::FormatTime("%E4Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

absl::optional<std::string> TextProperty(const Properties& properties, absl::string_view name) {
  const auto found = properties.find(std::string(name));
  if (found == properties.end()) return absl::nullopt;
  if (found->second.has_int_value()) return absl::StrCat(found->second.int_value());
  if (!found->second.has_string_value() || found->second.string_value().empty()) {
    return absl::nullopt;
  }
  return found->second.string_value();
}

}  // namespace pedigree::cli
