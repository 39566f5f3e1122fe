// What the nodes of the store say of an execution's entry in the cache: whose it is, and when its
// result was made.
//
// Pure functions of what `lookup` finds; threads as that.
//
//   auto place = DeriveCachePlace(lookup, execution, record, facts);
//   auto run = FindOriginRun(lookup, execution, facts);
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "store/cache_entry.h"
#include "store/lookup.h"

namespace pedigree {

// Whose an entry of the cache is.
struct CachePlace {
  std::string name_space;
  std::string pipeline;
};

// The namespace that the execution says, or else the first of its contexts that says one; the name
// of its context of type system.Pipeline. What nobody says is "".
absl::StatusOr<CachePlace> DeriveCachePlace(const KeyLookup& lookup, int64_t execution,
                                            const NodeRecord& record, const CacheFacts& facts);

// When the producer of a result completed, and how long it took.
struct CacheRun {
  int64_t completed_ms = 0;
  int64_t run_ms = 0;
};

// Of the execution whose result a CACHED one took over, which is itself as old as its own origin.
// Nullopt if this one is not CACHED, or the other has no complete entry.
absl::StatusOr<std::optional<CacheRun>> FindOriginRun(const KeyLookup& lookup, int64_t execution,
                                                      const CacheFacts& facts);

}  // namespace pedigree
