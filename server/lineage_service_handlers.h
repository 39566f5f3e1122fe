// The calls of pedigree.v1.LineageService, one function each; as handlers.h. Trace is a stream:
// trace_answer.h.
//
//   absl::Status status = FindPaths(reader, request, &answer);
#pragma once

#include "absl/status/status.h"
#include "pedigree/v1/lineage.pb.h"
#include "server/answer.h"
#include "store/reader.h"

namespace pedigree {

// Errors of all: as lineage.proto says.
absl::Status Impact(const Reader& reader, const v1::ImpactRequest& request, Answer* answer);
absl::Status Origins(const Reader& reader, const v1::OriginsRequest& request, Answer* answer);
absl::Status Compare(const Reader& reader, const v1::CompareRequest& request, Answer* answer);

// lineage_service_handlers_paths.cc
absl::Status FindPaths(const Reader& reader, const v1::FindPathsRequest& request, Answer* answer);

}  // namespace pedigree
