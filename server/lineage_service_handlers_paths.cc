// FindPaths of pedigree.v1.LineageService.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "query/lineage_paths.h"
#include "server/lineage_messages.h"
#include "server/lineage_parts.h"
#include "server/lineage_service_handlers.h"

namespace pedigree {
namespace {

using Path = v1::FindPathsResponse::Path;

constexpr int32_t kMostPaths = 100;

absl::StatusOr<size_t> MaxPathsOf(const v1::FindPathsRequest& request) {
  if (request.max_paths() == 0) return 1;
  if (request.max_paths() < 0 || request.max_paths() > kMostPaths) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_paths is ", request.max_paths(), "; it must be from 1 to ", kMostPaths));
  }
  return static_cast<size_t>(request.max_paths());
}

absl::Status AddPath(const Reader& reader, const LineagePath& path,
                     v1::TraceRequest::Content content, Answer* answer) {
  auto nodes = NodeParts(reader, path.nodes, content);
  if (!nodes.ok()) return nodes.status();
  auto events = EventParts(reader, path.events, content);
  if (!events.ok()) return events.status();
  Answer bytes(reader.catalog());
  for (const std::string& node : *nodes) bytes.AddBytes(Path::kNodesFieldNumber, node);
  for (const std::string& event : *events) bytes.AddBytes(Path::kEventsFieldNumber, event);
  if (absl::Status status = bytes.status(); !status.ok()) return status;
  answer->AddBytes(v1::FindPathsResponse::kPathsFieldNumber, bytes.Release());
  return absl::OkStatus();
}

}  // namespace

absl::Status FindPaths(const Reader& reader, const v1::FindPathsRequest& request, Answer* answer) {
  auto max_paths = MaxPathsOf(request);
  if (!max_paths.ok()) return max_paths.status();
  if (absl::Status status = CheckContent(request.content()); !status.ok()) return status;
  auto scope = ScopeOf(request.scope());
  if (!scope.ok()) return scope.status();
  auto from = NodeOf("from", request.from());
  if (!from.ok()) return from.status();
  auto to = NodeOf("to", request.to());
  if (!to.ok()) return to.status();
  auto view = LineageView::AsOf(reader, scope->as_of_ms);
  if (!view.ok()) return view.status();
  auto found = FindLineagePaths(reader, *view, *from, *to, *scope, *max_paths);
  if (!found.ok()) return found.status();
  for (const LineagePath& path : found->paths) {
    absl::Status status = AddPath(reader, path, request.content(), answer);
    if (!status.ok()) return status;
  }
  v1::Completeness completeness = CompletenessOf(found->why_incomplete, *scope);
  completeness.set_has_cycle(found->has_cycle);
  answer->AddMessage(v1::FindPathsResponse::kCompletenessFieldNumber, completeness);
  return absl::OkStatus();
}

}  // namespace pedigree
