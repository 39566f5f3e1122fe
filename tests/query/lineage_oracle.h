// What a walk along lineage means, in the simplest way there is: for tests to compare the product
// with. Shares nothing with query/ or store/ but the kinds of nodes. Slow on purpose.
//
// The rules, from the contract (metadata_store.proto, lineage.proto):
//   1. An event of an output type (DECLARED_OUTPUT, OUTPUT, INTERNAL_OUTPUT, PENDING_OUTPUT) points
//      from its execution to its artifact, one of any other type from the artifact to the
//      execution. Downstream is that way, upstream the other.
//   2. The starts are reached in 0 hops; a hop leads over one event. A node's hops are those of the
//      shortest way to it.
//   3. A node that is reached is expanded unless it is a stop or max_hops away: every event that
//      leads from it in the direction is traversed, and what is at its other end is reached.
//   4. A node that is left out is not reached, and events that lead to it are not traversed.
//   5. As of a time, there are the nodes created and the events that happened until then. An event
//      is there only if both of its nodes are.
// Threads: values, any thread.
//
//   OracleLineage lineage;
//   lineage.nodes[{NodeKind::kArtifact, 7}] = create_time_ms; ...
//   lineage.events.push_back({.artifact = 7, .execution = 3, .type = Event::OUTPUT});
//   OracleWalk walk = WalkByDefinition(lineage, {.starts = {{NodeKind::kArtifact, 7}},
//                                                .is_upstream = true});
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ml_metadata/proto/metadata_store.pb.h"
#include "store/traits.h"

namespace pedigree {

using OracleRef = std::pair<NodeKind, int64_t>;

struct OracleEvent {
  int64_t artifact = 0;
  int64_t execution = 0;
  ml_metadata::Event::Type type = ml_metadata::Event::UNKNOWN;
  int64_t time_ms = 0;
};

struct OracleLineage {
  std::map<OracleRef, int64_t> nodes;  // With their create times.
  std::vector<OracleEvent> events;

  // As text, to be read in the failure of a test.
  std::string ToString() const;
};

struct OracleQuestion {
  std::set<OracleRef> starts;
  bool is_upstream = false;
  bool is_downstream = false;
  std::optional<int64_t> max_hops;
  std::optional<std::set<int>> event_types;  // Others are no events.
  std::set<OracleRef> stops;
  std::set<OracleRef> left_out;
  std::optional<int64_t> as_of_ms;

  std::string ToString() const;
};

struct OracleWalk {
  std::map<OracleRef, int64_t> hops;  // Of every node reached.
  std::set<OracleRef> expanded;
  std::set<size_t> traversed;  // Indices of lineage.events.
  // Some node would have been expanded but for max_hops.
  bool is_cut_by_hops = false;
};

// Whether the event exists for a question: as of its time, and of one of its types.
bool ExistsByDefinition(const OracleLineage& lineage, const OracleQuestion& question,
                        const OracleEvent& event);

// Starts that do not exist are passed over.
OracleWalk WalkByDefinition(const OracleLineage& lineage, const OracleQuestion& question);

}  // namespace pedigree
