// What the cache of steps has beside its keys, for as long as a store is open: clocks, which
// opening this is, the policy of the server, and counters.
//
// Everything but the counters is set before the store serves. Any thread.
//
//   ++reader.cache().counters.hits;
//   const int64_t left_ms = lease.LeftMs(reader.cache());
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

namespace pedigree {

// How old a result may be. Unset: any age.
struct CachePolicy {
  std::optional<int64_t> default_staleness_ms;  // Of who does not say.
  std::optional<int64_t> max_staleness_ms;      // Of all.

  // For who asks for this.
  std::optional<int64_t> StalenessFor(std::optional<int64_t> asked_ms) const {
    const std::optional<int64_t> wanted_ms = asked_ms ? asked_ms : default_staleness_ms;
    if (!wanted_ms || !max_staleness_ms) return wanted_ms ? wanted_ms : max_staleness_ms;
    return *wanted_ms < *max_staleness_ms ? wanted_ms : max_staleness_ms;
  }
};

// Whether a result of this age will do; if `most_ms` is 0, none will.
inline bool IsFreshEnough(std::optional<int64_t> most_ms, int64_t age_ms) {
  return !most_ms.has_value() || (*most_ms > 0 && age_ms <= *most_ms);
}

// Since the store was opened.
struct CacheCounters {
  static constexpr size_t kReasons = 8;

  std::atomic<int64_t> hits = 0;
  std::atomic<int64_t> saved_ms = 0;
  std::array<std::atomic<int64_t>, kReasons> misses = {};  // By reason.
  std::atomic<int64_t> leases_granted = 0;
  std::atomic<int64_t> leases_taken_over = 0;
  std::atomic<int64_t> stale_publishes_refused = 0;
};

struct CacheRuntime {
  std::function<int64_t()> clock_ms;   // The wall clock, since the epoch.
  std::function<int64_t()> steady_ms;  // The monotonic clock, since whenever.
  uint64_t boot_id = 0;                // A random number, of this opening of the store.
  int64_t opened_steady_ms = 0;
  int64_t opened_ms = 0;
  CachePolicy policy;
  CacheCounters counters;
};

}  // namespace pedigree
