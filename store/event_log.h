// The log of events: what the graph in memory (event_graph.h) needs of them, in the order in which
// they were added.
//
// A commit group that adds events writes one entry beside them. At start the graph is the snapshot
// of it (graph_snapshot.h) and what the log has after that; entries that a snapshot covers are
// removed. The numbers of events have no gaps, so a log that lacks something shows it, and then the
// graph is built from the events themselves.
// Pure functions; any thread.
//
//   entry := (execution:varint artifact:varint type:u8 time:varint){1..}
//   time     ms since the epoch, as the difference to the event before it (the first: to 0), zigzag
//   e.g. OUTPUT of artifact 7 by execution 3 at 5 ms, then INPUT of artifact 1: 03 07 04 0a 03 01
//   03 00
#pragma once

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "store/event_graph.h"

namespace pedigree {

// An event as the graph knows it; its number follows from its place.
struct NewEvent {
  EventEnds ends;
  int64_t time_ms;
};

std::string EncodeEventLog(absl::Span<const NewEvent> events);

// Calls visit for each event of an entry. False if the bytes are no entry.
bool VisitEventLog(absl::string_view entry, absl::FunctionRef<void(const NewEvent& event)> visit);

}  // namespace pedigree
