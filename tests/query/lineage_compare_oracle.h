// What CompareLineages() answers, by its definition (query/lineage_compare.h), in the simplest way
// there is: for tests to compare the product with. Slow on purpose. Threads: values, any thread.
//
//   ExpectedComparison comparison = ComparisonByDefinition(nodes, lineage, question, a, b);
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "tests/query/graph_nodes.h"
#include "tests/query/lineage_oracle.h"

namespace pedigree {

struct ExpectedComparison {
  struct Found {
    int64_t hops = 0;
    std::set<std::string> ways;  // All of this length: an answer has one of them.
  };
  std::map<std::pair<OracleRef, OracleRef>, Found> pairs;  // Also those without differences.
  std::map<OracleRef, Found> only_a;
  std::map<OracleRef, Found> only_b;
  std::set<OracleRef> shared;
  bool has_cycle = false;
  bool is_cut_by_hops = false;
};

// Of the question, starts and direction are not looked at. REQUIRES: each event of the lineage
// once, as a store has them; a and b exist.
ExpectedComparison ComparisonByDefinition(const GraphNodes& nodes, const OracleLineage& lineage,
                                          const OracleQuestion& question, OracleRef a, OracleRef b);

}  // namespace pedigree
