#include "server/lineage_parts.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "server/answer.h"
#include "server/lineage_messages.h"
#include "store/wire.h"

namespace pedigree {
namespace {

using ml_metadata::Event;
using Node = v1::TraceResponse::Node;

// Everything but the body.
std::string HeadOf(const LineageTraceNode& node) {
  std::string ref;
  AppendVarintField(&ref, v1::NodeRef::kKindFieldNumber,
                    node.node.is_execution() ? v1::EXECUTION : v1::ARTIFACT);
  AppendVarintField(&ref, v1::NodeRef::kIdFieldNumber, node.node.id());
  std::string bytes;
  AppendBytesField(&bytes, Node::kRefFieldNumber, ref);
  if (node.hops != 0) AppendVarintField(&bytes, Node::kHopsFieldNumber, node.hops);
  if (node.in_cycle) AppendVarintField(&bytes, Node::kInCycleFieldNumber, 1);
  if (node.is_boundary) AppendVarintField(&bytes, Node::kIsBoundaryFieldNumber, 1);
  return bytes;
}

// Appends the bodies of the nodes of one kind to their parts.
absl::Status AddBodies(const Reader& reader, NodeKind kind,
                       absl::Span<const LineageTraceNode> nodes, std::vector<std::string>* parts) {
  std::vector<std::pair<int64_t, size_t>> places;  // By id.
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].node.kind() == kind) places.emplace_back(nodes[i].node.id(), i);
  }
  std::sort(places.begin(), places.end());
  std::vector<int64_t> ids;
  for (const auto& [id, place] : places) {
    if (ids.empty() || ids.back() != id) ids.push_back(id);  // Paths share nodes.
  }
  const int field =
      kind == NodeKind::kExecution ? Node::kExecutionFieldNumber : Node::kArtifactFieldNumber;
  auto next = places.begin();
  return reader.VisitRecords(kind, ids, [&](int64_t id, const RecordView& record) {
    Answer body(reader.catalog());
    body.AddNode(field, kind, record);
    const std::string bytes = body.Release();
    for (; next != places.end() && next->first <= id; ++next) {
      if (next->first == id) (*parts)[next->second].append(bytes);
    }
  });
}

std::string WithoutPath(const Reader& reader, uint32_t number) {
  const EventGraph& graph = *reader.version().graph;
  const EventEnds ends = graph.ends(number);
  std::string bytes;
  AppendVarintField(&bytes, Event::kArtifactIdFieldNumber, ends.artifact);
  AppendVarintField(&bytes, Event::kExecutionIdFieldNumber, ends.execution);
  AppendVarintField(&bytes, Event::kTypeFieldNumber, ends.type);
  AppendVarintField(&bytes, Event::kMillisecondsSinceEpochFieldNumber,
                    static_cast<uint64_t>(graph.time_ms(number)));
  return bytes;
}

// Finds stored events, execution by execution: all of an execution's events are read at once if
// most of them are wanted, else each by its key.
class StoredEvents {
 public:
  StoredEvents(const Reader& reader, absl::Span<const uint32_t> events)
      : reader_(reader), parts_(events.size()) {
    ends_.reserve(events.size());
    for (const uint32_t event : events) ends_.push_back(reader.version().graph->ends(event));
  }

  absl::StatusOr<std::vector<std::string>> Read() {
    std::vector<size_t> by_execution(ends_.size());
    for (size_t i = 0; i < ends_.size(); ++i) by_execution[i] = i;
    std::stable_sort(by_execution.begin(), by_execution.end(), [this](size_t a, size_t b) {
      return ends_[a].execution < ends_[b].execution;
    });
    absl::Span<const size_t> rest = by_execution;
    while (!rest.empty()) {
      size_t same = 1;
      const uint32_t execution = ends_[rest[0]].execution;
      while (same < rest.size() && ends_[rest[same]].execution == execution) ++same;
      const auto places = rest.first(same);
      rest.remove_prefix(same);
      if (HasManyOthers(execution, same)) {
        singles_.insert(singles_.end(), places.begin(), places.end());
      } else if (absl::Status status = ReadAllOf(execution, places); !status.ok()) {
        return status;
      }
    }
    if (absl::Status status = ReadSingles(); !status.ok()) return status;
    for (size_t i = 0; i < parts_.size(); ++i) {
      if (parts_[i].empty()) return NotThere(ends_[i]);
    }
    return std::move(parts_);
  }

 private:
  // Whether the execution has many times the events that are wanted. Looks at no more of them than
  // it takes to know.
  bool HasManyOthers(uint32_t execution, size_t wanted) const {
    constexpr size_t kWorthAKey = 16;  // Events that are read as fast as one by its key.
    const Version& version = reader_.version();
    auto cursor = version.graph->EventsOf(
        execution, static_cast<uint32_t>(version.counters.last_event_number));
    size_t count = 0;
    while (cursor.Next() != 0) {
      if (++count > kWorthAKey * (wanted + 1)) return true;
    }
    return false;
  }

  absl::Status ReadAllOf(uint32_t execution, absl::Span<const size_t> places) {
    // (artifact, type) is unique within an execution.
    absl::flat_hash_map<std::pair<int64_t, int64_t>, size_t> wanted;
    for (const size_t place : places) {
      wanted[{ends_[place].artifact, ends_[place].type}] = place;
    }
    return reader_.VisitEventsOfExecution(execution, [&](absl::string_view event) {
      int64_t artifact = 0;
      int64_t type = 0;
      WireCursor cursor(event);
      while (const auto field = cursor.Next()) {
        if (field->number == Event::kArtifactIdFieldNumber) artifact = field->AsInt64();
        if (field->number == Event::kTypeFieldNumber) type = field->AsInt64();
      }
      const auto it = wanted.find({artifact, type});
      if (it != wanted.end()) parts_[it->second] = std::string(event);
    });
  }

  absl::Status ReadSingles() {
    // In the order of keys.
    std::sort(singles_.begin(), singles_.end(),
              [this](size_t a, size_t b) { return ends_[a].artifact < ends_[b].artifact; });
    std::vector<EventEnds> keys;
    keys.reserve(singles_.size());
    for (const size_t place : singles_) keys.push_back(ends_[place]);
    return reader_.VisitEvents(
        keys, [&](size_t i, absl::string_view event) { parts_[singles_[i]] = std::string(event); });
  }

  static absl::Status NotThere(const EventEnds& ends) {
    return absl::DataLossError(absl::StrCat("the event of artifact ", ends.artifact,
                                            " and execution ", ends.execution,
                                            " is not in the store; the store is damaged: restore "
                                            "a backup of data_dir"));
  }

  const Reader& reader_;
  std::vector<EventEnds> ends_;     // By place.
  std::vector<std::string> parts_;  // By place.
  std::vector<size_t> singles_;     // Places of events that are read by their keys.
};

}  // namespace

absl::StatusOr<std::vector<std::string>> NodeParts(const Reader& reader,
                                                   absl::Span<const LineageTraceNode> nodes,
                                                   v1::TraceRequest::Content content) {
  std::vector<std::string> parts;
  parts.reserve(nodes.size());
  for (const LineageTraceNode& node : nodes) parts.push_back(HeadOf(node));
  if (content != v1::TraceRequest::BODIES) return parts;
  for (NodeKind kind : {NodeKind::kArtifact, NodeKind::kExecution}) {
    absl::Status status = AddBodies(reader, kind, nodes, &parts);
    if (!status.ok()) return status;
  }
  return parts;
}

absl::StatusOr<std::vector<std::string>> EventParts(const Reader& reader,
                                                    absl::Span<const uint32_t> events,
                                                    v1::TraceRequest::Content content) {
  if (content == v1::TraceRequest::BODIES) return StoredEvents(reader, events).Read();
  std::vector<std::string> parts;
  parts.reserve(events.size());
  for (const uint32_t event : events) parts.push_back(WithoutPath(reader, event));
  return parts;
}

}  // namespace pedigree
