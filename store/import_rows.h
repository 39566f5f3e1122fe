// Puts the rows of one request of an import (pedigree.v1.ImportService) into a store that is being
// imported, each checked against what the store holds by then.
//
// Rows that are there already change nothing. Threads: as the Transaction.
//
//   store->Write([&](Transaction& transaction) {
//     return ImportRows(transaction, &request, &response);
//   });
#pragma once

#include "absl/status/status.h"
#include "pedigree/v1/import.pb.h"
#include "store/transaction.h"

namespace pedigree {

// Ids stay below 2^53 everywhere in the store.
inline constexpr int64_t kLastStoredId = (int64_t{1} << 53) - 1;

// Takes `request` apart. REQUIRES: its texts are valid, and the enums of it known.
// Errors: InvalidArgument if a row is not whole, or is of a type or node that there is not;
// FailedPrecondition if a row has the id of something else, or a type the name or external id of
// another; as Transaction::AddEvents().
absl::Status ImportRows(Transaction& transaction, v1::PutImportRequest* request,
                        v1::PutImportResponse* response);

}  // namespace pedigree
