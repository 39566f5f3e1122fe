// A property's value as indexes and filters see it, from wire bytes or from a parsed message.
//
// Value types that borrow their text; any thread.
//
//   PeekNode(kind, message, [&](bool is_custom, absl::string_view entry) {
//     const auto property = PeekProperty(entry);
//     if (property.has_value() && property->name == "run_id") ...
//   });
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "ml_metadata/proto/metadata_store.pb.h"

namespace pedigree {

struct PropertyValue {
  // Part of the format: the first byte of an indexed value. Structs, protos and values without a
  // kind have no order and no literal in the filter language: they are kOther and never indexed.
  enum class Kind : uint8_t { kOther = 0, kInt = 1, kDouble = 2, kString = 3, kBool = 4 };

  Kind kind = Kind::kOther;
  int64_t int_value = 0;  // Of a bool: 0 or 1.
  double double_value = 0;
  absl::string_view string_value;

  static PropertyValue Int(int64_t value) { return {Kind::kInt, value, 0, {}}; }
  static PropertyValue Double(double value) { return {Kind::kDouble, 0, value, {}}; }
  static PropertyValue String(absl::string_view value) { return {Kind::kString, 0, 0, value}; }
  static PropertyValue Bool(bool value) { return {Kind::kBool, value ? 1 : 0, 0, {}}; }
  // Borrows from `value`.
  static PropertyValue Of(const ml_metadata::Value& value);
};

// Appends kind:u8 and the value, so that values of one kind compare bytewise in their order: ints
// and doubles as 8 bytes, text as in codec.h (one that is too long keeps order within its prefix
// only). -0.0 is 0.0. No encoded value is a prefix of another.
// REQUIRES: not kOther.
void AppendPropertyValue(std::string* out, const PropertyValue& value);

// The kind of property that a value fits; UNKNOWN if none is set.
ml_metadata::PropertyType PropertyTypeOf(const ml_metadata::Value& value);

struct PropertyPeek {
  absl::string_view name;
  PropertyValue value;
};

// Reads one entry of a node's properties or custom_properties. Nullopt if the bytes are no entry.
std::optional<PropertyPeek> PeekProperty(absl::string_view entry);

}  // namespace pedigree
