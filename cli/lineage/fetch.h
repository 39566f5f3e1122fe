// Asks a connection for lineage. Threads: as the connection.
//
//   auto graph = FetchLineage(connection, {start}, LineageWay::kUp, scope);
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "cli/connection.h"
#include "cli/lineage/graph.h"
#include "cli/reference.h"

namespace pedigree::cli {

// The same node as the contracts name it.
v1::NodeRef ToProto(const NodeRef& ref);

// Whole nodes and events. For both ways there are two calls, which may see different versions of
// the store. Errors: those of LineageService.
absl::StatusOr<LineageGraph> FetchLineage(Connection* connection,
                                          const std::vector<v1::NodeRef>& starts, LineageWay way,
                                          const v1::LineageScope& scope);

}  // namespace pedigree::cli
