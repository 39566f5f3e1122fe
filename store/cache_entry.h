// An entry of the cache of steps: what the store remembers of an execution with a fingerprint.
//
// There is one for every execution whose custom property `cache_fingerprint` is a text, if not an
// empty one. It follows from the execution when a request that changes it ends, but for what the
// execution does not say: since when it is complete, whether the entry has been invalidated, and
// the namespace and pipeline that a Publish has given it. Those that follow from contexts stay as
// they were then, whatever becomes of the contexts later.
// A value; any thread.
//
//   auto entry = lookup.FindCacheEntry(execution);
//   if (entry.ok() && entry->has_value() && (*entry)->cache_class == CacheClass::kLive) ...
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "store/keys.h"

namespace pedigree {

// In the order in which entries are looked for. Part of the format.
enum class CacheClass : uint8_t {
  kLive = 1,         // COMPLETE or CACHED: it can be hit.
  kNotComplete = 2,  // Any other state.
  kInvalidated = 3,  // Until the execution has another fingerprint, or is published again.
};

// entry := class:u8 is_explicit:u8 completed:time run:varint (size:varint byte{size}){3}
//   completed  when the producer completed, 0 if the execution is neither COMPLETE nor CACHED
//   run        how long the producer took, in ms
//   then the fingerprint as the text of keys, the namespace and the pipeline
// e.g. of "f", live, at 5 ms, namespace "n", no pipeline:
// 01 00 8000000000000005 00 | 03 66 0001 | 01 6e | 00
struct CacheEntry {
  CacheClass cache_class = CacheClass::kNotComplete;
  // Namespace and pipeline are those that Publish gave.
  bool is_explicit = false;
  int64_t completed_ms = 0;
  int64_t run_ms = 0;
  std::string fingerprint_text;  // FingerprintText().
  std::string name_space;
  std::string pipeline;

  std::string Encode() const;
  static bool Decode(absl::string_view bytes, CacheEntry* out);
  // Its key in cache_lookup, and what stands there.
  std::string LookupKey(int64_t execution) const;
  std::string LookupValue() const;

  bool operator==(const CacheEntry&) const = default;
};

// What an execution says of its entry. Texts are borrowed from the message.
struct CacheFacts {
  absl::string_view fingerprint;  // Not empty.
  absl::string_view name_space;   // "" if it says none.
  // Of the execution whose result this one took over; 0 if it says none.
  int64_t cached_execution = 0;
  int64_t create_time_ms = 0;
  int64_t update_time_ms = 0;
  bool is_complete = false;  // COMPLETE or CACHED.
  bool is_cached = false;    // CACHED.
};

// Nullopt if the execution has no fingerprint, or the bytes are no message.
std::optional<CacheFacts> CacheFactsOf(absl::string_view execution_message);

// Reads the value of cache_lookup.
bool DecodeCacheRun(absl::string_view value, int64_t* run_ms);

}  // namespace pedigree
