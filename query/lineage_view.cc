#include "query/lineage_view.h"

#include <algorithm>
#include <optional>

namespace pedigree {
namespace {

// The first node of an id from `from` to `last`; id 0 if there is none.
struct Created {
  uint32_t id = 0;
  int64_t time_ms = 0;
};
absl::StatusOr<Created> FirstFrom(const Reader& reader, NodeKind kind, uint32_t from,
                                  uint32_t last) {
  Created first;
  absl::Status status = reader.VisitNodes(
      kind, from, Direction::kAscending, [&](int64_t id, const RecordView& record) {
        const auto node = PeekNode(kind, record.message());
        if (id <= last && node.has_value()) {
          first = {static_cast<uint32_t>(id), node->create_time_ms};
        }
        return false;
      });
  if (!status.ok()) return status;
  return first;
}

// The last id up to `last` whose node was created by the time; 0 if none was. A binary search.
// REQUIRES: create times follow ids. Ids may have gaps.
absl::StatusOr<uint32_t> LastCreatedBy(const Reader& reader, NodeKind kind, uint32_t last,
                                       int64_t time_ms) {
  uint32_t created = 0;   // Created by then, or 0.
  uint32_t later = last;  // Everything after it was created later.
  while (created < later) {
    const uint32_t middle = later - (later - created) / 2;
    auto first = FirstFrom(reader, kind, middle, later);
    if (!first.ok()) return first.status();
    if (first->id != 0 && first->time_ms <= time_ms) {
      created = first->id;
    } else {
      later = middle - 1;
    }
  }
  return created;
}

}  // namespace

LineageView::LineageView(const Reader& reader) : LineageView(reader, kNow) {}

LineageView::LineageView(const Reader& reader, int64_t as_of_ms)
    : graph_(reader.version().graph),
      last_event_(static_cast<uint32_t>(reader.version().counters.last_event_number)),
      last_artifact_(static_cast<uint32_t>(
          std::min(reader.version().last_id(NodeKind::kArtifact), kLastGraphId))),
      last_execution_(static_cast<uint32_t>(
          std::min(reader.version().last_id(NodeKind::kExecution), kLastGraphId))),
      as_of_ms_(as_of_ms) {}

absl::StatusOr<LineageView> LineageView::AsOf(const Reader& reader, int64_t time_ms) {
  LineageView view(reader, time_ms);
  if (time_ms == kNow) return view;
  const auto bound = [&](NodeKind kind, uint32_t* last) -> absl::Status {
    if (!reader.catalog().IsCreatedInOrder(kind)) return absl::OkStatus();
    auto created = LastCreatedBy(reader, kind, *last, time_ms);
    if (created.ok()) *last = *created;
    return created.status();
  };
  absl::Status status = bound(NodeKind::kArtifact, &view.last_artifact_);
  if (status.ok()) status = bound(NodeKind::kExecution, &view.last_execution_);
  if (status.ok()) status = view.HideLater(reader);
  if (!status.ok()) return status;
  return view;
}

absl::StatusOr<LineageView> LineageView::Within(const Reader& reader, const LineageBounds& bounds,
                                                int64_t as_of_ms) {
  LineageView view(reader, as_of_ms);
  if (bounds.last_event > view.last_event_ || bounds.last_artifact > view.last_artifact_ ||
      bounds.last_execution > view.last_execution_) {
    return absl::InvalidArgumentError("it is of a store that has more than this one");
  }
  view.last_event_ = bounds.last_event;
  view.last_artifact_ = bounds.last_artifact;
  view.last_execution_ = bounds.last_execution;
  if (absl::Status status = view.HideLater(reader); !status.ok()) return status;
  return view;
}

absl::Status LineageView::HideLater(const Reader& reader) {
  if (as_of_ms_ == kNow) return absl::OkStatus();
  std::shared_ptr<HiddenNodes> hidden;
  for (NodeKind kind : {NodeKind::kArtifact, NodeKind::kExecution}) {
    if (reader.catalog().IsCreatedInOrder(kind)) continue;
    if (hidden == nullptr) hidden = std::make_shared<HiddenNodes>();
    const uint32_t last = kind == NodeKind::kArtifact ? last_artifact_ : last_execution_;
    absl::Status status = reader.VisitByCreateTime(kind, {as_of_ms_ + 1, kFirstId},
                                                   Direction::kAscending, [&](TimeAndId place) {
                                                     if (place.id <= last) {
                                                       hidden->Insert(kind, place.id);
                                                     }
                                                     return true;
                                                   });
    if (!status.ok()) return status;
  }
  hidden_ = std::move(hidden);
  return absl::OkStatus();
}

bool LineageView::HasEvents(LineageNode node) const {
  if (node.is_execution()) return graph().EventsOf(node.id(), last_event()).Next() != 0;
  return graph().Producers(node.id(), last_event()).Next() != 0 ||
         graph().Consumers(node.id(), last_event()).Next() != 0;
}

absl::StatusOr<bool> LineageView::Exists(const Reader& reader, LineageNode node) const {
  if (!Has(node)) return false;
  if (HasEvents(node)) return true;  // Which only nodes have that are there.
  auto record = reader.FindRecord(node.kind(), node.id());
  if (!record.ok()) return record.status();
  return record->has_value();
}

LineageEdgeIterator::LineageEdgeIterator(const LineageView& view, LineageNode node,
                                         LineageDirection direction)
    : view_(&view),
      is_execution_(node.is_execution()),
      wants_outputs_(direction == LineageDirection::kDownstream) {
  const EventGraph& graph = view.graph();
  if (is_execution_) {
    cursor_ = graph.EventsOf(node.id(), view.last_event());
  } else if (wants_outputs_) {
    cursor_ = graph.Consumers(node.id(), view.last_event());
  } else {
    cursor_ = graph.Producers(node.id(), view.last_event());
  }
  increment();
}

void LineageEdgeIterator::increment() {
  while (true) {
    event_ = cursor_.Next();
    if (event_ == 0) return;
    const EventEnds ends = view_->ends(event_);
    const bool is_wanted =
        is_execution_ ? ends.is_output() == wants_outputs_ && view_->HasArtifact(ends.artifact)
                      : view_->HasExecution(ends.execution);
    if (is_wanted && view_->IsVisible(event_)) return;
  }
}

uint64_t out_degree(LineageNode node, const LineageView& view) {
  const auto [begin, end] = out_edges(node, view);
  return static_cast<uint64_t>(std::distance(begin, end));
}

uint64_t in_degree(LineageNode node, const LineageView& view) {
  const auto [begin, end] = in_edges(node, view);
  return static_cast<uint64_t>(std::distance(begin, end));
}

}  // namespace pedigree
