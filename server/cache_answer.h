// The parts of answers of pedigree.v1.CacheService. Threads: as the Reader.
//
//   if (found->is_hit) return AnswerHit(reader, key, *found, answer);
#pragma once

#include "absl/status/status.h"
#include "pedigree/v1/cache.pb.h"
#include "query/cache_lookup.h"
#include "server/answer.h"
#include "server/cache_requests.h"
#include "store/cache_lease.h"
#include "store/reader.h"

namespace pedigree {

// Both LookupResponse and LookupOrReserveResponse have the hit as field 1: makes `answer`, which is
// empty, such a message, and counts the hit.
absl::Status AnswerHit(const Reader& reader, const CacheKeyTexts& key, const CacheAnswer& found,
                       Answer* answer);

v1::CacheMiss ToMessage(const CacheAnswer& miss);
void CountMiss(const CacheAnswer& miss, CacheRuntime* runtime);

v1::CacheLease ToMessage(const CacheLease& lease, const CacheRuntime& runtime);
v1::CacheBusy ToBusy(const CacheLease& lease, const CacheRuntime& runtime);

}  // namespace pedigree
