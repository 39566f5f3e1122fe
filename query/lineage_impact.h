// What a walk has reached, counted: how much is downstream of a poisoned data set, and whose.
//
// Threads: as the Reader. Keeps the distinct types and contexts; bodies are read in batches.
//
//   LineageWalk walk(reader, view);
//   absl::Status status = walk.Run(starts, options, on_hop);
//   auto impact = CountImpact(reader, walk, {.max_contexts = 100});
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "query/lineage_walk.h"
#include "store/reader.h"
#include "store/traits.h"

namespace pedigree {

struct LineageImpact {
  struct TypeCount {
    NodeKind kind;
    int64_t type_id = 0;
    int64_t count = 0;
  };
  struct ContextCount {
    int64_t id = 0;
    int64_t artifacts = 0;
    int64_t executions = 0;

    int64_t nodes() const { return artifacts + executions; }
  };

  // All without the starts.
  int64_t artifacts = 0;
  int64_t executions = 0;
  int64_t max_hops = 0;                // Of the farthest node.
  std::vector<TypeCount> types;        // The most first; ties by kind and type id.
  std::vector<ContextCount> contexts;  // The most nodes first; ties by id. Up to max_contexts.
  int64_t contexts_in_all = 0;
};

struct LineageImpactOptions {
  size_t max_contexts = 100;
};

// Counts the nodes of a walk that has run; types and contexts are those of now.
// Errors: as Reader.
absl::StatusOr<LineageImpact> CountImpact(const Reader& reader, const LineageWalk& walk,
                                          const LineageImpactOptions& options);

}  // namespace pedigree
