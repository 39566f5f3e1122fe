#include "migrate/mlmd_tables.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "migrate/schema.h"

namespace pedigree::migrate {
namespace {

// What a column is declared as, by its name: they mean the same in every table.
std::string DeclarationOf(absl::string_view column) {
  constexpr absl::string_view kNullable[] = {"state",      "last_known_state",         "int_value",
                                             "step_index", "milliseconds_since_epoch", "data_type"};
  if (column == "id") return "INTEGER PRIMARY KEY AUTOINCREMENT";
  if (column == "external_id") return "VARCHAR(255) UNIQUE";
  if (column == "version") return "VARCHAR(255)";
  if (column == "type_kind" || absl::StartsWith(column, "is_")) return "TINYINT(1) NOT NULL";
  if (column == "double_value") return "DOUBLE";
  if (column == "bool_value") return "BOOLEAN";
  if (column == "byte_value" || column == "proto_value") return "BLOB";
  if (absl::EndsWith(column, "time_since_epoch")) return "INT NOT NULL DEFAULT 0";
  if (std::find(std::begin(kNullable), std::end(kNullable), column) != std::end(kNullable))
    return "INT";
  if (absl::EndsWith(column, "_id") || column == "type") return "INT NOT NULL";
  return "TEXT";
}

std::string NameDeclaration(Table table) {
  const bool is_nullable = table == Table::kArtifact || table == Table::kExecution;
  return is_nullable ? "VARCHAR(255)" : "VARCHAR(255) NOT NULL";
}

// The constraint after the columns; "" if there is none.
std::string ConstraintOf(Table table) {
  switch (table) {
    case Table::kArtifact:
    case Table::kExecution:
    case Table::kContext:
      return "UNIQUE (`type_id`, `name`)";
    case Table::kTypeProperty:
      return "PRIMARY KEY (`type_id`, `name`)";
    case Table::kParentType:
      return "PRIMARY KEY (`type_id`, `parent_type_id`)";
    case Table::kArtifactProperty:
      return "PRIMARY KEY (`artifact_id`, `name`, `is_custom_property`)";
    case Table::kExecutionProperty:
      return "PRIMARY KEY (`execution_id`, `name`, `is_custom_property`)";
    case Table::kContextProperty:
      return "PRIMARY KEY (`context_id`, `name`, `is_custom_property`)";
    case Table::kParentContext:
      return "PRIMARY KEY (`context_id`, `parent_context_id`)";
    case Table::kAttribution:
      return "UNIQUE (`context_id`, `artifact_id`)";
    case Table::kAssociation:
      return "UNIQUE (`context_id`, `execution_id`)";
    case Table::kEvent:
      return "UNIQUE (`artifact_id`, `execution_id`, `type`)";
    case Table::kType:
    case Table::kEventPath:
      break;
  }
  return "";
}

std::string IndexOn(absl::string_view name, Table table, const std::vector<std::string>& columns,
                    absl::string_view condition = "") {
  return absl::StrCat("CREATE INDEX `", name, "` ON `", NameOf(table), "`(`",
                      absl::StrJoin(columns, "`, `"), "`)", condition);
}

}  // namespace

std::vector<std::string> CreateMlmdTables() {
  std::vector<std::string> statements = {
      "CREATE TABLE `MLMDEnv` (`schema_version` INTEGER PRIMARY KEY)"};
  for (size_t i = 0; i < kTableCount; ++i) {
    const auto table = static_cast<Table>(i);
    std::vector<std::string> parts;
    for (const Column& column : ColumnsOf(table)) {
      parts.push_back(absl::StrCat(
          "`", column.name, "` ",
          column.name == "name" ? NameDeclaration(table) : DeclarationOf(column.name)));
    }
    if (const std::string constraint = ConstraintOf(table); !constraint.empty()) {
      parts.push_back(constraint);
    }
    statements.push_back(
        absl::StrCat("CREATE TABLE `", NameOf(table), "` (", absl::StrJoin(parts, ", "), ")"));
  }
  return statements;
}

std::vector<std::string> CreateMlmdIndexes() {
  std::vector<std::string> statements = {
      IndexOn("idx_artifact_uri", Table::kArtifact, {"uri"}),
      IndexOn("idx_event_execution_id", Table::kEvent, {"execution_id"}),
      IndexOn("idx_eventpath_event_id", Table::kEventPath, {"event_id"}),
      IndexOn("idx_parentcontext_parent_context_id", Table::kParentContext, {"parent_context_id"}),
      IndexOn("idx_type_name", Table::kType, {"name"}),
      IndexOn("idx_type_external_id", Table::kType, {"external_id"})};
  for (NodeKind kind : kNodeKinds) {
    const std::string name = absl::StrCat("idx_", pedigree::NameOf(kind));
    for (const char* column :
         {"create_time_since_epoch", "last_update_time_since_epoch", "external_id"}) {
      statements.push_back(IndexOn(absl::StrCat(name, "_", column), NodeTable(kind), {column}));
    }
    for (const char* value : {"int", "double", "string"}) {
      const std::string column = absl::StrCat(value, "_value");
      statements.push_back(IndexOn(absl::StrCat(name, "_property_", value), PropertyTable(kind),
                                   {"name", "is_custom_property", column},
                                   absl::StrCat(" WHERE `", column, "` IS NOT NULL")));
    }
  }
  return statements;
}

}  // namespace pedigree::migrate
