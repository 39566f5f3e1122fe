// What the calls of pedigree.v1.LineageService answer, by their definitions in lineage.proto: for
// tests to compare the product with. Slow on purpose. Shares nothing with the product but plain
// structs; what a walk reaches is the oracle's (lineage_oracle.h).
//
// Threads: values, any thread.
//
//   ExpectedTrace trace = TraceByDefinition(lineage, question);
//   ExpectedOrigins origins = OriginsByDefinition(lineage, question);
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "query/lineage_trace.h"
#include "tests/query/lineage_oracle.h"

namespace pedigree {

// Adds (a, c) where there are (a, b) and (b, c), until there is nothing to add.
void CloseTransitively(std::set<std::pair<OracleRef, OracleRef>>* edges);

// A walk, and what in it leads to what.
class WalkedGraph {
 public:
  WalkedGraph(const OracleLineage& lineage, const OracleQuestion& question);

  const OracleWalk& walk() const { return walk_; }
  // By event number, which is its place in the lineage counted from 1: from where to where it
  // leads. Upstream alone goes against the events.
  const std::map<uint32_t, std::pair<OracleRef, OracleRef>>& edges() const { return edges_; }
  // Over at least one event.
  bool LeadsTo(OracleRef from, OracleRef to) const { return leads_to_.count({from, to}) > 0; }
  bool InCycle(OracleRef node) const { return LeadsTo(node, node); }
  bool HasCycle() const;
  // REQUIRES: it is reached.
  LineageTraceNode Told(OracleRef node) const;

 private:
  const OracleWalk walk_;
  std::map<uint32_t, std::pair<OracleRef, OracleRef>> edges_;
  std::set<std::pair<OracleRef, OracleRef>> leads_to_;
};

struct ExpectedTrace {
  std::vector<LineageTraceNode> nodes;
  std::vector<std::vector<uint32_t>> events;  // By place.
  bool is_cut_by_hops = false;
};
ExpectedTrace TraceByDefinition(const OracleLineage& lineage, const OracleQuestion& question);

struct ExpectedPath {
  std::vector<LineageNode> nodes;
  std::vector<uint32_t> events;

  friend bool operator<(const ExpectedPath& a, const ExpectedPath& b) {
    return std::pair(a.nodes.size(), a.nodes) < std::pair(b.nodes.size(), b.nodes);
  }
};
// All paths from the one start of a question downstream, the best first.
std::vector<ExpectedPath> PathsByDefinition(const OracleLineage& lineage,
                                            const OracleQuestion& question, OracleRef to);

struct ExpectedOrigins {
  std::vector<LineageTraceNode> sources;
  std::vector<LineageTraceNode> dominators;
  int64_t artifacts = 0;
  int64_t executions = 0;
  bool has_cycle = false;
  bool is_cut_by_hops = false;
};
// REQUIRES: a question upstream.
ExpectedOrigins OriginsByDefinition(const OracleLineage& lineage, const OracleQuestion& question);

}  // namespace pedigree
