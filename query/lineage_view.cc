#include "query/lineage_view.h"

#include <algorithm>
#include <optional>

namespace pedigree {
namespace {

// The last id up to `last` whose node was created by the time; 0 if none was. Ids are handed out in
// the order of create times (an invariant of the store), so this is a binary search.
absl::StatusOr<uint32_t> LastCreatedBy(const Reader& reader, NodeKind kind, uint32_t last,
                                       int64_t time_ms) {
  uint32_t created = 0;   // Created by then, or 0.
  uint32_t later = last;  // Everything after it was created later.
  while (created < later) {
    const uint32_t middle = later - (later - created) / 2;
    auto record = reader.FindRecord(kind, middle);
    if (!record.ok()) return record.status();
    // A store has no gaps; if there were one, the node before it decides.
    std::optional<NodePeek> node;
    if (record->has_value()) node = PeekNode(kind, (*record)->message());
    if (node.has_value() && node->create_time_ms <= time_ms) {
      created = middle;
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
  auto artifact = LastCreatedBy(reader, NodeKind::kArtifact, view.last_artifact_, time_ms);
  if (!artifact.ok()) return artifact.status();
  auto execution = LastCreatedBy(reader, NodeKind::kExecution, view.last_execution_, time_ms);
  if (!execution.ok()) return execution.status();
  view.last_artifact_ = *artifact;
  view.last_execution_ = *execution;
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
  return view;
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
    const bool is_wanted = is_execution_ ? ends.is_output() == wants_outputs_ &&
                                               ends.artifact <= view_->last_artifact()
                                         : ends.execution <= view_->last_execution();
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
