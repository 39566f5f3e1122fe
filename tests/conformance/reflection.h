// The few questions about protobuf fields that the replayer asks everywhere.
//
// Threading: free functions without state.
//
// Example:
//   for (const FieldDescriptor* field : PresentFields(message)) if (IsNested(field)) ...
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <vector>

#include "absl/strings/match.h"

namespace pedigree::conformance {

inline std::vector<const google::protobuf::FieldDescriptor*> PresentFields(
    const google::protobuf::Message& message) {
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  return fields;
}

// Whether `type` is one of google.protobuf.*: Any, Struct, FieldMask. They are compared whole.
inline bool IsWellKnown(const google::protobuf::Descriptor* type) {
  return absl::StartsWith(type->full_name(), "google.");
}

// Whether the field holds messages of ours, as one value, a list or a map.
inline bool IsNested(const google::protobuf::FieldDescriptor* field) {
  return field->message_type() != nullptr && !IsWellKnown(field->message_type());
}

// The type of a map's values if they are messages, else nullptr.
inline const google::protobuf::Descriptor* MapValueType(
    const google::protobuf::FieldDescriptor* map) {
  return map->message_type()->map_value()->message_type();
}

}  // namespace pedigree::conformance
