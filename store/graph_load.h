// Brings the graph of events into memory when a store is opened.
//
// Threads: the one that opens the store.
//
//   absl::Status status = LoadGraph(*view, counters, log, &graph);
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "store/engine.h"
#include "store/event_graph.h"
#include "store/record.h"

namespace pedigree {

// Says something to whoever runs the server, in one line.
using LogLine = std::function<void(absl::string_view line)>;

// Fills `graph`, which is empty, with all events of `view` by one ordered scan. Events that do not
// decode are left out and counted in a line of the log: to say what is damaged is for Verify.
// Errors: as View.
absl::Status LoadGraph(const View& view, const Counters& counters, const LogLine& log,
                       EventGraph* graph);

}  // namespace pedigree
