// Runs the product's walk and says how it differs from the oracle's.
//
// Pure functions; threads as Reader.
//
//   EXPECT_EQ(WalkDifference(reader, view, lineage, question), "");
#pragma once

#include <string>

#include "query/lineage_view.h"
#include "query/lineage_walk.h"
#include "store/event_graph.h"
#include "store/reader.h"
#include "tests/query/lineage_oracle.h"

namespace pedigree {

LineageNode NodeOf(OracleRef node);
OracleRef OracleRefOf(LineageNode node);

// REQUIRES: at least one direction.
LineageWalkOptions OptionsOf(const OracleQuestion& question);

// Appends all events of `lineage` to an empty graph, numbered as they stand.
void FillGraph(const OracleLineage& lineage, EventGraph* graph);
// Appends those from the place `begin` on to a graph that has the others.
void AppendToGraph(const OracleLineage& lineage, size_t begin, EventGraph* graph);

// "" if the walk reaches, expands and traverses what the oracle says, hop by hop, and tells its
// caller each node once. `lineage` has the events of the reader in the order of their numbers, and
// `view` is as of the question's time.
std::string WalkDifference(const Reader& reader, const LineageView& view,
                           const OracleLineage& lineage, const OracleQuestion& question);
// The same, for an answer of the oracle that is known already.
std::string WalkDifference(const Reader& reader, const LineageView& view,
                           const OracleQuestion& question, const OracleWalk& expected);

}  // namespace pedigree
