#include "cli/lineage/fetch.h"

#include <utility>

namespace pedigree::cli {

v1::NodeRef ToProto(const NodeRef& ref) {
  v1::NodeRef told;
  told.set_kind(ref.kind == NodeKind::kArtifact    ? v1::ARTIFACT
                : ref.kind == NodeKind::kExecution ? v1::EXECUTION
                                                   : v1::CONTEXT);
  told.set_id(ref.id);
  return told;
}

absl::StatusOr<LineageGraph> FetchLineage(Connection* connection,
                                          const std::vector<v1::NodeRef>& starts, LineageWay way,
                                          const v1::LineageScope& scope) {
  LineageGraph graph(way, starts);
  v1::TraceRequest request;
  for (const v1::NodeRef& start : starts) *request.mutable_start()->add_nodes() = start;
  *request.mutable_scope() = scope;
  request.set_content(v1::TraceRequest::BODIES);
  for (const v1::LineageDirection direction : {v1::UPSTREAM, v1::DOWNSTREAM}) {
    const LineageWay skipped = direction == v1::UPSTREAM ? LineageWay::kDown : LineageWay::kUp;
    if (way == skipped) continue;
    request.set_direction(direction);
    const absl::Status status = connection->Stream<v1::TraceResponse>(
        "/pedigree.v1.LineageService/Trace", request, [&](v1::TraceResponse& part) {
          graph.Add(direction, std::move(part));
          return true;
        });
    if (!status.ok()) return status;
  }
  graph.Finish();
  return graph;
}

}  // namespace pedigree::cli
