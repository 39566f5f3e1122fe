#include "migrate/export.h"

#include <cmath>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "migrate/convert.h"
#include "migrate/mlmd_tables.h"
#include "migrate/schema.h"
#include "migrate/sqlite_writer.h"
#include "migrate/store_rows.h"

namespace pedigree::migrate {
namespace {

SqlValue ValueOf(const std::optional<std::string>& text) {
  return text.has_value() ? SqlValue(*text) : SqlValue();
}
SqlValue ValueOf(const std::optional<int64_t>& number) {
  return number.has_value() ? SqlValue(*number) : SqlValue();
}
SqlValue ValueOf(const std::optional<double>& number) {
  return number.has_value() ? SqlValue(*number) : SqlValue();
}
SqlValue ValueOf(const std::optional<bool>& value) {
  return value.has_value() ? SqlValue(int64_t{*value ? 1 : 0}) : SqlValue();
}

class Exporter {
 public:
  Exporter(const Reader& reader, SqliteWriter* writer, Progress* progress)
      : rows_(reader), version_(reader.version()), writer_(*writer), progress_(*progress) {}

  absl::Status Run() {
    absl::Status status = RunAll(CreateMlmdTables());
    if (status.ok()) status = writer_.Insert("MLMDEnv", {int64_t{kNewestSchema}});
    if (status.ok()) {
      status = rows_.VisitTypes([&](const TypeRow& type) { return WriteType(type); });
    }
    for (NodeKind kind : kNodeKinds) {
      if (!status.ok()) return status;
      status = rows_.VisitNodes(kind, kFirstId, kLastId,
                                [&](const NodeRow& node, absl::Span<const int64_t> contexts) {
                                  return WriteNode(kind, node, contexts);
                                });
    }
    if (status.ok()) {
      status = rows_.VisitEvents([&](const EventRow& event) { return WriteEvent(event); });
    }
    if (status.ok()) status = WriteSequences();
    return status.ok() ? RunAll(CreateMlmdIndexes()) : status;
  }

  ExportResult TakeResult() { return std::move(result_); }

 private:
  absl::Status RunAll(const std::vector<std::string>& statements) {
    for (const std::string& sql : statements) {
      if (absl::Status status = writer_.Run(sql); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status Write(Table table, const std::vector<SqlValue>& values) {
    ++CountOf(result_.rows, table);
    progress_.Add(1);
    return writer_.Insert(NameOf(table), values);
  }

  template <class... Parts>
  void Lose(const Parts&... parts) {
    if (result_.losses.size() < kMostLosses) result_.losses.push_back(absl::StrCat(parts...));
    ++result_.lost;
  }

  absl::Status WriteType(const TypeRow& type) {
    absl::Status status =
        Write(Table::kType, {type.id, ValueOf(type.name), ValueOf(type.version), type.kind,
                             ValueOf(type.description), ValueOf(type.input_type),
                             ValueOf(type.output_type), ValueOf(type.external_id)});
    for (const TypePropertyRow& property : type.properties) {
      if (!status.ok()) return status;
      status = Write(Table::kTypeProperty, {type.id, property.name, ValueOf(property.data_type)});
    }
    for (int64_t parent : type.parents) {
      if (!status.ok()) return status;
      status = Write(Table::kParentType, {type.id, parent});
    }
    return status;
  }

  absl::Status WriteNode(NodeKind kind, const NodeRow& node, absl::Span<const int64_t> contexts) {
    std::vector<SqlValue> values = {node.id, node.type_id};
    if (kind == NodeKind::kArtifact) values.push_back(ValueOf(node.uri));
    if (kind != NodeKind::kContext) values.push_back(ValueOf(node.state));
    values.push_back(ValueOf(node.name));
    values.push_back(ValueOf(node.external_id));
    values.emplace_back(node.create_time_ms);
    values.emplace_back(node.last_update_time_ms);
    absl::Status status = Write(NodeTable(kind), values);
    if (node.has_more) {
      Lose(pedigree::NameOf(kind), " ", node.id, ": system_metadata has no column");
    }
    for (const PropertyRow& property : node.properties) {
      if (!status.ok()) return status;
      status = WriteProperty(kind, node.id, property);
    }
    for (int64_t context : contexts) {
      if (!status.ok()) return status;
      status = WriteLink(kind, node.id, context);
    }
    return status;
  }

  absl::Status WriteProperty(NodeKind kind, int64_t id, const PropertyRow& property) {
    const auto where = [&] {
      return absl::StrCat(pedigree::NameOf(kind), " ", id, ", ",
                          property.is_custom ? "custom property " : "property ", property.name);
    };
    if (property.double_value.has_value() && std::isnan(*property.double_value)) {
      Lose(where(), ": SQLite has no NaN");
      return absl::OkStatus();
    }
    if (property.is_ambiguous) {
      Lose(where(), ": MLMD takes text that begins with ", kStructPrefix, " for a struct");
    }
    return Write(PropertyTable(kind),
                 {id, property.name, int64_t{property.is_custom ? 1 : 0},
                  ValueOf(property.int_value), ValueOf(property.double_value),
                  ValueOf(property.string_value), ValueOf(property.byte_value),
                  ValueOf(property.proto_value), ValueOf(property.bool_value)});
  }

  absl::Status WriteLink(NodeKind kind, int64_t node, int64_t context) {
    if (kind == NodeKind::kContext) return Write(Table::kParentContext, {node, context});
    return Write(LinkTable(kind), {++last_link_id_[IndexOf(kind)], context, node});
  }

  absl::Status WriteEvent(const EventRow& event) {
    if (event.has_more) {
      Lose("event of artifact ", event.artifact_id, " and execution ", event.execution_id,
           ": system_metadata has no column");
    }
    absl::Status status = Write(Table::kEvent, {event.id, event.artifact_id, event.execution_id,
                                                event.type, ValueOf(event.time_ms)});
    for (const EventPathRow& step : event.path) {
      if (!status.ok()) return status;
      status = Write(Table::kEventPath, {event.id, int64_t{step.is_index ? 1 : 0},
                                         ValueOf(step.index), ValueOf(step.key)});
    }
    return status;
  }

  // Ids that have been handed out stay so, though their rows may be gone.
  absl::Status WriteSequences() {
    const Counters& counters = version_.counters;
    const std::pair<Table, int64_t> last[] = {
        {Table::kType, counters.last_type_id},
        {Table::kArtifact, version_.last_id(NodeKind::kArtifact)},
        {Table::kExecution, version_.last_id(NodeKind::kExecution)},
        {Table::kContext, version_.last_id(NodeKind::kContext)}};
    for (const auto& [table, id] : last) {
      absl::Status status = writer_.Run(absl::StrCat("UPDATE sqlite_sequence SET seq = ", id,
                                                     " WHERE name = '", NameOf(table), "'"));
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  const StoreRows rows_;
  const Version& version_;
  SqliteWriter& writer_;
  Progress& progress_;
  ExportResult result_;
  int64_t last_link_id_[3] = {};
};

}  // namespace

absl::StatusOr<ExportResult> ExportMlmd(const Store& store, const ExportOptions& options,
                                        Progress* progress) {
  auto writer = SqliteWriter::Create(options.path);
  if (!writer.ok()) return writer.status();
  ExportResult result;
  progress->Begin("exporting", 0);
  absl::Status status = store.Read(Blocking::kAllowed, [&](const Reader& reader) {
    Exporter exporter(reader, writer->get(), progress);
    absl::Status exported = exporter.Run();
    result = exporter.TakeResult();
    return exported;
  });
  if (!status.ok()) return status;
  progress->End();
  if (result.lost > 0 && options.loss == Loss::kRefuse) {
    return absl::FailedPreconditionError(absl::StrCat(
        "nothing is exported: MLMD's tables have no place for ", result.lost,
        " values; --allow_loss leaves them out:\n  ", absl::StrJoin(result.losses, "\n  ")));
  }
  status = (*writer)->Commit();
  if (!status.ok()) return status;
  return result;
}

}  // namespace pedigree::migrate
