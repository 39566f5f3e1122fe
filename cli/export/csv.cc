#include "cli/export/csv.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "api/task.pb.h"
#include "cli/csv_cell.h"
#include "cli/export/json_values.h"

namespace pedigree::cli {
namespace {

// What spreadsheets take for the beginning of a formula, in their wide forms, too.
bool LooksLikeFormula(absl::string_view text) {
  for (absl::string_view begin : {"=", "+", "-", "@", "\t", "\r", "\n", "'", "\xEF\xBC\x9D",
                                  "\xEF\xBC\x8B", "\xEF\xBC\x8D", "\xEF\xBC\xA0"}) {
    if (absl::StartsWith(text, begin)) return true;
  }
  return false;
}

const char* ValueTypeName(const ml_metadata::Value& value) {
  switch (value.value_case()) {
    case ml_metadata::Value::kIntValue:
      return "INT";
    case ml_metadata::Value::kDoubleValue:
      return "DOUBLE";
    case ml_metadata::Value::kStringValue:
      return "STRING";
    case ml_metadata::Value::kStructValue:
      return "STRUCT";
    case ml_metadata::Value::kProtoValue:
      return "PROTO";
    case ml_metadata::Value::kBoolValue:
      return "BOOLEAN";
    case ml_metadata::Value::VALUE_NOT_SET:
      break;
  }
  return "";
}

// Makes the rows of one record.
class Rows {
 public:
  Rows(const TypeNames& types, Guard guard, const CsvSink& sink)
      : types_(types), guard_(guard), sink_(sink) {}

  template <typename Type>
  void AddType(const char* kind, const Type& type, const std::string& base) {
    CsvRow row(guard_);
    row.Number(type.id()).Text(kind).Text(type.name()).Text(type.version());
    row.Text(type.description()).Text(type.external_id()).Text(base);
    sink_(CsvTable::kTypes, row);
    for (const auto& [name, value_type] : Sorted(type.properties())) {
      row.Number(type.id()).Text(name).Text(ml_metadata::PropertyType_Name(*value_type));
      sink_(CsvTable::kTypeProperties, row);
    }
  }

  void AddContext(const v1::ExportedContext& exported) {
    const auto& context = exported.context();
    CsvRow row(guard_);
    row.Number(context.id()).Number(context.type_id()).Text(types_.NameOf(context));
    row.Text(context.name()).Text(context.external_id());
    Finish(CsvTable::kContexts, "context", context, row);
    // A context is a member of its parents.
    for (const int64_t parent : exported.parent_ids()) AddMember(parent, "context", context.id());
  }

  void AddArtifact(const v1::ExportedArtifact& exported) {
    const auto& artifact = exported.artifact();
    CsvRow row(guard_);
    row.Number(artifact.id()).Number(artifact.type_id()).Text(types_.NameOf(artifact));
    row.Text(artifact.name()).Text(artifact.uri()).Text(artifact.external_id());
    row.Text(ml_metadata::Artifact::State_Name(artifact.state()));
    Finish(CsvTable::kArtifacts, "artifact", artifact, row);
    for (const int64_t id : exported.context_ids()) AddMember(id, "artifact", artifact.id());
  }

  void AddExecution(const v1::ExportedExecution& exported) {
    const auto& execution = exported.execution();
    CsvRow row(guard_);
    row.Number(execution.id()).Number(execution.type_id()).Text(types_.NameOf(execution));
    row.Text(execution.name()).Text(execution.external_id());
    row.Text(ml_metadata::Execution::State_Name(execution.last_known_state()));
    Finish(CsvTable::kExecutions, "execution", execution, row);
    for (const int64_t id : exported.context_ids()) AddMember(id, "execution", execution.id());
  }

  void AddEvent(const v1::ExportedEvent& exported) {
    const auto& event = exported.event();
    CsvRow row(guard_);
    row.Number(exported.number()).Number(event.execution_id()).Number(event.artifact_id());
    row.Text(ml_metadata::Event::Type_Name(event.type()));
    row.Text(event.path().steps_size() > 0 ? Print(ToJson(event.path())) : "");
    row.Time(event.milliseconds_since_epoch());
    sink_(CsvTable::kEvents, row);
  }

  void AddTask(const api::Task& task) {
    CsvRow row(guard_);
    row.Text(task.id()).Text(task.namespace_()).Text(task.pipelinename()).Text(task.runid());
    row.Text(task.mlmdexecutionid());
    row.Time(task.created_at().seconds() * 1000).Time(task.finished_at().seconds() * 1000);
    row.Text(task.fingerprint());
    sink_(CsvTable::kTasks, row);
  }

  void AddCacheEntry(const v1::ExportedCacheEntry& entry) {
    CsvRow row(guard_);
    row.Number(entry.execution_id()).Text(entry.invalidated() ? "true" : "false");
    row.Text(entry.is_explicit() ? "true" : "false").Text(entry.namespace_());
    row.Text(entry.pipeline()).Time(entry.completed_at_ms()).Number(entry.run_ms());
    sink_(CsvTable::kCacheEntries, row);
  }

 private:
  // What nodes of all kinds have.
  template <typename Node>
  void Finish(CsvTable table, const char* kind, const Node& node, CsvRow& row) {
    row.Time(node.create_time_since_epoch()).Time(node.last_update_time_since_epoch());
    sink_(table, row);
    AddProperties(kind, node.id(), "false", node.properties());
    AddProperties(kind, node.id(), "true", node.custom_properties());
  }

  void AddProperties(const char* kind, int64_t id, const char* is_custom,
                     const Properties& properties) {
    CsvRow row(guard_);
    for (const auto& [name, value] : Sorted(properties)) {
      row.Text(kind).Number(id).Text(is_custom).Text(name).Text(ValueTypeName(*value));
      // Numbers are no formulas, whatever their sign.
      if (value->has_int_value()) {
        row.Number(value->int_value());
      } else if (value->has_double_value()) {
        row.Double(value->double_value());
      } else if (value->value_case() == ml_metadata::Value::VALUE_NOT_SET) {
        row.Text("");
      } else {
        row.Text(ToText(*value));
      }
      sink_(CsvTable::kProperties, row);
    }
  }

  void AddMember(int64_t context, const char* kind, int64_t member) {
    CsvRow row(guard_);
    row.Number(context).Text(kind).Number(member);
    sink_(CsvTable::kMemberships, row);
  }

  const TypeNames& types_;
  const Guard guard_;
  const CsvSink& sink_;
};

template <typename Type>
std::string BaseName(const Type& type) {
  return type.has_base_type() ? Type::SystemDefinedBaseType_Name(type.base_type()) : "";
}

}  // namespace

CsvRow& CsvRow::Number(int64_t number) {
  Cell(absl::StrCat(number));
  return *this;
}

CsvRow& CsvRow::Double(double number) {
  const Json json = ToJson(number);
  Cell(json.is_string() ? json.get<std::string>() : Print(json));
  return *this;
}

CsvRow& CsvRow::Text(absl::string_view text) {
  std::string cell = ToUtf8(text);
  if (absl::StrContains(cell, '\0')) {
    cell = absl::StrReplaceAll(cell, {{absl::string_view("\0", 1), "\xEF\xBF\xBD"}});
  }
  if (guard_ == Guard::kFormulas && LooksLikeFormula(cell)) cell.insert(0, 1, '\'');
  Cell(cell);
  return *this;
}

CsvRow& CsvRow::Time(int64_t ms) {
  Cell(ms == 0 ? "" : TimeText(ms));
  return *this;
}

std::string CsvRow::Finish() {
  std::string row = row_ + "\r\n";
  row_.clear();
  is_first_ = true;
  return row;
}

void CsvRow::Cell(absl::string_view cell) {
  if (!is_first_) row_.push_back(',');
  is_first_ = false;
  absl::StrAppend(&row_, CsvCell(cell));
}

absl::Status AddCsvRows(const v1::ExportRecord& record, const TypeNames& types, Guard guard,
                        const CsvSink& sink) {
  Rows rows(types, guard, sink);
  switch (record.record_case()) {
    case v1::ExportRecord::kArtifactType:
      rows.AddType("artifact", record.artifact_type(), BaseName(record.artifact_type()));
      break;
    case v1::ExportRecord::kExecutionType:
      rows.AddType("execution", record.execution_type(), BaseName(record.execution_type()));
      break;
    case v1::ExportRecord::kContextType:
      rows.AddType("context", record.context_type(), BaseName(record.context_type()));
      break;
    case v1::ExportRecord::kContext:
      rows.AddContext(record.context());
      break;
    case v1::ExportRecord::kArtifact:
      rows.AddArtifact(record.artifact());
      break;
    case v1::ExportRecord::kExecution:
      rows.AddExecution(record.execution());
      break;
    case v1::ExportRecord::kEvent:
      rows.AddEvent(record.event());
      break;
    case v1::ExportRecord::kTask: {
      api::Task task;
      if (!task.ParseFromString(record.task())) {
        return absl::DataLossError("the bytes of a task do not decode");
      }
      rows.AddTask(task);
      break;
    }
    case v1::ExportRecord::kCacheEntry:
      rows.AddCacheEntry(record.cache_entry());
      break;
    case v1::ExportRecord::kStep:
    case v1::ExportRecord::RECORD_NOT_SET:
      break;
  }
  return absl::OkStatus();
}

}  // namespace pedigree::cli
