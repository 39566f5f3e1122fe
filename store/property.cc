#include "store/property.h"

#include <bit>

#include "store/codec.h"
#include "store/wire.h"

namespace pedigree {
namespace {

using ml_metadata::Value;

// Fields of every entry of a protobuf map.
constexpr int kEntryKey = 1;
constexpr int kEntryValue = 2;

std::optional<PropertyValue> PeekValue(absl::string_view bytes) {
  PropertyValue value;
  WireCursor cursor(bytes);
  // Of a oneof's fields the last one counts, as in a parser.
  while (auto field = cursor.Next()) {
    switch (field->number) {
      case Value::kIntValueFieldNumber:
        value = PropertyValue::Int(field->AsInt64());
        break;
      case Value::kDoubleValueFieldNumber:
        value = PropertyValue::Double(std::bit_cast<double>(field->scalar));
        break;
      case Value::kStringValueFieldNumber:
        value = PropertyValue::String(field->bytes);
        break;
      case Value::kBoolValueFieldNumber:
        value = PropertyValue::Bool(field->scalar != 0);
        break;
      case Value::kStructValueFieldNumber:
      case Value::kProtoValueFieldNumber:
        value = PropertyValue();
        break;
      default:
        break;
    }
  }
  if (!cursor.ok()) return std::nullopt;
  return value;
}

}  // namespace

PropertyValue PropertyValue::Of(const Value& value) {
  switch (value.value_case()) {
    case Value::kIntValue:
      return Int(value.int_value());
    case Value::kDoubleValue:
      return Double(value.double_value());
    case Value::kStringValue:
      return String(value.string_value());
    case Value::kBoolValue:
      return Bool(value.bool_value());
    case Value::kStructValue:
    case Value::kProtoValue:
    case Value::VALUE_NOT_SET:
      break;
  }
  return {};
}

ml_metadata::PropertyType PropertyTypeOf(const Value& value) {
  switch (value.value_case()) {
    case Value::kIntValue:
      return ml_metadata::INT;
    case Value::kDoubleValue:
      return ml_metadata::DOUBLE;
    case Value::kStringValue:
      return ml_metadata::STRING;
    case Value::kStructValue:
      return ml_metadata::STRUCT;
    case Value::kProtoValue:
      return ml_metadata::PROTO;
    case Value::kBoolValue:
      return ml_metadata::BOOLEAN;
    case Value::VALUE_NOT_SET:
      break;
  }
  return ml_metadata::UNKNOWN;
}

void AppendPropertyValue(std::string* out, const PropertyValue& value) {
  AppendU8(out, static_cast<uint8_t>(value.kind));
  switch (value.kind) {
    case PropertyValue::Kind::kInt:
      AppendTime(out, value.int_value);
      break;
    case PropertyValue::Kind::kDouble: {
      // IEEE 754 orders like integers, once the negative ones are turned around.
      const auto bits = std::bit_cast<uint64_t>(value.double_value == 0 ? 0.0 : value.double_value);
      constexpr uint64_t kSign = uint64_t{1} << 63;
      AppendBe64(out, (bits & kSign) != 0 ? ~bits : bits | kSign);
      break;
    }
    case PropertyValue::Kind::kString:
      AppendText(out, value.string_value);
      break;
    case PropertyValue::Kind::kBool:
      AppendU8(out, static_cast<uint8_t>(value.int_value));
      break;
    case PropertyValue::Kind::kOther:
      break;
  }
}

std::optional<PropertyPeek> PeekProperty(absl::string_view entry) {
  PropertyPeek property;
  WireCursor cursor(entry);
  while (auto field = cursor.Next()) {
    if (field->number == kEntryKey) property.name = field->bytes;
    if (field->number != kEntryValue) continue;
    const auto value = PeekValue(field->bytes);
    if (!value.has_value()) return std::nullopt;
    property.value = *value;
  }
  if (!cursor.ok()) return std::nullopt;
  return property;
}

}  // namespace pedigree
