// What is wrong with a request of pedigree.v1.CacheService by itself, and its key as the store
// wants it. Prepare() is that of validate.h; it also fills in what a request leaves open. Pure
// functions, any thread.
//
//   const CacheKeyTexts key(request.key());
//   auto answer = FindInCache(reader, key.Ask(request.condition(), reader.cache(), now_ms));
#pragma once

#include <string>

#include "absl/status/status.h"
#include "pedigree/v1/cache.pb.h"
#include "query/cache_lookup.h"
#include "store/cache_runtime.h"
#include "store/keys.h"

namespace pedigree {

inline constexpr int64_t kDefaultLeaseMs = 30'000;
inline constexpr int64_t kMostWaitMs = 600'000;

absl::Status Prepare(v1::LookupRequest* request);
absl::Status Prepare(v1::LookupOrReserveRequest* request);
absl::Status Prepare(v1::RenewLeaseRequest* request);
absl::Status Prepare(v1::ReleaseLeaseRequest* request);
absl::Status Prepare(v1::PublishRequest* request);
absl::Status Prepare(v1::InvalidateRequest* request);

// The custom property of an execution that makes it an entry.
inline constexpr char kFingerprintProperty[] = "cache_fingerprint";

class CacheKeyTexts {
 public:
  // Borrows from `key`. REQUIRES: Prepare() has let it pass.
  explicit CacheKeyTexts(const v1::CacheKey& key)
      : key_(key),
        fingerprint_text_(FingerprintText(key.fingerprint())),
        scope_(static_cast<CacheScope>(key.scope())) {}
  CacheKeyTexts(const CacheKeyTexts&) = delete;
  CacheKeyTexts& operator=(const CacheKeyTexts&) = delete;

  const std::string& fingerprint_text() const { return fingerprint_text_; }
  CacheScope scope() const { return scope_; }
  const v1::CacheKey& key() const { return key_; }
  CacheLeaseKey lease() const {
    return {fingerprint_text_, scope_, key_.namespace_(), key_.pipeline()};
  }
  // All entries of the key, whatever their age.
  CacheQuestion Ask() const;
  CacheQuestion Ask(const v1::CacheCondition& condition, const CacheRuntime& runtime,
                    int64_t now_ms) const;

 private:
  const v1::CacheKey& key_;
  const std::string fingerprint_text_;
  const CacheScope scope_;
};

}  // namespace pedigree
