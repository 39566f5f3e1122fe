#include "migrate/sql_source.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "migrate/schema.h"
#include "migrate/sql_cells.h"

namespace pedigree::migrate {
namespace {

constexpr int64_t kNodesPerPage = 1024;
constexpr int64_t kEventsPerPage = 8192;
constexpr size_t kIdsPerQuery = 512;
// Rows before a mark that are read again: a transaction may commit after one that got later ids and
// times.
constexpr int64_t kOverlapRows = 1000;
constexpr int64_t kOverlapMs = 60'000;
constexpr int64_t kEndOfIds = std::numeric_limits<int64_t>::max();

class SqlSource final : public Source {
 public:
  SqlSource(std::unique_ptr<SqlConnection> connection, SourceInfo info)
      : connection_(std::move(connection)), info_(std::move(info)) {}

  const SourceInfo& info() const override { return info_; }

  absl::StatusOr<TableCounts> CountRows() override {
    TableCounts counts = {};
    for (size_t table = 0; table < kTableCount; ++table) {
      absl::Status status =
          connection_->Query(absl::StrCat("SELECT COUNT(*) FROM ", Name(static_cast<Table>(table))),
                             [&](const SqlRow& row) {
                               counts[table] = row.Int(0).value_or(0);
                               return absl::OkStatus();
                             });
      if (!status.ok()) return status;
    }
    return counts;
  }

  absl::StatusOr<LastIds> FindLastIds() override {
    LastIds last;
    const std::pair<Table, int64_t*> ids[] = {{Table::kType, &last.type},
                                              {Table::kArtifact, &last.node[0]},
                                              {Table::kExecution, &last.node[1]},
                                              {Table::kContext, &last.node[2]},
                                              {Table::kEvent, &last.event}};
    for (const auto& [table, id] : ids) {
      absl::Status status = connection_->Query(absl::StrCat("SELECT MAX(id) FROM ", Name(table)),
                                               [&, to = id](const SqlRow& row) {
                                                 if (!row.IsNull(0)) *to = row.Int(0).value_or(0);
                                                 return absl::OkStatus();
                                               });
      if (!status.ok()) return status;
      auto handed_out = connection_->LastHandedOut(NameOf(table));
      if (!handed_out.ok()) return handed_out.status();
      *id = std::max(*id, *handed_out);
    }
    return last;
  }

  absl::Status VisitTypes(Visit<TypeRow> visit, Orphan orphan) override {
    std::map<int64_t, TypeRow> types;
    absl::Status status = Select(Table::kType, " ORDER BY id", [&](Cells& cells) {
      TypeRow type;
      type.id = cells.Int(0);
      type.name = cells.MaybeText(1);
      type.version = cells.MaybeText(2);
      type.kind = cells.Int(3);
      type.description = cells.MaybeText(4);
      type.input_type = cells.MaybeText(5);
      type.output_type = cells.MaybeText(6);
      type.external_id = cells.MaybeText(7);
      types.emplace(type.id, std::move(type));
    });
    const auto owner = [&](Table table, int64_t id) -> TypeRow* {
      const auto it = types.find(id);
      if (it != types.end()) return &it->second;
      orphan(table, id);
      return nullptr;
    };
    if (status.ok()) {
      status = Select(Table::kTypeProperty, " ORDER BY type_id, name", [&](Cells& cells) {
        TypeRow* type = owner(Table::kTypeProperty, cells.Int(0));
        if (type == nullptr) return;
        type->properties.push_back({cells.Text(1), cells.MaybeInt(2)});
      });
    }
    if (status.ok()) {
      status = Select(Table::kParentType, " ORDER BY type_id, parent_type_id", [&](Cells& cells) {
        TypeRow* type = owner(Table::kParentType, cells.Int(0));
        if (type != nullptr) type->parents.push_back(cells.Int(1));
      });
    }
    for (auto it = types.begin(); status.ok() && it != types.end(); ++it) {
      status = visit(it->second);
    }
    return status;
  }

  absl::Status VisitNodes(NodeKind kind, int64_t from, Visit<NodeRow> visit,
                          Orphan orphan) override {
    int64_t property_from = from;
    while (true) {
      std::vector<NodeRow> page;
      absl::Status status = Select(NodeTable(kind), Page("id", from, kNodesPerPage),
                                   [&](Cells& cells) { page.push_back(ReadNode(kind, cells)); });
      const bool is_last = static_cast<int64_t>(page.size()) < kNodesPerPage;
      const int64_t last = is_last ? kEndOfIds : page.back().id;
      const std::string where = Within(ColumnsOf(PropertyTable(kind))[0].name, property_from, last);
      if (status.ok()) status = ReadProperties(kind, where, &page, orphan);
      for (size_t i = 0; status.ok() && i < page.size(); ++i) status = visit(page[i]);
      if (!status.ok() || last == kEndOfIds) return status;
      from = last + 1;
      property_from = from;
    }
  }

  absl::Status VisitEvents(int64_t from, Visit<EventRow> visit, Orphan orphan) override {
    while (true) {
      std::vector<EventRow> page;
      absl::Status status =
          Select(Table::kEvent, Page("id", from, kEventsPerPage), [&](Cells& cells) {
            EventRow event;
            event.id = cells.Int(0);
            event.artifact_id = cells.Int(1);
            event.execution_id = cells.Int(2);
            event.type = cells.Int(3);
            event.time_ms = cells.MaybeInt(4);
            page.push_back(std::move(event));
          });
      const bool is_last = static_cast<int64_t>(page.size()) < kEventsPerPage;
      const int64_t last = is_last ? kEndOfIds : page.back().id;
      if (status.ok()) status = ReadPaths(Within("event_id", from, last), &page, orphan);
      for (size_t i = 0; status.ok() && i < page.size(); ++i) status = visit(page[i]);
      if (!status.ok() || last == kEndOfIds) return status;
      from = last + 1;
    }
  }

  absl::Status VisitLinks(NodeKind kind, VisitLink visit) override {
    return SelectLinks(kind, "", visit);
  }

  absl::StatusOr<std::vector<int64_t>> FindDuplicateNames(NodeKind kind) override {
    return FindDuplicates(NodeTable(kind), {"type_id", Exact("name")}, "name");
  }
  absl::StatusOr<std::vector<int64_t>> FindDuplicateExternalIds(NodeKind kind) override {
    if (!Has(Column{"external_id", 9})) return std::vector<int64_t>();
    return FindDuplicates(NodeTable(kind), {Exact("external_id")}, "external_id");
  }
  absl::StatusOr<std::vector<int64_t>> FindDuplicateEvents() override {
    return FindDuplicates(Table::kEvent, {"artifact_id", "execution_id", "type"}, "type");
  }

  absl::StatusOr<Marks> FindMarks() override {
    Marks marks;
    absl::Status status = FindNumber("MAX(id)", Table::kEvent, &marks.event);
    for (NodeKind kind : kNodeKinds) {
      const size_t i = IndexOf(kind);
      if (status.ok()) status = FindNumber("MAX(id)", NodeTable(kind), &marks.node[i]);
      if (status.ok()) {
        status = FindNumber("MAX(last_update_time_since_epoch)", NodeTable(kind),
                            &marks.update_time_ms[i]);
      }
      if (status.ok()) {
        status = FindNumber(kind == NodeKind::kContext ? "COUNT(*)" : "MAX(id)", LinkTable(kind),
                            &marks.link[i]);
      }
    }
    if (!status.ok()) return status;
    return marks;
  }

  absl::Status VisitChangedNodes(NodeKind kind, const Marks& since, Visit<NodeRow> visit) override {
    const size_t i = IndexOf(kind);
    std::vector<int64_t> ids;
    // One after the other, as databases do not use two indexes for OR.
    for (const std::string& condition :
         {absl::StrCat("id > ", since.node[i] - kOverlapRows),
          absl::StrCat("last_update_time_since_epoch > ", since.update_time_ms[i] - kOverlapMs)}) {
      absl::Status status = connection_->Query(
          absl::StrCat("SELECT id FROM ", Name(NodeTable(kind)), " WHERE ", condition),
          [&](const SqlRow& row) {
            ids.push_back(row.Int(0).value_or(0));
            return absl::OkStatus();
          });
      if (!status.ok()) return status;
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    for (size_t begin = 0; begin < ids.size(); begin += kIdsPerQuery) {
      const auto some = absl::MakeConstSpan(ids).subspan(begin, kIdsPerQuery);
      absl::Status status = VisitNodesOf(kind, absl::StrJoin(some, ", "), visit);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status VisitNewLinks(NodeKind kind, const Marks& since, VisitLink visit) override {
    const size_t i = IndexOf(kind);
    if (kind != NodeKind::kContext) {
      return SelectLinks(kind, absl::StrCat(" WHERE id > ", since.link[i] - kOverlapRows), visit);
    }
    // They have no ids; but they are few, and never taken back.
    int64_t count = 0;
    absl::Status status = FindNumber("COUNT(*)", LinkTable(kind), &count);
    if (!status.ok() || count == since.link[i]) return status;
    return SelectLinks(kind, "", visit);
  }

  absl::Status VisitNewEvents(const Marks& since, Visit<EventRow> visit) override {
    return VisitEvents(since.event - kOverlapRows + 1, visit, [](Table, int64_t) {});
  }

 private:
  bool Has(const Column& column) const { return column.since <= info_.schema_version; }
  std::string Name(Table table) const {
    const absl::string_view quote = connection_->dialect().quote;
    return absl::StrCat(quote, NameOf(table), quote);
  }
  std::string Exact(absl::string_view column) const {
    return absl::StrCat(connection_->dialect().exact_begin, column,
                        connection_->dialect().exact_end);
  }
  static std::string Page(absl::string_view id, int64_t from, int64_t rows) {
    return absl::StrCat(" WHERE ", id, " >= ", from, " ORDER BY ", id, " LIMIT ", rows);
  }
  static std::pair<absl::string_view, absl::string_view> LinkColumns(NodeKind kind) {
    if (kind == NodeKind::kArtifact) return {"artifact_id", "context_id"};
    if (kind == NodeKind::kExecution) return {"execution_id", "context_id"};
    return {"context_id", "parent_context_id"};
  }

  // All columns of a table in the order of ColumnsOf(); those that the schema lacks are NULL.
  absl::Status Select(Table table, absl::string_view rest, absl::FunctionRef<void(Cells&)> visit) {
    std::vector<std::string> columns;
    for (const Column& column : ColumnsOf(table)) {
      columns.emplace_back(Has(column) ? column.name : "NULL");
    }
    const std::string sql = absl::StrCat(
        "SELECT ", absl::StrJoin(columns, ", "), " FROM ", Name(table),
        table == Table::kEventPath ? connection_->dialect().event_path_index : "", rest);
    return connection_->Query(sql, [&](const SqlRow& row) {
      Cells cells(row, NameOf(table), columns);
      visit(cells);
      return cells.status();
    });
  }

  absl::Status SelectLinks(NodeKind kind, absl::string_view where, VisitLink visit) {
    const auto& [node, context] = LinkColumns(kind);
    const std::string sql =
        absl::StrCat("SELECT ", node, ", ", context, " FROM ", Name(LinkTable(kind)), where,
                     " ORDER BY ", node, ", ", context);
    const std::vector<std::string> columns = {std::string(node), std::string(context)};
    return connection_->Query(sql, [&](const SqlRow& row) {
      Cells cells(row, NameOf(LinkTable(kind)), columns);
      const int64_t node_id = cells.Int(0);
      const int64_t context_id = cells.Int(1);
      absl::Status status = cells.status();
      return status.ok() ? visit(node_id, context_id) : status;
    });
  }

  // The number that the expression has over all of the table; none leaves `to` as it is.
  absl::Status FindNumber(absl::string_view expression, Table table, int64_t* to) {
    return connection_->Query(absl::StrCat("SELECT ", expression, " FROM ", Name(table)),
                              [&](const SqlRow& row) {
                                if (!row.IsNull(0)) *to = row.Int(0).value_or(*to);
                                return absl::OkStatus();
                              });
  }

  // The nodes with these ids, by id.
  absl::Status VisitNodesOf(NodeKind kind, absl::string_view ids, Visit<NodeRow> visit) {
    std::vector<NodeRow> page;
    absl::Status status =
        Select(NodeTable(kind), absl::StrCat(" WHERE id IN (", ids, ") ORDER BY id"),
               [&](Cells& cells) { page.push_back(ReadNode(kind, cells)); });
    if (!status.ok()) return status;
    const absl::string_view owner = ColumnsOf(PropertyTable(kind))[0].name;
    status = ReadProperties(kind, absl::StrCat(" WHERE ", owner, " IN (", ids, ")"), &page,
                            [](Table, int64_t) {});
    for (size_t i = 0; status.ok() && i < page.size(); ++i) status = visit(page[i]);
    return status;
  }

  static NodeRow ReadNode(NodeKind kind, Cells& cells) {
    NodeRow node;
    int column = 0;
    node.id = cells.Int(column++);
    node.type_id = cells.Int(column++);
    if (kind == NodeKind::kArtifact) node.uri = cells.MaybeText(column++);
    if (kind != NodeKind::kContext) node.state = cells.MaybeInt(column++);
    node.name = cells.MaybeText(column++);
    node.external_id = cells.MaybeText(column++);
    node.create_time_ms = cells.Int(column++);
    node.last_update_time_ms = cells.Int(column);
    return node;
  }

  static std::string Within(absl::string_view owner, int64_t from, int64_t last) {
    return absl::StrCat(" WHERE ", owner, " >= ", from, " AND ", owner, " <= ", last);
  }

  // The rows of `table` that `where` says, each given to its owner in `page`.
  template <class Row>
  absl::Status ReadParts(Table table, absl::string_view where, absl::string_view order,
                         std::vector<Row>* page, Orphan orphan,
                         absl::FunctionRef<void(Row& owner, Cells& cells)> read) {
    const absl::string_view owner = ColumnsOf(table)[0].name;
    size_t place = 0;
    return Select(table, absl::StrCat(where, " ORDER BY ", owner, order), [&](Cells& cells) {
      const int64_t id = cells.Int(0);
      while (place < page->size() && (*page)[place].id < id) ++place;
      if (place < page->size() && (*page)[place].id == id) {
        read((*page)[place], cells);
      } else {
        orphan(table, id);
      }
    });
  }

  absl::Status ReadProperties(NodeKind kind, absl::string_view where, std::vector<NodeRow>* page,
                              Orphan orphan) {
    const bool has_raw_protos = connection_->dialect().has_raw_protos;
    return ReadParts<NodeRow>(PropertyTable(kind), where, "", page, orphan,
                              [&](NodeRow& node, Cells& cells) {
                                PropertyRow property;
                                property.name = cells.Text(1);
                                property.is_custom = cells.Int(2) != 0;
                                property.int_value = cells.MaybeInt(3);
                                property.double_value = cells.MaybeDouble(4);
                                property.string_value = cells.MaybeText(5);
                                property.byte_value = cells.MaybeText(6);
                                property.proto_value = cells.MaybeText(7);
                                if (has_raw_protos && property.proto_value.has_value()) {
                                  property.proto_value = absl::Base64Escape(*property.proto_value);
                                }
                                if (const auto value = cells.MaybeInt(8); value.has_value()) {
                                  property.bool_value = *value != 0;
                                }
                                node.properties.push_back(std::move(property));
                              });
  }

  absl::Status ReadPaths(absl::string_view where, std::vector<EventRow>* page, Orphan orphan) {
    return ReadParts<EventRow>(Table::kEventPath, where, connection_->dialect().insertion_order,
                               page, orphan, [](EventRow& event, Cells& cells) {
                                 EventPathRow step;
                                 step.is_index = cells.Int(1) != 0;
                                 step.index = cells.MaybeInt(2);
                                 step.key = cells.MaybeText(3);
                                 event.path.push_back(std::move(step));
                               });
  }

  absl::StatusOr<std::vector<int64_t>> FindDuplicates(Table table,
                                                      const std::vector<std::string>& columns,
                                                      absl::string_view not_null) {
    const std::string same = absl::StrJoin(columns, ", ");
    std::string equal;
    for (size_t i = 0; i < columns.size(); ++i) {
      absl::StrAppend(&equal, i == 0 ? "" : " AND ", "k", i, " = g", i);
    }
    std::string keys;
    std::string groups;
    for (size_t i = 0; i < columns.size(); ++i) {
      absl::StrAppend(&keys, ", ", columns[i], " AS k", i);
      absl::StrAppend(&groups, columns[i], " AS g", i, ", ");
    }
    const std::string where = absl::StrCat(" WHERE ", not_null, " IS NOT NULL");
    // Most databases have none, and then only the groups are counted, on an index.
    bool has_any = false;
    absl::Status status =
        connection_->Query(absl::StrCat("SELECT 1 FROM ", Name(table), where, " GROUP BY ", same,
                                        " HAVING COUNT(*) > 1 LIMIT 1"),
                           [&](const SqlRow&) {
                             has_any = true;
                             return absl::OkStatus();
                           });
    std::vector<int64_t> ids;
    if (!status.ok()) return status;
    if (!has_any) return ids;
    status = connection_->Query(
        absl::StrCat("SELECT r.id FROM (SELECT id", keys, " FROM ", Name(table), where,
                     ") r JOIN (SELECT ", groups, "MIN(id) AS first_id FROM ", Name(table), where,
                     " GROUP BY ", same, " HAVING COUNT(*) > 1) d ON ", equal,
                     " AND r.id > d.first_id ORDER BY r.id"),
        [&](const SqlRow& row) {
          ids.push_back(row.Int(0).value_or(0));
          return absl::OkStatus();
        });
    if (!status.ok()) return status;
    return ids;
  }

  const std::unique_ptr<SqlConnection> connection_;
  const SourceInfo info_;
};

}  // namespace

absl::StatusOr<std::vector<std::string>> FirstColumn(SqlConnection* connection,
                                                     const std::string& sql) {
  std::vector<std::string> texts;
  absl::Status status = connection->Query(sql, [&](const SqlRow& row) {
    texts.emplace_back(row.Bytes(0));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return texts;
}

absl::StatusOr<std::unique_ptr<Source>> OpenSqlSource(std::unique_ptr<SqlConnection> connection,
                                                      std::string name) {
  auto columns = connection->Columns("MLMDEnv");
  if (!columns.ok()) return columns.status();
  if (columns->empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        name, " is no MLMD database, or older than its schema version 1: it has no table MLMDEnv"));
  }
  const absl::string_view quote = connection->dialect().quote;
  std::vector<int64_t> versions;
  absl::Status status = connection->Query(
      absl::StrCat("SELECT schema_version FROM ", quote, "MLMDEnv", quote), [&](const SqlRow& row) {
        versions.push_back(row.Int(0).value_or(-1));
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  if (versions.size() != 1) {
    return absl::FailedPreconditionError(
        absl::StrCat(name, " is no whole MLMD database: its table MLMDEnv has ", versions.size(),
                     " rows instead of one"));
  }
  const int version = static_cast<int>(std::min<int64_t>(versions[0], kNewestSchema + 1));
  status =
      CheckSchema(version, [&](absl::string_view table) { return connection->Columns(table); });
  if (!status.ok()) return status;
  return std::make_unique<SqlSource>(std::move(connection),
                                     SourceInfo{std::move(name), version, true});
}

}  // namespace pedigree::migrate
