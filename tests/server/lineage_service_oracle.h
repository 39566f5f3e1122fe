// Requests of pedigree.v1.LineageService from the oracle's questions, and what must be answered to
// them by definition (tests/query/lineage_definitions.h), as messages.
//
// Threads: as GraphNodes, which it borrows, as it does the lineage.
//
//   LineageServiceOracle oracle(nodes, lineage);
//   v1::OriginsResponse expected = oracle.Origins(question, v1::TraceRequest::IDS);
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/types/span.h"
#include "ml_metadata/proto/metadata_store.pb.h"
#include "pedigree/v1/lineage.pb.h"
#include "tests/query/graph_nodes.h"
#include "tests/query/lineage_compare_oracle.h"
#include "tests/query/lineage_definitions.h"
#include "tests/query/lineage_oracle.h"

namespace pedigree {

v1::NodeRef MessageOf(OracleRef node);
v1::LineageScope ScopeMessageOf(const OracleQuestion& question);
v1::LineageDirection DirectionMessageOf(const OracleQuestion& question);
enum class StartBy : uint8_t { kName, kFilter };
v1::LineageStart StartMessageOf(const OracleQuestion& question, StartBy start_by);

// The question that a request can ask: filters leave no start out, and no types are all types.
OracleQuestion Askable(OracleQuestion question);

// Whether the node exists for a question.
bool Exists(const OracleLineage& lineage, const OracleQuestion& question, OracleRef node);

// In all answers reasons and tokens are left out: what they say, other tests compare.
class LineageServiceOracle {
 public:
  // REQUIRES: each event of the lineage once, as a store has them.
  LineageServiceOracle(const GraphNodes& nodes, const OracleLineage& lineage)
      : nodes_(nodes), lineage_(lineage) {}

  // The places from `begin` to `end` of a trace, as one message; without completeness.
  v1::TraceResponse Trace(const ExpectedTrace& trace, size_t begin, size_t end,
                          v1::TraceRequest::Content content) const;
  v1::FindPathsResponse FindPaths(const OracleQuestion& question, OracleRef to, size_t max_paths,
                                  v1::TraceRequest::Content content) const;
  v1::ImpactResponse Impact(const OracleQuestion& question, size_t max_contexts) const;
  v1::OriginsResponse Origins(const OracleQuestion& question,
                              v1::TraceRequest::Content content) const;
  // Of each way one of those that are as short: the one that `actual` has, if it may.
  v1::CompareResponse Compare(const OracleQuestion& question, OracleRef a, OracleRef b,
                              const v1::CompareResponse& actual) const;

 private:
  v1::TraceResponse::Node MessageOf(const LineageTraceNode& node,
                                    v1::TraceRequest::Content content) const;
  ml_metadata::Event MessageOf(uint32_t event, v1::TraceRequest::Content content) const;

  const GraphNodes& nodes_;
  const OracleLineage& lineage_;
};

}  // namespace pedigree
