// The calls of pedigree.v1.ImportService, by import.proto; otherwise as handlers.h.
//
//   BeginImportResponse response;
//   absl::Status status = BeginImport(admin, transaction, &request, &response);
#pragma once

#include "absl/status/status.h"
#include "pedigree/v1/import.pb.h"
#include "server/admin.h"
#include "store/transaction.h"

namespace pedigree {

// The longest name of a source.
inline constexpr size_t kMaxImportSourceBytes = 4096;

// InvalidArgument if there is no source, or it is too long; if an id is negative or beyond 2^53.
absl::Status Prepare(v1::BeginImportRequest* request);
absl::Status Prepare(v1::EndImportRequest* request);

absl::Status BeginImport(const Admin& admin, Transaction& transaction,
                         v1::BeginImportRequest* request, v1::BeginImportResponse* response);
absl::Status PutImport(const Admin& admin, Transaction& transaction, v1::PutImportRequest* request,
                       v1::PutImportResponse* response);
absl::Status EndImport(const Admin& admin, Transaction& transaction, v1::EndImportRequest* request,
                       v1::EndImportResponse* response);

}  // namespace pedigree
