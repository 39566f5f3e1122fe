// What is wrong with a request whatever the store holds, checked before it is queued.
//
// Protobuf lets more through than the store may keep: a Value without a kind, text that is not
// UTF-8, enum numbers that the contract does not know (they parse into unknown fields), unknown
// fields. Prepare() refuses the first three with InvalidArgument, naming the place, and drops the
// last, so that stored bytes hold only what the contract says. Requests without an overload need no
// check. Pure functions, any thread.
#pragma once

#include "absl/status/status.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "pedigree/v1/import.pb.h"

namespace pedigree {

// The rows that one request of an import brings, at most.
inline constexpr int kMaxImportRows = 1000;

absl::Status Prepare(ml_metadata::PutArtifactsRequest* request);
absl::Status Prepare(ml_metadata::PutExecutionsRequest* request);
absl::Status Prepare(ml_metadata::PutContextsRequest* request);
absl::Status Prepare(ml_metadata::PutArtifactTypeRequest* request);
absl::Status Prepare(ml_metadata::PutExecutionTypeRequest* request);
absl::Status Prepare(ml_metadata::PutContextTypeRequest* request);
absl::Status Prepare(ml_metadata::PutTypesRequest* request);
absl::Status Prepare(ml_metadata::PutEventsRequest* request);
absl::Status Prepare(ml_metadata::PutExecutionRequest* request);
absl::Status Prepare(ml_metadata::PutLineageSubgraphRequest* request);
// And that there are not too many rows.
absl::Status Prepare(v1::PutImportRequest* request);

inline absl::Status Prepare(google::protobuf::Message*) { return absl::OkStatus(); }

}  // namespace pedigree
