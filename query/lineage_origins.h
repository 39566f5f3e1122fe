// Where everything in some nodes comes from: the sources of an upstream walk, and what all ways
// from them pass through.
//
// Threads: as the Reader.
//
//   LineageWalk walk(reader, view);
//   absl::Status status = walk.Run(starts, options, on_hop);
//   auto origins = FindOrigins(reader, walk, options);
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "query/lineage_walk.h"
#include "store/reader.h"

namespace pedigree {

struct LineageOrigins {
  struct Node {
    LineageNode node;
    int64_t hops = 0;  // From the nearest start.
    bool in_cycle = false;
    bool is_boundary = false;  // The walk did not go on from here.
  };

  // Artifacts that no other artifact leads to, among what the walk has reached and along the events
  // it went along; ascending. A start may be one. Artifacts of one cycle lead to each other: if
  // none from elsewhere leads there, all of them are sources.
  std::vector<Node> sources;
  // Nodes that are on every way from a source to a start, the starts excluded; the nearest to the
  // starts first. A single source is one.
  std::vector<Node> dominators;
  // What the walk has reached, the starts excluded.
  int64_t artifacts = 0;
  int64_t executions = 0;
  bool has_cycle = false;
};

// REQUIRES: `walk` has run, upstream, with `options`.
// Errors: those of Reader::Spend().
absl::StatusOr<LineageOrigins> FindOrigins(const Reader& reader, const LineageWalk& walk,
                                           const LineageWalkOptions& options);

}  // namespace pedigree
