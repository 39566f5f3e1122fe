// Whole answers of GetLineageSubgraph and GetLineageGraph by their definition: for tests to compare
// the product with. Slow on purpose. Beside the oracles of walks and filters it shares nothing with
// the product but messages.
//
// GetLineageSubgraph, from the contract, and checked against all 158 answers of a real MLMD server
// that tests/data/transcripts holds:
//   1. The starts are all nodes that satisfy the starting filter; NOT_FOUND if there is none.
//   2. The walk (lineage_oracle.h) has the ending nodes of both kinds as stops; those that are not
//      included are left out, starts too. A walk whose starts are all left out answers no nodes and
//      is OK.
//   3. Nodes of the answer are those reached; they have their ids and nothing else.
//   4. Events of the answer are those traversed, each once. Not all events between its nodes: an
//      execution that read and wrote the only start of an UPSTREAM walk of one hop comes with its
//      output event alone (fuzz_0010 and fuzz_0015).
//   5. Attributions and associations are all links of these nodes to contexts; contexts are those
//      of both, each once, by id.
//   6. The types are all of the store, the predefined ones too.
//   7. A read mask leaves whole fields out, and nothing else: the contexts do not depend on whether
//      attributions are answered. Unknown fields are ignored; an empty mask is none.
// Not in any recording, and decided by the contract's words: an event between two included ending
// nodes, or between one and a node at max_num_hops, leads to neither, so it is not in the answer.
//
// GetLineageGraph, from the contract alone:
//   1. The starts are the first page of the list call that artifacts_options make; NOT_FOUND if it
//      is empty. (Page tokens are beyond this oracle.)
//   2. The walk goes both ways; what fails the boundary filter of its kind is left out, but for the
//      starts.
//   3. Of the nodes reached the nearest max_node_size are answered, within a hop the lowest ids,
//      whole; 0 and below answer all.
//   4. Events are all between nodes of the answer. No contexts, no links; types but for the nine
//      predefined ones.
// Threads: values, any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/field_mask.pb.h"
#include "ml_metadata/proto/metadata_store.pb.h"
#include "tests/query/filter_oracle.h"
#include "tests/query/lineage_oracle.h"

namespace pedigree {

// What answers are made of.
struct OracleStore {
  OracleModel model;  // Events have their times.
  // As GetArtifactsByID and GetExecutionsByID answer them.
  std::map<int64_t, ml_metadata::Artifact> artifacts;
  std::map<int64_t, ml_metadata::Execution> executions;
  // But for the predefined ones.
  std::vector<ml_metadata::ArtifactType> artifact_types;
  std::vector<ml_metadata::ExecutionType> execution_types;
  std::vector<ml_metadata::ContextType> context_types;
};

OracleLineage LineageOf(const OracleModel& model);

// Errors: InvalidArgument, NotFound as the call; Unimplemented if a filter is too much for the
// oracle. REQUIRES: filters that FilterOracle can read.
absl::StatusOr<ml_metadata::LineageGraph> SubgraphByDefinition(
    const OracleStore& store, const ml_metadata::LineageSubgraphQueryOptions& options,
    const google::protobuf::FieldMask& read_mask);
absl::StatusOr<ml_metadata::LineageGraph> GraphByDefinition(
    const OracleStore& store, const ml_metadata::LineageGraphQueryOptions& options);

// What is in one answer and not in the other, in text; "" if they are the same but for order.
std::string AnswerDifference(const ml_metadata::LineageGraph& actual,
                             const ml_metadata::LineageGraph& expected);

}  // namespace pedigree
