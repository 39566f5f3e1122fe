// How data got from one node to another: the shortest ways downstream that visit no node twice.
//
// Yen's algorithm over the nodes that are downstream of the one and upstream of the other, with
// Lawler's saving: a path's followers leave it only behind the place where it left its parent.
// Several events between the same two nodes make one path; it has the first of them.
// Threads: as the Reader.
//
//   auto found = FindLineagePaths(reader, view, from, to, scope, 3);
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "query/lineage_scope.h"
#include "query/lineage_trace.h"
#include "query/lineage_view.h"
#include "store/reader.h"

namespace pedigree {

struct LineagePath {
  // Hops are from the path's first node by the shortest way, which need not be this one.
  std::vector<LineageTraceNode> nodes;
  std::vector<uint32_t> events;  // events[i] leads from nodes[i] to nodes[i + 1].
};

struct LineagePaths {
  // The shortest first; of the same length by the ids along them.
  std::vector<LineagePath> paths;
  // Why these are not all paths of at most max_hops events; "" if they are.
  std::string why_incomplete;
  bool has_cycle = false;  // Among the nodes that are on some way from the one to the other.
};

// The `max_paths` shortest paths, of at most scope.max_hops events. Of the scope's filters and
// stops `from` is a start: no filter leaves it out. If `from` is `to`, the one path is that node.
// Errors: NotFound if the view has not both nodes; InvalidArgument if a filter is wrong;
// ResourceExhausted if not even one path could be found within the limits of a query; as Reader.
absl::StatusOr<LineagePaths> FindLineagePaths(const Reader& reader, const LineageView& view,
                                              LineageNode from, LineageNode to,
                                              const LineageScope& scope, size_t max_paths);

}  // namespace pedigree
