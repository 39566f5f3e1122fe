#include "server/export_scope.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "api/task.pb.h"
#include "query/filter_matches.h"
#include "query/filter_parser.h"
#include "server/export_changes.h"
#include "store/wire.h"

namespace pedigree {
namespace {

constexpr int64_t kBatch = 1024;

// Calls visit for the ids in batches, ascending.
absl::Status InBatches(const IdBitmap& ids,
                       absl::FunctionRef<absl::Status(absl::Span<const int64_t> batch)> visit) {
  std::vector<int64_t> batch;
  for (auto id = ids.FirstFrom(kFirstId); id.has_value(); id = ids.FirstFrom(*id + 1)) {
    batch.push_back(*id);
    if (batch.size() < static_cast<size_t>(kBatch)) continue;
    if (absl::Status status = visit(batch); !status.ok()) return status;
    batch.clear();
  }
  return batch.empty() ? absl::OkStatus() : visit(batch);
}

// All nodes of a kind, of which every message is looked at once.
absl::Status VisitAll(const Reader& reader, NodeKind kind,
                      absl::FunctionRef<bool(int64_t id, const RecordView& record)> visit) {
  return reader.VisitNodes(kind, kFirstId, Direction::kAscending, visit);
}

}  // namespace

absl::StatusOr<ExportScope> ExportScope::Make(const Reader& reader,
                                              const v1::ExportRequest& request) {
  const v1::ExportSelection& selection = request.selection();
  ExportScope scope;
  if (selection.has_until_ms()) scope.until_ms_ = selection.until_ms();
  scope.chooses_executions_ =
      !selection.execution_filter().empty() || selection.upstream_of_artifact() != 0;
  absl::Status status = scope.FindExecutions(reader, selection);
  if (!status.ok()) return status;
  if (scope.known_[IndexOf(NodeKind::kExecution)].has_value()) {
    status = scope.AddClosure(reader, selection.upstream_of_artifact());
  } else if (selection.has_until_ms()) {
    for (NodeKind kind : kNodeKinds) {
      if (status.ok()) status = scope.LeaveOutLater(reader, kind, &scope.known_[IndexOf(kind)]);
    }
  }
  if (!status.ok()) return status;
  scope.exported_ = scope.known_;
  if (selection.since_sequence() == 0) return scope;
  status = scope.KeepChanges(reader, request);
  if (!status.ok()) return status;
  return scope;
}

absl::Status ExportScope::FindExecutions(const Reader& reader,
                                         const v1::ExportSelection& selection) {
  if (selection.upstream_of_artifact() != 0) {
    absl::Status status = FindUpstream(reader, selection.upstream_of_artifact());
    if (!status.ok()) return status;
  }
  if (selection.execution_filter().empty()) return absl::OkStatus();
  const auto filter = ParseFilter(NodeKind::kExecution, selection.execution_filter());
  return filter.ok() ? FindMatches(reader, *filter) : filter.status();
}

absl::Status ExportScope::FindMatches(const Reader& reader, const Filter& filter) {
  IdBitmap matches;
  absl::Status status = VisitMatches(reader, NodeKind::kExecution, filter,
                                     [&](int64_t id, const RecordView&) { matches.Insert(id); });
  if (!status.ok()) return status;
  Set& executions = known_[IndexOf(NodeKind::kExecution)];
  if (executions.has_value()) matches.IntersectWith(*executions);
  executions = std::move(matches);
  return absl::OkStatus();
}

absl::Status ExportScope::FindUpstream(const Reader& reader, int64_t artifact) {
  auto record = reader.FindRecord(NodeKind::kArtifact, artifact);
  if (!record.ok()) return record.status();
  if (!record->has_value()) {
    return absl::NotFoundError(absl::StrCat("no artifact ", artifact, " is in the store"));
  }
  IdBitmap executions;
  if (artifact <= kLastGraphId) {
    const EventGraph& graph = *reader.version().graph;
    const auto last_event = static_cast<uint32_t>(reader.version().counters.last_event_number);
    IdBitmap artifacts;
    std::vector<uint32_t> waiting = {static_cast<uint32_t>(artifact)};
    artifacts.Insert(artifact);
    while (!waiting.empty()) {
      if (absl::Status status = reader.Spend(1); !status.ok()) return status;
      const uint32_t next = waiting.back();
      waiting.pop_back();
      graph.VisitProducers(next, last_event, [&](uint32_t event) {
        const uint32_t execution = graph.ends(event).execution;
        if (graph.time_ms(event) > until_ms_ || !executions.InsertNew(execution)) return;
        graph.VisitEventsOf(execution, last_event, [&](uint32_t number, const EventEnds& ends) {
          if (!ends.is_output() && graph.time_ms(number) <= until_ms_ &&
              artifacts.InsertNew(ends.artifact)) {
            waiting.push_back(ends.artifact);
          }
        });
      });
    }
  }
  known_[IndexOf(NodeKind::kExecution)] = std::move(executions);
  return absl::OkStatus();
}

absl::Status ExportScope::AddClosure(const Reader& reader, int64_t artifact) {
  const EventGraph& graph = *reader.version().graph;
  const auto last_event = static_cast<uint32_t>(reader.version().counters.last_event_number);
  Set& executions = known_[IndexOf(NodeKind::kExecution)];
  absl::Status status = LeaveOutLater(reader, NodeKind::kExecution, &executions);
  if (!status.ok()) return status;
  Set artifacts = IdBitmap();
  if (artifact != 0) artifacts->Insert(artifact);
  status = InBatches(*executions, [&](absl::Span<const int64_t> batch) {
    for (int64_t id : batch) {
      if (id > kLastGraphId) continue;  // It has no events.
      graph.VisitEventsOf(static_cast<uint32_t>(id), last_event,
                          [&](uint32_t number, const EventEnds& ends) {
                            if (graph.time_ms(number) <= until_ms_)
                              artifacts->Insert(ends.artifact);
                          });
    }
    return reader.Spend(static_cast<int64_t>(batch.size()));
  });
  if (status.ok()) status = LeaveOutLater(reader, NodeKind::kArtifact, &artifacts);
  Set contexts = IdBitmap();
  if (status.ok()) status = AddContextsOf(reader, NodeKind::kArtifact, *artifacts, &*contexts);
  if (status.ok()) status = AddContextsOf(reader, NodeKind::kExecution, *executions, &*contexts);
  if (status.ok()) status = LeaveOutLater(reader, NodeKind::kContext, &contexts);
  // Ancestors, level by level.
  for (Set level = contexts; status.ok() && level->FirstFrom(kFirstId).has_value();) {
    Set parents = IdBitmap();
    status = AddContextsOf(reader, NodeKind::kContext, *level, &*parents);
    if (status.ok()) status = LeaveOutLater(reader, NodeKind::kContext, &parents);
    level = IdBitmap();
    for (auto id = parents->FirstFrom(kFirstId); id.has_value(); id = parents->FirstFrom(*id + 1)) {
      if (contexts->InsertNew(*id)) level->Insert(*id);
    }
  }
  if (!status.ok()) return status;
  known_[IndexOf(NodeKind::kArtifact)] = std::move(artifacts);
  known_[IndexOf(NodeKind::kContext)] = std::move(contexts);
  return absl::OkStatus();
}

absl::Status ExportScope::AddContextsOf(const Reader& reader, NodeKind kind, const IdBitmap& nodes,
                                        IdBitmap* contexts) {
  return InBatches(nodes, [&](absl::Span<const int64_t> batch) {
    std::vector<int64_t> far;
    absl::Status status = reader.VisitRecords(
        kind, batch,
        [&](int64_t id, const RecordView& record) {
          record.VisitNearLinks([&](int64_t context) { contexts->Insert(context); });
          if (record.HasFarLinks()) far.push_back(id);
        },
        RecordPart::kLinks);
    for (size_t i = 0; status.ok() && i < far.size(); ++i) {
      const auto links = reader.Links(kind, far[i]);
      status = links.status();
      if (!status.ok()) break;
      for (int64_t context : *links) contexts->Insert(context);
    }
    return status;
  });
}

absl::Status ExportScope::LeaveOutLater(const Reader& reader, NodeKind kind, Set* nodes) const {
  if (until_ms_ == std::numeric_limits<int64_t>::max()) return absl::OkStatus();
  Set& set = *nodes;
  bool damaged = false;
  const auto is_later = [&](const RecordView& record) {
    const auto peek = PeekNode(kind, record.message());
    damaged = damaged || !peek.has_value();
    return damaged || peek->create_time_ms > until_ms_;
  };
  absl::Status status;
  if (set.has_value()) {
    const IdBitmap before = *set;
    status = InBatches(before, [&](absl::Span<const int64_t> batch) {
      return reader.VisitRecords(kind, batch, [&](int64_t id, const RecordView& record) {
        if (is_later(record)) set->Remove(id);
      });
    });
  } else {
    set.emplace();
    const bool is_in_order = reader.catalog().IsCreatedInOrder(kind);
    status = VisitAll(reader, kind, [&](int64_t id, const RecordView& record) {
      const bool is_after = is_later(record);
      if (!is_after) set->Insert(id);
      return !damaged && !(is_after && is_in_order);
    });
  }
  if (status.ok() && damaged) status = absl::DataLossError("a node's record does not decode");
  return status;
}

absl::Status ExportScope::KeepChanges(const Reader& reader, const v1::ExportRequest& request) {
  auto changes = ReadChanges(reader, request.selection().since_sequence());
  if (!changes.ok()) return changes.status();
  first_event_ = changes->first_event;
  first_task_ = changes->first_task;
  if (request.shape() == v1::STEPS) {
    IdBitmap& steps = changes->nodes[IndexOf(NodeKind::kExecution)];
    const EventGraph& graph = *reader.version().graph;
    for (int64_t event = first_event_; event <= reader.version().counters.last_event_number;
         ++event) {
      if (event % kBatch == 0) {
        if (absl::Status status = reader.Spend(kBatch); !status.ok()) return status;
      }
      steps.Insert(graph.ends(static_cast<uint32_t>(event)).execution);
    }
  }
  for (NodeKind kind : kNodeKinds) {
    IdBitmap& changed = changes->nodes[IndexOf(kind)];
    if (known_[IndexOf(kind)].has_value()) changed.IntersectWith(*known_[IndexOf(kind)]);
    exported_[IndexOf(kind)] = std::move(changed);
  }
  cache_entries_ = std::move(changes->cache_entries);
  return absl::OkStatus();
}

bool ExportScope::HasTask(absl::string_view task) const {
  int64_t execution = 0;
  int64_t created_s = 0;
  WireCursor cursor(task);
  while (const auto field = cursor.Next()) {
    if (field->number == api::Task::kMlmdExecutionIDFieldNumber) {
      if (!absl::SimpleAtoi(field->bytes, &execution)) execution = 0;
    } else if (field->number == api::Task::kCreatedAtFieldNumber) {
      WireCursor time(field->bytes);
      while (const auto part = time.Next()) {
        if (part->number == google::protobuf::Timestamp::kSecondsFieldNumber) {
          created_s = part->AsInt64();
        }
      }
    }
  }
  constexpr int64_t kMsPerSecond = 1000;
  if (created_s > until_ms_ / kMsPerSecond) return false;
  return !chooses_executions_ || (execution > 0 && Knows(NodeKind::kExecution, execution));
}

}  // namespace pedigree
