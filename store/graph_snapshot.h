// The graph of events as one flat file beside the database, so that a big store starts fast.
//
//   data_dir/LINEAGE   "pedigree lineage 1\n" id:16 bytes last:be64 block{} sha256:32 bytes
//   block              the columns of up to 65,536 events, in the order of their numbers from 1:
//                      artifact:le32{n} execution:le32{n} type:u8{n} time:le64{n}
//
// `last` is the number of the last event, the hash is of everything before it. The file counts only
// if the store names its id (lineage_snapshot in FORMAT.md), so one that stayed behind when an
// older copy of the database was put back is not believed. It is a copy of what the database has:
// without it the start takes longer. Threads: any, one at a time for each directory.
//
//   auto snapshot = WriteGraphSnapshot(data_dir, graph, last_event);
//   ... make the store name it, durably ...
//   absl::Status status = ReadGraphSnapshot(data_dir, *snapshot, &graph);
#pragma once

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "store/event_graph.h"

namespace pedigree {

// What the store knows of its snapshot.
// lineage_snapshot := last:be64 id:16 bytes
struct GraphSnapshot {
  static constexpr size_t kIdBytes = 16;

  uint32_t last_event = 0;
  std::string id;  // Random.

  std::string Encode() const;
  static bool Decode(absl::string_view bytes, GraphSnapshot* out);
};

// Replaces the file by one with all events of the graph up to `last_event`, while others are added;
// durable when it returns. `is_stopping` is asked now and then and ends it early (Cancelled).
// Errors: as FileError (durable_file.h).
absl::StatusOr<GraphSnapshot> WriteGraphSnapshot(const std::string& data_dir,
                                                 const EventGraph& graph, uint32_t last_event,
                                                 absl::FunctionRef<bool()> is_stopping);

// Appends the events of the file to `graph`, which is empty; after an error the graph is of no use.
// Errors: NotFound if there is no such file; DataLoss if it is damaged or another one than
// `snapshot`; as FileError.
absl::Status ReadGraphSnapshot(const std::string& data_dir, const GraphSnapshot& snapshot,
                               EventGraph* graph);

}  // namespace pedigree
