// What differs between the lineages of two artifacts: "why is model v2 worse than v1?"
//
// Both are walked upstream in step, hop by hop. From two nodes that stand for each other, the
// events upstream are matched:
//   1. a node that both read (or were written by) the same way, by the same event type and path, is
//      shared;
//   2. what is left is paired within the same event type, path and name of the node's type: first
//      by the node's own name, then in id order;
//   3. a node that both still have, if in different ways, is shared;
//   4. what is left stands alone.
// The walk goes on behind pairs, also those without differences. It does not go on behind a shared
// node, which is no reason for anything, nor behind one that stands alone: what is behind it is the
// consequence of the one difference that is answered, and an upstream trace of it lists it all.
// Threads: as the Reader.
//
//   auto comparison = CompareLineages(reader, view, {.a = v1, .b = v2}, options, judge);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "query/lineage_view.h"
#include "query/lineage_walk.h"
#include "query/node_differences.h"
#include "store/reader.h"

namespace pedigree {

struct LineageComparison {
  // Two nodes that stand for each other, and differ.
  struct Pair {
    LineageNode a;
    LineageNode b;
    // The labels of the events from the two starts on, joined with " / "; "" for the starts. A
    // label is the event's path ("examples[0]"), or without one the name of the node's type. Of a
    // very long way the middle is "...".
    std::string way;
    int64_t hops = 0;
    std::vector<FieldDifference> differences;
  };
  struct Single {
    LineageNode node;
    std::string way;
    int64_t hops = 0;
    std::string name;
    std::string type;
  };

  std::vector<Pair> differing;  // By hops. A pair is answered once, by its shortest way.
  std::vector<Single> only_a;   // By hops; a node is answered once.
  std::vector<Single> only_b;
  int64_t equal_pairs = 0;
  int64_t shared_nodes = 0;
  bool has_cycle = false;
  bool is_cut_by_hops = false;  // There were pairs to go on from when max_hops ended the walk.
};

struct LineagePair {
  LineageNode a;
  LineageNode b;

  friend bool operator==(const LineagePair&, const LineagePair&) = default;
  template <class H>
  friend H AbslHashValue(H h, const LineagePair& pair) {
    return H::combine(std::move(h), pair.a, pair.b);
  }
};

// Compares the lineages of two nodes of one kind that the view has. `judge` says as for a walk
// which nodes are left out, and where to stop: a pair is not walked behind if either is a stop. Of
// `options`, the direction is not looked at.
// Errors: as Reader and `judge`; ResourceExhausted if the differences take more than a GiB.
absl::StatusOr<LineageComparison> CompareLineages(const Reader& reader, const LineageView& view,
                                                  LineagePair starts,
                                                  const LineageWalkOptions& options,
                                                  LineageWalk::OnHop judge);

}  // namespace pedigree
