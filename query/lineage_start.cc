#include "query/lineage_start.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "query/filtered_list.h"
#include "query/list.h"
#include "query/list_page.h"

namespace pedigree {
namespace {

absl::Status NotThere(LineageNode node) {
  return absl::NotFoundError(absl::StrCat("start: there is no ", NameOf(node.kind()), " with id ",
                                          node.id(), " in what is looked at"));
}

// `field` is for error texts.
absl::Status AddMatches(const Reader& reader, const LineageView& view, NodeKind kind,
                        absl::string_view field, const std::string& filter,
                        std::vector<LineageNode>* nodes) {
  if (filter.empty()) return absl::OkStatus();
  ml_metadata::ListOperationOptions options;
  options.set_filter_query(filter);
  const ListQuery query = {"LineageStart", kind, ListScope::All(), &options};
  const auto add = [&](int64_t id, const RecordView&) {
    if (id > kLastGraphId) return;
    const LineageNode node = LineageNode::Of(kind, static_cast<uint32_t>(id));
    if (view.Has(node)) nodes->push_back(node);
  };
  // A page of the default size is everything, in id order.
  absl::Status status = ListFiltered(reader, query, ListPage(), add, nullptr).status();
  if (!absl::IsInvalidArgument(status)) return status;
  return absl::InvalidArgumentError(absl::StrCat("start.", field, ": ", status.message()));
}

}  // namespace

absl::StatusOr<std::vector<LineageNode>> ResolveStart(const Reader& reader, const LineageView& view,
                                                      const LineageStart& start) {
  std::vector<LineageNode> nodes = start.nodes;
  for (LineageNode node : nodes) {
    auto exists = view.Exists(reader, node);
    if (!exists.ok()) return exists.status();
    if (!*exists) return NotThere(node);
  }
  absl::Status status = AddMatches(reader, view, NodeKind::kArtifact, "artifact_filter",
                                   start.artifact_filter, &nodes);
  if (!status.ok()) return status;
  status = AddMatches(reader, view, NodeKind::kExecution, "execution_filter",
                      start.execution_filter, &nodes);
  if (!status.ok()) return status;
  if (nodes.empty()) return absl::NotFoundError("start: there is no node to begin with");
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  return nodes;
}

}  // namespace pedigree
