// A lease of the cache: the right to run a step while others wait.
//
// It is measured by the monotonic clock of the process that serves the store, so no clock that is
// set shortens it. That clock means nothing to the next process: to it, a lease that another has
// handed out or renewed begins anew when it opens the store (CacheRuntime). So a restart prolongs
// leases and never shortens them. A row stays when its lease has run out, until another takes it
// over: its token is still the newest.
// A value; any thread.
//
//   if (lease.HoldsAt(runtime)) ...
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "store/cache_runtime.h"

namespace pedigree {

// lease := token:varint lease_ms:varint boot:be64 end:be64 granted:time owner
//   token     grows with every lease that is handed out, over the whole store
//   lease_ms  how long it lasts from the last renewal on
//   boot      of the process that last renewed it
//   end       by the monotonic clock of that process, in ms
//   granted   when it was handed out, by the wall clock
// e.g. token 1, 30 s, boot 7, end at 30,001 ms, granted at 5 ms, owner "o":
// 01 | b0ea01 | 0000000000000007 | 0000000000007531 | 8000000000000005 | 6f
struct CacheLease {
  uint64_t token = 0;
  int64_t lease_ms = 0;
  uint64_t boot_id = 0;
  int64_t end_ms = 0;
  int64_t granted_ms = 0;
  std::string owner;

  // Begins it anew.
  void Renew(const CacheRuntime& runtime, int64_t for_ms) {
    lease_ms = for_ms;
    boot_id = runtime.boot_id;
    end_ms = runtime.steady_ms() + for_ms;
  }
  // How much of it is left; 0 or less if it has run out.
  int64_t LeftMs(const CacheRuntime& runtime) const {
    const int64_t end = boot_id == runtime.boot_id ? end_ms : runtime.opened_steady_ms + lease_ms;
    return end - runtime.steady_ms();
  }
  bool HoldsAt(const CacheRuntime& runtime) const { return LeftMs(runtime) > 0; }

  std::string Encode() const;
  static bool Decode(absl::string_view bytes, CacheLease* out);
};

}  // namespace pedigree
