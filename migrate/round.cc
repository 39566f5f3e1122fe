#include "migrate/round.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "migrate/convert.h"

namespace pedigree::migrate {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;

// What one commit holds, at most.
constexpr size_t kRowsPerBatch = 1000;

// Gathers rows and hands them on in batches.
template <class Row>
class Batches {
 public:
  using Write = std::function<absl::Status(std::vector<Row> rows)>;

  explicit Batches(Write write) : write_(std::move(write)) {}

  absl::Status Add(Row row) {
    rows_.push_back(std::move(row));
    return rows_.size() < kRowsPerBatch ? absl::OkStatus() : Flush();
  }
  absl::Status Flush() {
    if (rows_.empty()) return absl::OkStatus();
    std::vector<Row> rows;
    rows.swap(rows_);
    return write_(std::move(rows));
  }

 private:
  const Write write_;
  std::vector<Row> rows_;
};

template <class Node>
absl::StatusOr<bool> ImportType(const History& history, const TypeRow& row,
                                Transaction& transaction) {
  const std::string parent = row.parents.empty() ? "" : history.TypeName(row.parents.front());
  auto type = ToType<Node>(row, parent);
  if (!type.ok()) return type.status();
  return transaction.ImportType<Node>(*type);
}

absl::StatusOr<bool> ImportType(const History& history, const TypeRow& row,
                                Transaction& transaction) {
  switch (*KindOfType(row.kind)) {
    case NodeKind::kArtifact:
      return ImportType<Artifact>(history, row, transaction);
    case NodeKind::kExecution:
      return ImportType<Execution>(history, row, transaction);
    case NodeKind::kContext:
      break;
  }
  return ImportType<Context>(history, row, transaction);
}

}  // namespace

std::string Brought::ToString() const {
  std::string text;
  const auto add = [&](int64_t count, absl::string_view what) {
    if (count == 0) return;
    absl::StrAppend(&text, text.empty() ? "" : ", ", count, " ", what, count == 1 ? "" : "s");
  };
  add(types, "type");
  add(nodes, "node");
  add(links, "link");
  add(events, "event");
  return text.empty() ? "nothing new" : text;
}

Rounds::Rounds(Store* store, std::unique_ptr<History> history)
    : store_(store), history_(std::move(history)) {
  history_->GoOn();
}

int64_t Rounds::RowsBehind(const Marks& now) const {
  int64_t behind = std::max<int64_t>(now.event - marks_.event, 0);
  for (size_t i = 0; i < now.node.size(); ++i) {
    behind += std::max<int64_t>(now.node[i] - marks_.node[i], 0);
    behind += std::max<int64_t>(now.link[i] - marks_.link[i], 0);
  }
  return behind;
}

absl::StatusOr<Brought> Rounds::Run(Source* source, Extent extent, Progress* progress) {
  brought_ = {};
  progress_ = progress;
  auto marks = source->FindMarks();
  if (!marks.ok()) return marks.status();
  absl::Status status = RunTypes(source);
  // Contexts first: the entry of an execution in the cache looks at its contexts.
  if (status.ok()) status = RunNodes<Context>(source, extent);
  if (status.ok()) status = RunNodes<Artifact>(source, extent);
  if (status.ok()) status = RunNodes<Execution>(source, extent);
  for (NodeKind kind : kNodeKinds) {
    if (status.ok()) status = RunLinks(source, extent, kind);
  }
  if (status.ok()) status = RunEvents(source, extent);
  if (!status.ok()) return status;
  marks_ = *marks;
  return brought_;
}

absl::Status Rounds::CheckFindings() const {
  const Findings& findings = history_->findings();
  if (findings.refused() == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      findings.refused(),
      " rows that the source received break its own rules; say with --repair what to do about "
      "them:\n",
      findings.ToString()));
}

absl::Status Rounds::RunTypes(Source* source) {
  absl::Status status = history_->ReadTypes(source);
  if (status.ok()) status = CheckFindings();
  if (!status.ok()) return status;
  return store_->Write([&](Transaction& transaction) {
    for (const TypeRow& row : history_->types()) {
      auto is_new = ImportType(*history_, row, transaction);
      if (!is_new.ok()) return is_new.status();
      brought_.types += *is_new ? 1 : 0;
    }
    return absl::OkStatus();
  });
}

template <class Node>
absl::Status Rounds::RunNodes(Source* source, Extent extent) {
  constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  // Those whose name or external id another node has, which may yet be about to lose it.
  std::vector<NodeRow> taken;
  Batches<NodeRow> batches(
      [&](std::vector<NodeRow> rows) { return WriteNodes<Node>(std::move(rows), &taken); });
  const auto visit = [&](NodeRow& row) {
    progress_->Add(1 + static_cast<int64_t>(row.properties.size()));
    return history_->Admit(kKind, &row) ? batches.Add(std::move(row)) : absl::OkStatus();
  };
  absl::Status status = extent == Extent::kAll
                            ? source->VisitNodes(kKind, 1, visit, [](Table, int64_t) {})
                            : source->VisitChangedNodes(kKind, marks_, visit);
  if (status.ok()) status = batches.Flush();
  if (status.ok() && !taken.empty()) status = WriteTaken<Node>(taken);
  return status.ok() ? CheckFindings() : status;
}

template <class Node>
absl::Status Rounds::WriteNodes(std::vector<NodeRow> rows, std::vector<NodeRow>* taken) {
  if (absl::Status status = CheckFindings(); !status.ok()) return status;
  return store_->Write([&](Transaction& transaction) {
    for (NodeRow& row : rows) {
      auto node = ToNode<Node>(row);
      if (!node.ok()) return node.status();
      auto name = transaction.IsNameTaken(*node);
      if (!name.ok()) return name.status();
      auto external_id = transaction.IsExternalIdTaken(*node);
      if (!external_id.ok()) return external_id.status();
      if (*name || *external_id) {
        taken->push_back(std::move(row));
        continue;
      }
      auto is_new = transaction.ImportNode(*node);
      if (!is_new.ok()) return is_new.status();
      brought_.nodes += *is_new ? 1 : 0;
    }
    return absl::OkStatus();
  });
}

// When all others are written, what is taken still is a duplicate.
template <class Node>
absl::Status Rounds::WriteTaken(const std::vector<NodeRow>& taken) {
  constexpr NodeKind kKind = TraitsOf<Node>::kKind;
  return store_->Write([&](Transaction& transaction) {
    for (NodeRow row : taken) {
      auto node = ToNode<Node>(row);
      if (!node.ok()) return node.status();
      auto name = transaction.IsNameTaken(*node);
      if (!name.ok()) return name.status();
      if (*name) history_->MendTakenName(kKind, &row);
      auto external_id = transaction.IsExternalIdTaken(*node);
      if (!external_id.ok()) return external_id.status();
      if (*external_id) history_->MendTakenExternalId(kKind, &row);
      if (absl::Status status = CheckFindings(); !status.ok()) return status;
      node = ToNode<Node>(row);
      if (!node.ok()) return node.status();
      auto is_new = transaction.ImportNode(*node);
      if (!is_new.ok()) return is_new.status();
      brought_.nodes += *is_new ? 1 : 0;
    }
    return absl::OkStatus();
  });
}

absl::Status Rounds::RunLinks(Source* source, Extent extent, NodeKind kind) {
  Batches<Link> batches([&](std::vector<Link> links) { return WriteLinks(std::move(links)); });
  const auto visit = [&](int64_t node, int64_t context) {
    progress_->Add(1);
    if (!history_->AdmitLink(kind, node, context)) return absl::OkStatus();
    return batches.Add({kind, node, context});
  };
  absl::Status status = extent == Extent::kAll ? source->VisitLinks(kind, visit)
                                               : source->VisitNewLinks(kind, marks_, visit);
  if (status.ok()) status = batches.Flush();
  return status.ok() ? CheckFindings() : status;
}

absl::Status Rounds::WriteLinks(std::vector<Link> links) {
  if (absl::Status status = CheckFindings(); !status.ok()) return status;
  return store_->Write([&](Transaction& transaction) {
    for (const Link& link : links) {
      auto record = transaction.FindRecord(link.kind, link.node);
      if (!record.ok()) return record.status();
      if (record->has_value()) {
        auto linked = transaction.IsLinked(link.kind, link.node, **record, link.context);
        if (!linked.ok()) return linked.status();
        if (*linked) continue;
      }
      absl::Status status = transaction.Link(link.kind, link.node, {link.context});
      if (!status.ok()) return status;
      ++brought_.links;
    }
    return absl::OkStatus();
  });
}

absl::Status Rounds::RunEvents(Source* source, Extent extent) {
  Batches<EventRow> batches(
      [&](std::vector<EventRow> rows) { return WriteEvents(std::move(rows)); });
  const auto visit = [&](EventRow& row) {
    progress_->Add(1 + static_cast<int64_t>(row.path.size()));
    return history_->Admit(&row) ? batches.Add(std::move(row)) : absl::OkStatus();
  };
  absl::Status status = extent == Extent::kAll
                            ? source->VisitEvents(1, visit, [](Table, int64_t) {})
                            : source->VisitNewEvents(marks_, visit);
  if (status.ok()) status = batches.Flush();
  return status.ok() ? CheckFindings() : status;
}

absl::Status Rounds::WriteEvents(std::vector<EventRow> rows) {
  if (absl::Status status = CheckFindings(); !status.ok()) return status;
  return store_->Write([&](Transaction& transaction) -> absl::Status {
    std::vector<Event> events;
    absl::flat_hash_set<std::tuple<int64_t, int64_t, int64_t>> seen;
    for (const EventRow& row : rows) {
      Event event = ToEvent(row);
      auto there = transaction.HasEvent(event);
      if (!there.ok()) return there.status();
      if (*there || !seen.insert({row.artifact_id, row.execution_id, row.type}).second) continue;
      events.push_back(std::move(event));
    }
    std::vector<Event*> pointers;
    for (Event& event : events) pointers.push_back(&event);
    brought_.events += static_cast<int64_t>(events.size());
    return transaction.AddEvents(pointers, [](const Event&) { return absl::OkStatus(); });
  });
}

}  // namespace pedigree::migrate
