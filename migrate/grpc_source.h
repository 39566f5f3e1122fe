// A running metadata server as a source, for when nobody may touch its database: MLMD's public
// calls only.
//
// What the calls do not tell is not known here:
// - Ids of events. Here an event's is made of its execution and its place among the events of that,
//   so that the order of events is kept within each execution, and is else that of executions.
// - Ids that were handed out and are gone; the last ones that are there count.
// - Parent types and external ids of types, but as far as the server says them.
// - Any two rows of one moment. Nodes that come after the source has been opened are left to a
//   later source; what of the others changes meanwhile may be seen or not, until it is read again.
// - Contexts and events that were added to nodes without an update of these: see VisitNewLinks().
// Memory: the ids of executions and contexts, and the links of one kind. Threads: one.
//
//   auto source = OpenGrpcSource("127.0.0.1:8080");
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "migrate/grpc_client.h"
#include "migrate/source.h"

namespace pedigree::migrate {

// `address`: HOST:PORT. Errors: Unavailable if no server answers there; as its calls.
absl::StatusOr<std::unique_ptr<Source>> OpenGrpcSource(const std::string& address);
// The same by a client that is there. It is not owned and outlives the source.
absl::StatusOr<std::unique_ptr<Source>> OpenGrpcSource(GrpcClient* client);

}  // namespace pedigree::migrate
