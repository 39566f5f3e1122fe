// Verify: entries of the cache, which must be what their executions say, and leases. Namespace and
// pipeline of an entry are as its contexts were once, so they are not judged.
#include <utility>

#include "store/codec.h"
#include "store/verifier.h"

namespace pedigree {

absl::Status Verifier::CheckCacheOf(int64_t execution, absl::string_view message) {
  const auto facts = CacheFactsOf(message);
  if (!facts.has_value()) return absl::OkStatus();
  return Expect(CacheEntryKey{execution}.Encode(), std::nullopt,
                [&] { return absl::StrCat("execution ", execution, ": cache_entry"); });
}

absl::Status Verifier::CheckCacheEntry(absl::string_view key, absl::string_view value) {
  CacheEntryKey head = {};
  CacheEntry entry;
  if (!CacheEntryKey::Decode(key, &head)) {
    ForeignKey(key);
    return absl::OkStatus();
  }
  const auto what = [&](absl::string_view part) {
    return absl::StrCat("execution ", head.execution, ": ", part);
  };
  if (!CacheEntry::Decode(value, &entry)) {
    Problem(what("its cache_entry does not decode"));
    return absl::OkStatus();
  }
  absl::Status status = Expect(entry.LookupKey(head.execution), entry.LookupValue(),
                               [&] { return what("cache_lookup"); });
  if (!status.ok()) return status;
  Found node;
  status = FindNode(NodeKind::kExecution, head.execution, &node);
  if (!status.ok() || node.state == Found::State::kDamaged) return status;
  const auto facts = node.state == Found::State::kWhole ? CacheFactsOf(node.view->message())
                                                        : std::optional<CacheFacts>();
  if (!facts.has_value()) {
    Problem(what("a stale cache_entry"));
    return absl::OkStatus();
  }
  if (FingerprintText(facts->fingerprint) != entry.fingerprint_text) {
    Problem(what("its cache_entry has another fingerprint"));
  }
  const bool says_complete = entry.completed_ms != 0;
  const bool class_fits = entry.cache_class == CacheClass::kInvalidated ||
                          (entry.cache_class == CacheClass::kLive) == facts->is_complete;
  if (says_complete != facts->is_complete || !class_fits) {
    Problem(what("its cache_entry does not fit its state"));
  }
  if (entry.completed_ms > counters_.last_time_ms) {
    Problem(what("its cache_entry is of after the newest time"));
  }
  return absl::OkStatus();
}

absl::Status Verifier::CheckCacheLookup(absl::string_view key, absl::string_view value) {
  ++report_.index_entries;
  CacheLookupKey head = {};
  size_t pair_size = 0;
  int64_t run_ms = 0;
  if (!CacheLookupKey::DecodeNumbers(key, &head, &pair_size) || !DecodeCacheRun(value, &run_ms)) {
    Problem("an entry of the index cache_lookup does not decode");
    return absl::OkStatus();
  }
  auto bytes = Get(CacheEntryKey{head.execution}.Encode());
  if (!bytes.ok()) return bytes.status();
  CacheEntry entry;
  if (!bytes->has_value()) {
    Problem("execution ", head.execution, ": an entry in cache_lookup without its cache_entry");
  } else if (CacheEntry::Decode(**bytes, &entry) && entry.LookupKey(head.execution) != key) {
    Problem("execution ", head.execution, ": a stale entry in the index cache_lookup");
  }
  return absl::OkStatus();
}

// Comes before the leases.
absl::Status Verifier::CheckCacheToken(absl::string_view value) {
  ByteReader reader(value);
  if (!reader.ReadBe64(&last_cache_token_) || !reader.AtEnd()) {
    Problem("the last fencing token does not decode");
  }
  return absl::OkStatus();
}

absl::Status Verifier::CheckCacheLease(absl::string_view key, absl::string_view value) {
  CacheLease lease;
  if (!CacheLeaseKey::IsOne(key) || !CacheLease::Decode(value, &lease)) {
    Problem("a lease of the cache does not decode");
  } else if (lease.token == 0 || lease.token > last_cache_token_) {
    Problem("a lease of the cache has token ", lease.token, ", beyond the last one handed out");
  }
  return absl::OkStatus();
}

}  // namespace pedigree
