// A store full of cached steps, for look-ups among few and among very many: built in this process,
// with the least that a step can be, since millions of calls would take an hour.
//
// Threading: one thread.
//
//   auto directory = FilledCacheStore({.directory = scratch, .fingerprints = 1'000'000});
//   client.Call(kCacheLookup, CacheLookupRequest(17));
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace pedigree::bench {

inline constexpr char kCacheLookup[] = "/pedigree.v1.CacheService/Lookup";

struct CacheStoreOptions {
  std::string directory;  // Where the store's own directory is made.
  int64_t fingerprints = 0;
};

// The data directory of a store with so many executions. Each is COMPLETE, has another fingerprint
// and one output, and is in the contexts of its run and its pipeline. A store that has been filled
// there before is used again. Cancelled on Ctrl-C.
absl::StatusOr<std::string> FilledCacheStore(const CacheStoreOptions& options);

// A Lookup that hits the `number`th execution of such a store, from 0 on.
std::string CacheLookupRequest(int64_t number);

}  // namespace pedigree::bench
