// What the tables of an MLMD database hold, as rows that no longer know which database it was.
//
// Columns that may be NULL are optional: NULL and "" are told apart. Columns that an older schema
// lacks are NULL. A node stands here for all three kinds. Value types; any thread.
//
//   NodeRow row = {.id = 7, .type_id = 10, .uri = "s3://m"};
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/traits.h"

namespace pedigree::migrate {

// The value columns of ArtifactProperty and its like. One of them is set; where more are, the first
// counts, as in the peer.
struct PropertyRow {
  std::string name;
  bool is_custom = false;
  std::optional<int64_t> int_value;
  std::optional<double> double_value;
  std::optional<std::string> string_value;  // A struct as "mlmd-struct::" and base64.
  std::optional<std::string> byte_value;    // A column that nothing ever wrote.
  std::optional<std::string> proto_value;   // base64 of an Any
  std::optional<bool> bool_value;
  // Of a store's row: text that MLMD would take for a struct.
  bool is_ambiguous = false;

  bool operator==(const PropertyRow&) const = default;
};

struct NodeRow {
  int64_t id = 0;
  int64_t type_id = 0;
  std::optional<std::string> name;
  std::optional<std::string> external_id;
  std::optional<std::string> uri;  // Of an artifact.
  std::optional<int64_t> state;    // Of an artifact; last_known_state of an execution.
  int64_t create_time_ms = 0;
  int64_t last_update_time_ms = 0;
  std::vector<PropertyRow> properties;
  bool has_more = false;  // Of a store's row: something that MLMD's tables have no column for.
};

struct TypePropertyRow {
  std::string name;
  std::optional<int64_t> data_type;
};

struct TypeRow {
  int64_t id = 0;
  int64_t kind = 0;  // As stored: 0 execution, 1 artifact, 2 context.
  std::optional<std::string> name;
  std::optional<std::string> version;
  std::optional<std::string> description;
  std::optional<std::string> external_id;
  std::optional<std::string> input_type;   // JSON
  std::optional<std::string> output_type;  // JSON
  std::vector<TypePropertyRow> properties;
  std::vector<int64_t> parents;
};

struct EventPathRow {
  bool is_index = false;
  std::optional<int64_t> index;
  std::optional<std::string> key;
};

struct EventRow {
  int64_t id = 0;
  int64_t artifact_id = 0;
  int64_t execution_id = 0;
  int64_t type = 0;
  std::optional<int64_t> time_ms;
  std::vector<EventPathRow> path;
  bool has_more = false;  // As in NodeRow.
};

// The tables, in the order in which reports name them.
enum class Table : uint8_t {
  kType,
  kTypeProperty,
  kParentType,
  kArtifact,
  kArtifactProperty,
  kExecution,
  kExecutionProperty,
  kContext,
  kContextProperty,
  kParentContext,
  kAttribution,
  kAssociation,
  kEvent,
  kEventPath,
};
inline constexpr size_t kTableCount = 14;
using TableCounts = std::array<int64_t, kTableCount>;
inline int64_t& CountOf(TableCounts& counts, Table table) {
  return counts[static_cast<size_t>(table)];
}

constexpr Table NodeTable(NodeKind kind) {
  return kind == NodeKind::kArtifact    ? Table::kArtifact
         : kind == NodeKind::kExecution ? Table::kExecution
                                        : Table::kContext;
}
constexpr Table PropertyTable(NodeKind kind) {
  return static_cast<Table>(static_cast<uint8_t>(NodeTable(kind)) + 1);
}
// Attribution, Association, ParentContext: how nodes of the kind are linked to contexts.
constexpr Table LinkTable(NodeKind kind) {
  return kind == NodeKind::kArtifact    ? Table::kAttribution
         : kind == NodeKind::kExecution ? Table::kAssociation
                                        : Table::kParentContext;
}

// The peer's number of a kind of type, in Type.type_kind.
constexpr int64_t TypeKindOf(NodeKind kind) {
  return kind == NodeKind::kExecution ? 0 : kind == NodeKind::kArtifact ? 1 : 2;
}
constexpr std::optional<NodeKind> KindOfType(int64_t type_kind) {
  if (type_kind == 0) return NodeKind::kExecution;
  if (type_kind == 1) return NodeKind::kArtifact;
  if (type_kind == 2) return NodeKind::kContext;
  return std::nullopt;
}

}  // namespace pedigree::migrate
