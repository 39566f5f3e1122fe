// Where a question about lineage begins: nodes that are named, and all that satisfy a filter.
//
// Pure functions over a Reader; threads as the Reader.
//
//   auto starts = ResolveStart(reader, view, {.artifact_filter = "name = 'model'"});
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "query/lineage_view.h"
#include "store/reader.h"

namespace pedigree {

struct LineageStart {
  std::vector<LineageNode> nodes;
  // filter_query; "" names no node.
  std::string artifact_filter;
  std::string execution_filter;
};

// The nodes of a start that the view has, ascending, each once; at least one. Filters see nodes as
// they are now, and what they find beyond the view is passed over.
// Errors: NotFound if a node of `nodes` does not exist in the view, or if there is none at all;
// InvalidArgument if a filter is wrong; ResourceExhausted if one needs too much work, which is
// limited for each filter on its own (Reader::LimitQuery); as Reader.
absl::StatusOr<std::vector<LineageNode>> ResolveStart(const Reader& reader, const LineageView& view,
                                                      const LineageStart& start);

}  // namespace pedigree
