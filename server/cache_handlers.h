// The calls of pedigree.v1.CacheService, one function each; as handlers.h. LookupOrReserve may
// wait: cache_reserve.h.
//
//   absl::Status status = LookUp(reader, request, &answer);
#pragma once

#include "absl/status/status.h"
#include "pedigree/v1/cache.pb.h"
#include "server/answer.h"
#include "store/reader.h"
#include "store/transaction.h"

namespace pedigree {

// Errors of all: as cache.proto says.
absl::Status LookUp(const Reader& reader, const v1::LookupRequest& request, Answer* answer);
absl::Status RenewLease(Transaction& transaction, v1::RenewLeaseRequest* request,
                        v1::RenewLeaseResponse* response);
absl::Status ReleaseLease(Transaction& transaction, v1::ReleaseLeaseRequest* request,
                          v1::ReleaseLeaseResponse* response);
absl::Status Publish(Transaction& transaction, v1::PublishRequest* request,
                     v1::PublishResponse* response);
absl::Status Invalidate(Transaction& transaction, v1::InvalidateRequest* request,
                        v1::InvalidateResponse* response);
absl::Status CacheStats(const Reader& reader, const v1::CacheStatsRequest& request, Answer* answer);

}  // namespace pedigree
