// The names of the filter language: what may be asked of which kind of node, as data.
//
// The parser resolves names here, the printer and error texts write them from here. Constant data:
// any thread.
//
//   for (const Attribute& a : AttributesOf(NodeKind::kArtifact, VariableKind::kEvents))
//     // execution_id, type, milliseconds_since_epoch
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "query/filter_ast.h"
#include "store/traits.h"

namespace pedigree {

struct Attribute {
  absl::string_view name;
  Field field;
  ScalarType type;
};

// What a variable of this kind has in a filter over nodes of `kind`.
absl::Span<const Attribute> AttributesOf(NodeKind kind, VariableKind variable);

// The properties and neighbourhoods that nodes of `kind` have; without kNode.
absl::Span<const VariableKind> VariableKindsOf(NodeKind kind);

// What stands before the name of a variable: "contexts_", "properties."; "" for kNode.
absl::string_view PrefixOf(VariableKind kind);

// The attribute of that name, if there is one.
const Attribute* FindAttribute(absl::Span<const Attribute> attributes, absl::string_view name);

// The name that `field` has on a variable of this kind. REQUIRES: it has the field.
absl::string_view NameOf(NodeKind kind, VariableKind variable, Field field);

// Names and numbers of metadata_store.proto's enums. REQUIRES: IsEnum(type).
std::optional<int> FindEnumValue(ScalarType type, absl::string_view name);
const std::string& EnumNameOf(ScalarType type, int64_t value);
// All of them: "UNKNOWN, PENDING, ...".
std::string EnumNamesOf(ScalarType type);

// For people: "an int", "an artifact's state".
absl::string_view NameOf(ScalarType type);

// Whether `c` may stand in a name without backquotes: [0-9A-Za-z_].
constexpr bool IsWordCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

}  // namespace pedigree
