#include "server/cache_handlers.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "query/cache_lookup.h"
#include "server/cache_answer.h"
#include "server/cache_requests.h"
#include "server/handlers.h"
#include "store/text.h"

namespace pedigree {
namespace {

// What one Invalidate looks at, on the thread that all writes wait for.
constexpr int64_t kMostInvalidated = 10'000;
constexpr size_t kMostNamed = 1000;

absl::Status NotHeld(const v1::CacheKey& key, uint64_t token,
                     const std::optional<CacheLease>& newest) {
  return absl::FailedPreconditionError(absl::StrCat(
      "fencing token ", token, " of fingerprint ", Quoted(key.fingerprint()), " is not valid: ",
      newest.has_value() ? absl::StrCat("the lease has been taken over by ", Quoted(newest->owner),
                                        ", token ", newest->token)
                         : "the lease has been released or used"));
}

// Of a publication.
absl::Status CheckToken(const v1::PublishRequest& request, const std::optional<CacheLease>& lease,
                        const CacheRuntime& runtime) {
  if (request.fencing_token() != 0) {
    if (lease.has_value() && lease->token == request.fencing_token()) return absl::OkStatus();
    return NotHeld(request.key(), request.fencing_token(), lease);
  }
  if (!lease.has_value() || !lease->HoldsAt(runtime)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the step with fingerprint ", Quoted(request.key().fingerprint()),
                   " is leased to ", Quoted(lease->owner), " for another ", lease->LeftMs(runtime),
                   " ms: publish with its fencing token"));
}

// Executions whose entries are to be looked at.
struct Affected {
  std::vector<int64_t> executions;
  bool has_more = false;

  // False: there is no room for it.
  bool Add(int64_t execution) {
    has_more = static_cast<int64_t>(executions.size()) == kMostInvalidated;
    if (!has_more) executions.push_back(execution);
    return !has_more;
  }
};

// Those of a key that can still be invalidated.
absl::StatusOr<Affected> AffectedByKey(const Transaction& transaction, const v1::CacheKey& key) {
  const CacheKeyTexts texts(key);
  Affected affected;
  absl::Status inner;
  const auto visit = [&](absl::string_view bytes, absl::string_view) {
    CacheLookupKey entry = {};
    size_t pair_size = 0;
    if (!CacheLookupKey::DecodeNumbers(bytes, &entry, &pair_size)) {
      inner = absl::DataLossError("an entry of the index cache_lookup does not decode");
      return false;
    }
    // These come last.
    if (entry.cache_class == static_cast<uint8_t>(CacheClass::kInvalidated)) return false;
    return affected.Add(entry.execution);
  };
  absl::Status status = VisitCachePlaces(
      transaction, CacheScopePrefix(texts.Ask()), kMostPlacesOfWrites, [&](CachePlaceHead place) {
        inner.Update(transaction.VisitCacheLookups(PrefixRange(place.pair), visit));
        return inner.ok() && !affected.has_more;
      });
  status.Update(inner);
  if (!status.ok()) return status;
  return affected;
}

absl::StatusOr<Affected> FindAffected(const Transaction& transaction,
                                      const v1::InvalidateRequest& request) {
  if (request.has_key()) return AffectedByKey(transaction, request.key());
  Affected affected;
  if (request.has_execution_id()) {
    affected.Add(request.execution_id());
    return affected;
  }
  absl::Status status = transaction.VisitExecutionsOfArtifact(
      request.artifact_id(), request.after_execution_id(),
      [&](int64_t execution) { return affected.Add(execution); });
  if (!status.ok()) return status;
  return affected;
}

}  // namespace

absl::Status LookUp(const Reader& reader, const v1::LookupRequest& request, Answer* answer) {
  reader.LimitQuery();
  const CacheKeyTexts key(request.key());
  auto found =
      FindInCache(reader, key.Ask(request.condition(), reader.cache(), reader.cache().clock_ms()));
  if (!found.ok()) return found.status();
  if (found->is_hit) return AnswerHit(reader, key, *found, answer);
  v1::LookupResponse response;
  *response.mutable_miss() = ToMessage(*found);
  answer->AddFields(response);
  CountMiss(*found, &reader.cache());
  return absl::OkStatus();
}

absl::Status RenewLease(Transaction& transaction, v1::RenewLeaseRequest* request,
                        v1::RenewLeaseResponse* response) {
  const CacheKeyTexts key(request->key());
  auto lease = transaction.FindCacheLease(key.lease());
  if (!lease.ok()) return lease.status();
  if (!lease->has_value() || (*lease)->token != request->fencing_token()) {
    return NotHeld(request->key(), request->fencing_token(), *lease);
  }
  (*lease)->Renew(transaction.cache(), request->lease_ms());
  transaction.PutCacheLease(key.lease(), **lease);
  *response->mutable_lease() = ToMessage(**lease, transaction.cache());
  return absl::OkStatus();
}

absl::Status ReleaseLease(Transaction& transaction, v1::ReleaseLeaseRequest* request,
                          v1::ReleaseLeaseResponse* response) {
  const CacheKeyTexts key(request->key());
  auto lease = transaction.FindCacheLease(key.lease());
  if (!lease.ok()) return lease.status();
  const bool was_held = lease->has_value() && (*lease)->token == request->fencing_token();
  if (was_held) transaction.DeleteCacheLease(key.lease());
  response->set_was_held(was_held);
  return absl::OkStatus();
}

absl::Status Publish(Transaction& transaction, v1::PublishRequest* request,
                     v1::PublishResponse* response) {
  const CacheKeyTexts key(request->key());
  auto lease = transaction.FindCacheLease(key.lease());
  if (!lease.ok()) return lease.status();
  absl::Status status = CheckToken(*request, *lease, transaction.cache());
  if (!status.ok()) {
    ++transaction.cache().counters.stale_publishes_refused;
    return status;
  }
  const bool has_lease = request->fencing_token() != 0;
  const int64_t run_ms = has_lease ? transaction.now_ms() - (*lease)->granted_ms : 0;
  status = PutExecution(transaction, request->mutable_put(), response->mutable_put());
  if (!status.ok()) return status;
  transaction.PublishCacheEntry(response->put().execution_id(),
                                {request->key().namespace_(), request->key().pipeline()},
                                std::max<int64_t>(run_ms, 0));
  if (has_lease) transaction.DeleteCacheLease(key.lease());
  return absl::OkStatus();
}

absl::Status Invalidate(Transaction& transaction, v1::InvalidateRequest* request,
                        v1::InvalidateResponse* response) {
  auto affected = FindAffected(transaction, *request);
  if (!affected.ok()) return affected.status();
  std::vector<int64_t>& executions = affected->executions;
  std::sort(executions.begin(), executions.end());
  if (affected->has_more) response->set_more_after_execution_id(executions.back());
  for (int64_t execution : executions) {
    auto entry = transaction.FindCacheEntry(execution);
    if (!entry.ok()) return entry.status();
    if (!entry->has_value() || (*entry)->cache_class == CacheClass::kInvalidated) continue;
    if (!request->dry_run()) {
      auto invalidated = transaction.InvalidateCacheEntry(execution);
      if (!invalidated.ok()) return invalidated.status();
    }
    response->set_count(response->count() + 1);
    if (static_cast<size_t>(response->execution_ids_size()) < kMostNamed) {
      response->add_execution_ids(execution);
    }
  }
  return absl::OkStatus();
}

absl::Status CacheStats(const Reader& reader, const v1::CacheStatsRequest&, Answer* answer) {
  const CacheRuntime& cache = reader.cache();
  v1::CacheStatsResponse response;
  response.set_hits(cache.counters.hits);
  for (size_t reason = 0; reason < cache.counters.misses.size(); ++reason) {
    if (cache.counters.misses[reason] == 0) continue;
    auto* miss = response.add_misses();
    miss->set_reason(static_cast<v1::MissReason>(reason));
    miss->set_count(cache.counters.misses[reason]);
  }
  response.set_saved_ms(cache.counters.saved_ms);
  response.set_since_ms(cache.opened_ms);
  response.set_leases_granted(cache.counters.leases_granted);
  response.set_leases_taken_over(cache.counters.leases_taken_over);
  response.set_stale_publishes_refused(cache.counters.stale_publishes_refused);
  answer->AddFields(response);
  return absl::OkStatus();
}

}  // namespace pedigree
