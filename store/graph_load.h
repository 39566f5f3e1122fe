// Brings the graph of events into memory when a store is opened.
//
// From the snapshot beside the database and the log of events after it, if these are whole; else,
// and in stores that are older than the log, from the events themselves, in one ordered scan.
// Threads: the one that opens the store.
//
//   auto graph = LoadGraph(*view, counters, data_dir, log);
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "store/engine.h"
#include "store/event_graph.h"
#include "store/record.h"

namespace pedigree {

// Says something to whoever runs the server, in one line.
using LogLine = std::function<void(absl::string_view line)>;

struct LoadedGraph {
  std::unique_ptr<EventGraph> graph;
  uint32_t last_event_of_snapshot = 0;  // 0 if none was used.
};

// All events of `view`. Those that do not decode are left out and counted in a line of the log: to
// say what is damaged is for Verify. Errors: as View.
absl::StatusOr<LoadedGraph> LoadGraph(const View& view, const Counters& counters,
                                      const std::string& data_dir, const LogLine& log);

// The same from the events themselves.
absl::StatusOr<std::unique_ptr<EventGraph>> ScanGraph(const View& view, const Counters& counters,
                                                      const LogLine& log);

}  // namespace pedigree
