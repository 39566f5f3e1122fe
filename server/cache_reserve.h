// LookupOrReserve: a hit, or the right to run the step, or who has it.
//
// It reads first: a hit, and a lease that another holds, need no write. Only where the lease seems
// to be free the call goes to the committer, which decides: of any number of callers one gets it.
// What the committer finds to be a hit is answered from the version with it, as any hit. While
// another has the lease, a call that may wait does so (lease_waits.h), and reads again when
// something has changed. Used by one thread at a time.
//
//   absl::Status status = reserve.Read(reader, request, &answer);
//   if (reserve.needs() == CallNeeds::kWrite) reply = reserve.Write(transaction, request);
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pedigree/v1/cache.pb.h"
#include "query/cache_lookup.h"
#include "server/answer.h"
#include "server/methods.h"
#include "store/reader.h"
#include "store/transaction.h"

namespace pedigree {

class CacheReserve {
 public:
  absl::Status Read(const Reader& reader, const v1::LookupOrReserveRequest& request,
                    Answer* answer);
  absl::StatusOr<std::string> Write(Transaction& transaction,
                                    const v1::LookupOrReserveRequest& request);

  CallNeeds needs() const { return needs_; }
  const CacheWait& wait() const { return wait_; }

 private:
  bool MayWait() const { return std::chrono::steady_clock::now() < wait_.deadline; }

  CallNeeds needs_ = CallNeeds::kNothing;
  bool has_begun_ = false;
  CacheWait wait_;
};

}  // namespace pedigree
