// The calls of pedigree.v1.QueryService, one function each; as handlers.h.
//
//   absl::Status status = Explain(reader, request, &answer);
#pragma once

#include "absl/status/status.h"
#include "pedigree/v1/query.pb.h"
#include "server/answer.h"
#include "store/reader.h"
#include "store/transaction.h"

namespace pedigree {

absl::Status Explain(const Reader& reader, const v1::ExplainRequest& request, Answer* answer);
absl::Status AddPropertyIndex(Transaction& transaction, v1::AddPropertyIndexRequest* request,
                              v1::AddPropertyIndexResponse* response);
absl::Status DropPropertyIndex(Transaction& transaction, v1::DropPropertyIndexRequest* request,
                               v1::DropPropertyIndexResponse* response);
absl::Status ListPropertyIndexes(const Reader& reader,
                                 const v1::ListPropertyIndexesRequest& request, Answer* answer);

}  // namespace pedigree
