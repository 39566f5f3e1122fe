#include "server/import_handlers.h"

#include "absl/strings/str_cat.h"
#include "store/import_rows.h"
#include "store/text.h"

namespace pedigree {
namespace {

absl::Status CheckAllowed(const Admin& admin) {
  if (admin.options().allow_import) return absl::OkStatus();
  return absl::PermissionDeniedError(
      "this server takes no imports: start pedigreed with --allow_import");
}

absl::Status CheckGoingOn(const Admin& admin, const Transaction& transaction) {
  if (absl::Status status = CheckAllowed(admin); !status.ok()) return status;
  if (transaction.catalog().IsBeingImported()) return absl::OkStatus();
  return absl::FailedPreconditionError("no import is going on: Begin() comes first");
}

}  // namespace

absl::Status Prepare(v1::BeginImportRequest* request) {
  const size_t size = request->source().size();
  if (size > 0 && size <= kMaxImportSourceBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("source has ", size, " bytes; 1 to ", kMaxImportSourceBytes));
}

absl::Status Prepare(v1::EndImportRequest* request) {
  for (int64_t id : {request->last_artifact_id(), request->last_execution_id(),
                     request->last_context_id(), request->last_type_id()}) {
    if (id >= 0 && id <= kLastStoredId) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("the last id is ", id, "; 0 to ", kLastStoredId));
  }
  return absl::OkStatus();
}

absl::Status BeginImport(const Admin& admin, Transaction& transaction,
                         v1::BeginImportRequest* request, v1::BeginImportResponse* response) {
  if (absl::Status status = CheckAllowed(admin); !status.ok()) return status;
  if (transaction.catalog().import_source() == request->source()) {
    response->set_goes_on(true);
    return absl::OkStatus();
  }
  return request->only_ask() ? transaction.CheckImportable()
                             : transaction.BeginImport(request->source());
}

absl::Status PutImport(const Admin& admin, Transaction& transaction, v1::PutImportRequest* request,
                       v1::PutImportResponse* response) {
  if (absl::Status status = CheckGoingOn(admin, transaction); !status.ok()) return status;
  return ImportRows(transaction, request, response);
}

absl::Status EndImport(const Admin& admin, Transaction& transaction, v1::EndImportRequest* request,
                       v1::EndImportResponse*) {
  if (absl::Status status = CheckGoingOn(admin, transaction); !status.ok()) return status;
  return transaction.EndImport(
      {request->last_artifact_id(), request->last_execution_id(), request->last_context_id()},
      request->last_type_id());
}

}  // namespace pedigree
