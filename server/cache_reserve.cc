#include "server/cache_reserve.h"

#include "server/cache_answer.h"
#include "server/cache_requests.h"

namespace pedigree {
namespace {

bool IsAnothers(const std::optional<CacheLease>& lease, const v1::LookupOrReserveRequest& request,
                const CacheRuntime& runtime) {
  return lease.has_value() && lease->HoldsAt(runtime) && lease->owner != request.owner();
}

v1::LookupOrReserveResponse Busy(const CacheLease& lease, const CacheAnswer& miss,
                                 CacheRuntime* runtime) {
  v1::LookupOrReserveResponse response;
  *response.mutable_busy() = ToBusy(lease, *runtime);
  *response.mutable_miss() = ToMessage(miss);
  CountMiss(miss, runtime);
  return response;
}

}  // namespace

absl::Status CacheReserve::Read(const Reader& reader, const v1::LookupOrReserveRequest& request,
                                Answer* answer) {
  reader.LimitQuery();
  CacheRuntime& runtime = reader.cache();
  const CacheKeyTexts key(request.key());
  if (!has_begun_) {
    has_begun_ = true;
    wait_.fingerprint_text = key.fingerprint_text();
    wait_.lease_key = key.lease().Encode();
    wait_.deadline =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(request.wait_ms());
  }
  auto found = FindInCache(reader, key.Ask(request.condition(), runtime, runtime.clock_ms()));
  if (!found.ok()) return found.status();
  if (found->is_hit) {
    needs_ = CallNeeds::kNothing;
    return AnswerHit(reader, key, *found, answer);
  }
  auto lease = reader.FindCacheLease(key.lease());
  if (!lease.ok()) return lease.status();
  if (!IsAnothers(*lease, request, runtime)) {
    needs_ = CallNeeds::kWrite;
    return absl::OkStatus();
  }
  if (MayWait()) {
    needs_ = CallNeeds::kChange;
    wait_.lease_end_ms = runtime.steady_ms() + (*lease)->LeftMs(runtime);
    return absl::OkStatus();
  }
  needs_ = CallNeeds::kNothing;
  answer->AddFields(Busy(**lease, *found, &runtime));
  return absl::OkStatus();
}

absl::StatusOr<std::string> CacheReserve::Write(Transaction& transaction,
                                                const v1::LookupOrReserveRequest& request) {
  CacheRuntime& runtime = transaction.cache();
  const CacheKeyTexts key(request.key());
  CacheQuestion question = key.Ask(request.condition(), runtime, transaction.now_ms());
  question.most_places = kMostPlacesOfWrites;
  auto found = FindInCache(transaction, question);
  if (!found.ok()) return found.status();
  if (found->is_hit) {
    needs_ = CallNeeds::kRead;
    return std::string();
  }
  auto lease = transaction.FindCacheLease(key.lease());
  if (!lease.ok()) return lease.status();
  if (IsAnothers(*lease, request, runtime)) {
    needs_ = MayWait() ? CallNeeds::kRead : CallNeeds::kNothing;
    if (needs_ == CallNeeds::kRead) return std::string();
    return Busy(**lease, *found, &runtime).SerializeAsString();
  }
  needs_ = CallNeeds::kNothing;
  CacheLease granted;
  if (lease->has_value() && (*lease)->HoldsAt(runtime)) {
    granted = **lease;
    granted.Renew(runtime, request.lease_ms());
    transaction.PutCacheLease(key.lease(), granted);
  } else {
    auto fresh = transaction.GrantCacheLease(key.lease(), request.owner(), request.lease_ms());
    if (!fresh.ok()) return fresh.status();
    granted = *std::move(fresh);
    ++runtime.counters.leases_granted;
    if (lease->has_value()) ++runtime.counters.leases_taken_over;
  }
  v1::LookupOrReserveResponse response;
  *response.mutable_lease() = ToMessage(granted, runtime);
  *response.mutable_miss() = ToMessage(*found);
  CountMiss(*found, &runtime);
  return response.SerializeAsString();
}

}  // namespace pedigree
