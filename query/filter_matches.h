// All nodes that match a filter, for jobs: in id order, without limits and pages.
//
// Memory is bounded, whatever matches. Pure functions over a Reader; threads as the Reader.
//
//   VisitMatches(reader, *ParseFilter(NodeKind::kExecution, text), visit);
#pragma once

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "query/filter_ast.h"
#include "store/reader.h"

namespace pedigree {

// Errors: as Reader.
absl::Status VisitMatches(const Reader& reader, NodeKind kind, const Filter& filter,
                          absl::FunctionRef<void(int64_t id, const RecordView& record)> visit);

}  // namespace pedigree
