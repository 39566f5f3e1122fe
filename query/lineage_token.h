// Resume tokens: where a trace goes on, bound to the request and to what the graph was then.
//
// token := base64url(version:u8{1} request:be64 event:be32 artifact:be32 execution:be32 place:be64
//                    nodes:be64)
//   request                    digest of everything in the request but token and max_nodes
//   event, artifact, execution the bounds of the view: the trace goes on in the graph as it was
//   place                      nodes that have been answered
//   nodes                      LineageTrace::DigestOfFirst(place): what filters match may change
// Pure functions; any thread. As page_token.h: no secret, good across restarts.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "query/lineage_view.h"

namespace pedigree {

struct LineageResume {
  LineageBounds bounds;
  uint64_t place = 0;
  uint64_t nodes_digest = 0;
};

// `request` is any text that says which request it is.
std::string EncodeResumeToken(absl::string_view request, const LineageResume& resume);

// InvalidArgument if it is no token, or another request's.
absl::StatusOr<LineageResume> DecodeResumeToken(absl::string_view request, absl::string_view token);

}  // namespace pedigree
