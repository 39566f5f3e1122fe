// Where the nodes of a lineage stand when it is drawn: in columns from left to right downstream, so
// that columns of artifacts and of executions take turns, and each node near its neighbours.
//
// A column that would be much higher than the whole is wide is folded into several side by side.
// Takes time in the order of the edges. Pure functions; any thread.
//
//   const LineageLayout layout = LayOut(graph);
//   Draw(layout.places[node].x, layout.places[node].y);
#pragma once

#include <vector>

#include "cli/lineage/graph.h"

namespace pedigree::cli {

struct LineageLayout {
  // Sizes that html/ draws with.
  static constexpr int kNodeWidth = 216;
  static constexpr int kNodeHeight = 46;
  static constexpr int kRow = 62;      // From one node to the next below it.
  static constexpr int kColumn = 316;  // From one column to the next.
  static constexpr int kFolded = 236;  // Between the parts of a column that is folded.

  struct Place {
    int x = 0;  // Of the left upper corner.
    int y = 0;
    int column = 0;
  };
  std::vector<Place> places;  // As the nodes of the graph.
};

LineageLayout LayOut(const LineageGraph& graph);

}  // namespace pedigree::cli
