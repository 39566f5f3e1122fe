// How people name a node on the command line.
//
//   artifact:42         by id; execution:7, context:3 likewise
//   artifact:model-v2   by name, among artifacts only
//   model-v2            by name, whatever its kind
//   s3://models/v2      by uri
//   7                   by id, where only one kind is asked for
//
// Threads: as the connection.
//
//   absl::StatusOr<NodeRef> node = Resolve(connection, "artifact:42");
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "cli/connection.h"
#include "store/traits.h"

namespace pedigree::cli {

struct NodeRef {
  NodeKind kind = NodeKind::kArtifact;
  int64_t id = 0;

  friend bool operator==(const NodeRef&, const NodeRef&) = default;
};

// "artifact:42"
std::string ToString(const NodeRef& ref);

// What Resolve() takes, for the help of options.
inline constexpr char kReferenceHelp[] = "artifact:42, execution:7, context:3, a name or a uri";

// The one node that is meant, of one of these kinds. A name of several nodes is that of none: the
// error, which has a line for each, lists them. An id is taken as it is, whether or not there is
// such a node. NotFound: there is none, or more than one.
// InvalidArgument: another kind is named, or nothing.
absl::StatusOr<NodeRef> Resolve(Connection* connection, absl::string_view text,
                                absl::Span<const NodeKind> kinds = kNodeKinds);

}  // namespace pedigree::cli
