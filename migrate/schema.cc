#include "migrate/schema.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"

namespace pedigree::migrate {
namespace {

constexpr int kByteValueSchema = 7;
constexpr int kExternalIdSchema = 9;
constexpr int kProtoValueSchema = 10;

std::vector<Column> PropertyColumns(absl::string_view node_id) {
  return {{node_id},
          {"name"},
          {"is_custom_property"},
          {"int_value"},
          {"double_value"},
          {"string_value"},
          {"byte_value", kByteValueSchema},
          {"proto_value", kProtoValueSchema},
          {"bool_value", kProtoValueSchema}};
}

struct Definition {
  absl::string_view name;
  std::vector<Column> columns;
};

const std::array<Definition, kTableCount>& Definitions() {
  static const auto* const definitions = new std::array<Definition, kTableCount>{{
      {"Type",
       {{"id"},
        {"name"},
        {"version"},
        {"type_kind"},
        {"description"},
        {"input_type"},
        {"output_type"},
        {"external_id", kExternalIdSchema}}},
      {"TypeProperty", {{"type_id"}, {"name"}, {"data_type"}}},
      {"ParentType", {{"type_id"}, {"parent_type_id"}}},
      {"Artifact",
       {{"id"},
        {"type_id"},
        {"uri"},
        {"state"},
        {"name"},
        {"external_id", kExternalIdSchema},
        {"create_time_since_epoch"},
        {"last_update_time_since_epoch"}}},
      {"ArtifactProperty", PropertyColumns("artifact_id")},
      {"Execution",
       {{"id"},
        {"type_id"},
        {"last_known_state"},
        {"name"},
        {"external_id", kExternalIdSchema},
        {"create_time_since_epoch"},
        {"last_update_time_since_epoch"}}},
      {"ExecutionProperty", PropertyColumns("execution_id")},
      {"Context",
       {{"id"},
        {"type_id"},
        {"name"},
        {"external_id", kExternalIdSchema},
        {"create_time_since_epoch"},
        {"last_update_time_since_epoch"}}},
      {"ContextProperty", PropertyColumns("context_id")},
      {"ParentContext", {{"context_id"}, {"parent_context_id"}}},
      {"Attribution", {{"id"}, {"context_id"}, {"artifact_id"}}},
      {"Association", {{"id"}, {"context_id"}, {"execution_id"}}},
      {"Event",
       {{"id"}, {"artifact_id"}, {"execution_id"}, {"type"}, {"milliseconds_since_epoch"}}},
      {"EventPath", {{"event_id"}, {"is_index_step"}, {"step_index"}, {"step_key"}}},
  }};
  return *definitions;
}

absl::Status NotWhole(int version, absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat(
      "the source says it has schema version ", version, ", but ", what,
      ": an upgrade or downgrade of MLMD's has stopped half-way; finish it with MLMD's "
      "own server, or restore a backup, and import then"));
}

absl::Status CheckTable(int version, Table table, FindColumns find_columns) {
  auto columns = find_columns(NameOf(table));
  if (!columns.ok()) return columns.status();
  if (columns->empty()) return NotWhole(version, absl::StrCat("has no table ", NameOf(table)));
  for (const Column& column : ColumnsOf(table)) {
    const bool is_there =
        std::find(columns->begin(), columns->end(), column.name) != columns->end();
    if (is_there == (column.since <= version)) continue;
    return NotWhole(version, absl::StrCat("its table ", NameOf(table),
                                          is_there ? " has the later column " : " has no column ",
                                          column.name));
  }
  // What upgrades copy a table into before they rename it.
  auto copy = find_columns(absl::StrCat(NameOf(table), "Temp"));
  if (!copy.ok()) return copy.status();
  if (!copy->empty()) {
    return NotWhole(version, absl::StrCat("has a table ", NameOf(table), "Temp"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::string_view NameOf(Table table) { return Definitions()[static_cast<size_t>(table)].name; }

const std::vector<Column>& ColumnsOf(Table table) {
  return Definitions()[static_cast<size_t>(table)].columns;
}

absl::Status CheckSchema(int version, FindColumns columns) {
  if (version < kOldestSchema || version > kNewestSchema) {
    return absl::FailedPreconditionError(
        absl::StrCat("the source has schema version ", version, "; versions ", kOldestSchema,
                     " to ", kNewestSchema, " can be imported: ",
                     version < kOldestSchema ? "upgrade it with MLMD's own server first"
                                             : "use a newer pedigree"));
  }
  for (size_t table = 0; table < kTableCount; ++table) {
    absl::Status status = CheckTable(version, static_cast<Table>(table), columns);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace pedigree::migrate
