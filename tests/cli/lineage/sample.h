// Lineages to draw in tests, made without a store.
//
// Threads: free functions, any.
//
//   const LineageGraph graph = SmallLineage(LineageWay::kUp);
#pragma once

#include <cstdint>
#include <string>

#include "cli/lineage/graph.h"

namespace pedigree::cli::testing {

// Two data sets -> training -> model -> evaluation -> metrics. The start is the model, artifact 4,
// whose name is `name`.
LineageGraph SmallLineage(LineageWay way, const std::string& name = "fraud-v1");

// Steps one after another, upstream of the last artifact: `steps` executions, one artifact more.
LineageGraph Chain(int64_t steps);

// The history of a platform: data sets that are read by many trainings, models that are evaluated
// and distilled, a hundred nodes a "week". About `nodes` nodes; the same seed gives the same.
LineageGraph PlatformLineage(int64_t nodes, uint64_t seed);

}  // namespace pedigree::cli::testing
