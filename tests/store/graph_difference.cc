#include "tests/store/graph_difference.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store.pb.h"

namespace pedigree {
namespace {

using Rows = std::vector<EventRow>;
using Numbers = std::vector<uint32_t>;

uint32_t LastEvent(const Reader& reader) {
  return static_cast<uint32_t>(reader.version().counters.last_event_number);
}

EventRow RowOf(const EventGraph& graph, uint32_t number) {
  const EventEnds ends = graph.ends(number);
  return {ends.artifact, ends.execution, ends.type, graph.time_ms(number)};
}

// In the order of numbers.
Rows RowsOf(const EventGraph& graph, Numbers numbers) {
  std::sort(numbers.begin(), numbers.end());
  Rows rows;
  for (const uint32_t number : numbers) rows.push_back(RowOf(graph, number));
  return rows;
}

Rows GraphEventsOf(const Reader& reader, NodeKind kind, uint32_t id) {
  const EventGraph& graph = *reader.version().graph;
  const uint32_t last = LastEvent(reader);
  Numbers numbers;
  const auto add = [&](uint32_t number) { numbers.push_back(number); };
  if (kind == NodeKind::kExecution) {
    graph.VisitEventsOf(id, last, [&](uint32_t number, const EventEnds&) { add(number); });
  } else {
    graph.VisitProducers(id, last, add);
    graph.VisitConsumers(id, last, add);
  }
  return RowsOf(graph, std::move(numbers));
}

absl::StatusOr<Rows> StoredEventsOf(const Reader& reader, NodeKind kind, int64_t id) {
  Rows rows;
  const auto add = [&](absl::string_view bytes) {
    ml_metadata::Event event;
    event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
    rows.push_back({event.artifact_id(), event.execution_id(), event.type(),
                    event.milliseconds_since_epoch()});
  };
  const absl::Status status = kind == NodeKind::kExecution ? reader.VisitEventsOfExecution(id, add)
                                                           : reader.VisitEventsOfArtifact(id, add);
  if (!status.ok()) return status;
  return rows;
}

}  // namespace

std::string ToString(const Rows& rows) {
  std::string text;
  for (const EventRow& row : rows) {
    absl::StrAppend(&text, " a", row.artifact, "-x", row.execution, ":", row.type, "@",
                    row.time_ms);
  }
  return text;
}

Rows EventsInGraph(const Reader& reader) {
  Rows rows;
  for (uint32_t number = 1; number <= LastEvent(reader); ++number) {
    rows.push_back(RowOf(*reader.version().graph, number));
  }
  return rows;
}

std::string GraphDifference(const Reader& reader) {
  for (const NodeKind kind : {NodeKind::kExecution, NodeKind::kArtifact}) {
    int64_t events = 0;
    // One more: a node that is not there has no events.
    for (int64_t id = 1; id <= reader.version().last_id(kind) + 1; ++id) {
      const auto stored = StoredEventsOf(reader, kind, id);
      if (!stored.ok()) return stored.status().ToString();
      const Rows in_graph = GraphEventsOf(reader, kind, static_cast<uint32_t>(id));
      events += static_cast<int64_t>(in_graph.size());
      if (in_graph == *stored) continue;
      return absl::StrCat(NameOf(kind), " ", id, "\ngraph:", ToString(in_graph),
                          "\nkeys: ", ToString(*stored));
    }
    if (events == reader.version().counters.last_event_number) continue;
    return absl::StrCat(NameOf(kind), "s have ", events, " events, the version has ",
                        reader.version().counters.last_event_number);
  }
  return "";
}

}  // namespace pedigree
