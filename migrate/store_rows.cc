#include "migrate/store_rows.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "migrate/convert.h"
#include "store/codec.h"
#include "store/keys.h"

namespace pedigree::migrate {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;

template <class Node>
void AddTypes(const Catalog& catalog, std::vector<TypeRow>* rows) {
  const auto parent = [&](absl::string_view name) {
    const auto* type = catalog.Of<Node>().FindByName(name, "");
    return type == nullptr ? 0 : type->id();
  };
  for (const auto& [id, type] : catalog.Of<Node>().all()) {
    rows->push_back(ToTypeRow<Node>(*type, parent));
  }
}

template <class Node>
absl::StatusOr<NodeRow> RowOf(int64_t id, absl::string_view message) {
  Node node;
  if (!node.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
    return DamagedRecord(TraitsOf<Node>::kName, id);
  }
  return ToNodeRow(node);
}

absl::StatusOr<NodeRow> RowOf(NodeKind kind, int64_t id, absl::string_view message) {
  switch (kind) {
    case NodeKind::kArtifact:
      return RowOf<Artifact>(id, message);
    case NodeKind::kExecution:
      return RowOf<Execution>(id, message);
    case NodeKind::kContext:
      break;
  }
  return RowOf<Context>(id, message);
}

absl::StatusOr<EventRow> RowOfEvent(int64_t number, absl::string_view bytes) {
  Event event;
  if (!event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError(absl::StrCat("event ", number, ": does not decode"));
  }
  return ToEventRow(number, event);
}

}  // namespace

absl::Status StoreRows::VisitTypes(
    absl::FunctionRef<absl::Status(const TypeRow& type)> visit) const {
  std::vector<TypeRow> rows;
  AddTypes<Artifact>(reader_.catalog(), &rows);
  AddTypes<Execution>(reader_.catalog(), &rows);
  AddTypes<Context>(reader_.catalog(), &rows);
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  for (const TypeRow& row : rows) {
    if (absl::Status status = visit(row); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status StoreRows::VisitNodes(NodeKind kind, int64_t from, int64_t last,
                                   VisitNode visit) const {
  absl::Status inner;
  absl::Status status = reader_.VisitNodes(kind, from, Direction::kAscending,
                                           [&](int64_t id, const RecordView& record) {
                                             if (id > last) return false;
                                             auto row = RowOf(kind, id, record.message());
                                             inner = row.status();
                                             std::vector<int64_t> contexts = record.NearLinks();
                                             if (inner.ok() && record.HasFarLinks()) {
                                               auto links = reader_.Links(kind, id);
                                               inner = links.status();
                                               if (inner.ok()) contexts = *std::move(links);
                                             }
                                             if (inner.ok()) inner = visit(*row, contexts);
                                             return inner.ok();
                                           });
  return status.ok() ? inner : status;
}

absl::Status StoreRows::VisitEventsOf(
    int64_t execution, absl::FunctionRef<absl::Status(const EventRow& event)> visit) const {
  absl::Status inner;
  absl::Status status = reader_.VisitEventsOfExecution(execution, [&](absl::string_view bytes) {
    if (!inner.ok()) return;
    auto row = RowOfEvent(0, bytes);
    inner = row.ok() ? visit(*row) : row.status();
  });
  return status.ok() ? inner : status;
}

absl::Status StoreRows::VisitEvents(
    absl::FunctionRef<absl::Status(const EventRow& event)> visit) const {
  absl::Status inner;
  absl::Status status = reader_.view().ScanThrough(
      PrefixRange(KeyHead(Tag::kArtifactEvent)), [&](absl::string_view, absl::string_view value) {
        ByteReader bytes(value);
        uint64_t number = 0;
        inner = bytes.ReadVarint(&number) ? absl::OkStatus()
                                          : absl::DataLossError("an event has no number");
        if (!inner.ok()) return false;
        auto row = RowOfEvent(static_cast<int64_t>(number), bytes.rest());
        inner = row.ok() ? visit(*row) : row.status();
        return inner.ok();
      });
  return status.ok() ? inner : status;
}

}  // namespace pedigree::migrate
