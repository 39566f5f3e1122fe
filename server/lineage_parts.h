// Nodes and events as they stand in the answers of lineage calls, as wire bytes.
//
// Without bodies nothing is read from the store. With bodies, whole nodes and events are spliced
// from stored bytes, and read in batches. Threads: as the Reader.
//
//   auto nodes = NodeParts(reader, trace.nodes(), request.content());
//   for (const std::string& node : *nodes) answer->AddBytes(kNodesField, node);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "pedigree/v1/lineage.pb.h"
#include "query/lineage_trace.h"
#include "store/reader.h"

namespace pedigree {

// A TraceResponse.Node for each of `nodes`. Errors: as Reader.
absl::StatusOr<std::vector<std::string>> NodeParts(const Reader& reader,
                                                   absl::Span<const LineageTraceNode> nodes,
                                                   v1::TraceRequest::Content content);

// An ml_metadata.Event for each of `events`, which are numbers. Without bodies they have no path.
// Errors: as Reader; DataLoss if the store has no such event.
absl::StatusOr<std::vector<std::string>> EventParts(const Reader& reader,
                                                    absl::Span<const uint32_t> events,
                                                    v1::TraceRequest::Content content);

}  // namespace pedigree
