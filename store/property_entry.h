// The entries of property indexes that a node asks for.
//
// Pure functions; any thread.
//
//   for (const auto& index : catalog.property_indexes().Of(kind)) {
//     if (auto key = PropertyEntry(*index, PropertyValueIn(node, *index), node.id())) Put(*key,
//     "");
//   }
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "store/keys.h"
#include "store/property.h"
#include "store/property_index.h"

namespace pedigree {

// The indexed property of the node; kOther if it has none. Borrows from the node.
template <class Node>
PropertyValue PropertyValueIn(const Node& node, const PropertyIndex& index) {
  const auto& properties = index.is_custom ? node.custom_properties() : node.properties();
  const auto it = properties.find(index.name);
  return it == properties.end() ? PropertyValue() : PropertyValue::Of(it->second);
}

// The key of the entry; nullopt for values that are not indexed.
inline std::optional<std::string> PropertyEntry(const PropertyIndex& index,
                                                const PropertyValue& value, int64_t id) {
  if (value.kind == PropertyValue::Kind::kOther) return std::nullopt;
  return PropertyKey{index.id, value, id}.Encode();
}

}  // namespace pedigree
