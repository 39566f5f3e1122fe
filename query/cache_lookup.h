// "Has this step run before?": the newest entry of the cache that is good enough, or why none is.
//
// One look-up where the question names a pipeline. In a namespace or anywhere, one for each
// pipeline that has the fingerprint: the newest of each. Where outputs must be live, the next older
// entry is tried if one's are not, up to kMostTries in all.
// A reader answers it from its version, a transaction from its group's writes over the newest one:
// both are a Lookup. Pure functions; threads as the Lookup.
//
//   auto answer = FindInCache(reader, {.fingerprint_text = FingerprintText("f"), ...});
//   if (answer.ok() && answer->is_hit) Answer(answer->execution);
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "store/lookup.h"

namespace pedigree {

// Entries whose outputs are looked at, for one question.
inline constexpr int kMostTries = 64;
// Pairs of namespace and pipeline that one question of a transaction may look at: all other writes
// wait for it. Those of readers are bounded as all queries are.
inline constexpr int64_t kMostPlacesOfWrites = 4096;

struct CacheQuestion {
  absl::string_view fingerprint_text;  // FingerprintText().
  CacheScope scope = CacheScope::kPipeline;
  absl::string_view name_space;
  absl::string_view pipeline;
  // Older results will not do; nor will any if it is 0. Unset: any age.
  std::optional<int64_t> max_staleness_ms;
  bool require_live_outputs = false;
  int64_t most_places = std::numeric_limits<int64_t>::max();
  int64_t now_ms = 0;
};

// Why there is no hit; the later, the closer to one. The values are those of v1::MissReason.
enum class CacheMissReason : uint8_t {
  kNeverSeen = 1,
  kOtherScope = 2,
  kInvalidated = 3,
  kProducerNotComplete = 4,
  kStale = 5,
  kOutputNotLive = 6,
};

struct CacheAnswer {
  bool is_hit = false;
  // Of a hit; of a miss the entry that is closest to one, 0 if there is none.
  int64_t execution = 0;
  int64_t completed_ms = 0;
  int64_t run_ms = 0;
  int64_t age_ms = 0;
  // Of a miss.
  CacheMissReason reason = CacheMissReason::kNeverSeen;
  std::string detail;
};

// Errors: those of the Lookup; ResourceExhausted beyond most_places.
absl::StatusOr<CacheAnswer> FindInCache(const Lookup& lookup, const CacheQuestion& question);

// The keys of cache_lookup that belong to a scope.
std::string CacheScopePrefix(const CacheQuestion& question);

// Visits the first key of each pair of namespace and pipeline under `prefix`, with the part that
// all keys of the pair share, until `visit` answers false.
// Errors: as FindInCache.
struct CachePlaceHead {
  std::string pair;
  CacheLookupKey first;  // Without texts.
  int64_t run_ms = 0;
};
absl::Status VisitCachePlaces(const Lookup& lookup, const std::string& prefix, int64_t most_places,
                              absl::FunctionRef<bool(CachePlaceHead head)> visit);

}  // namespace pedigree
