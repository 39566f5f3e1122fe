// The two kinds of connections, for Connection::Open(). Threads: as connection.h.
//
//   return OpenRemote(options);
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/connection.h"

namespace pedigree::cli {

absl::StatusOr<std::unique_ptr<Connection>> OpenRemote(const ConnectionOptions& options);
absl::StatusOr<std::unique_ptr<Connection>> OpenLocal(const ConnectionOptions& options);

// The name under which gRPC connects to a server: "localhost" is "localhost:8080", and addresses
// are named as such, so that nobody looks them up. InvalidArgument if it is no HOST[:PORT].
absl::StatusOr<std::string> TargetOf(absl::string_view server);

// Who asks, to be sent in a header: what is given, or the user's name; empty if there is none that
// can be sent. InvalidArgument if the one given cannot be.
absl::StatusOr<std::string> PrincipalOf(absl::string_view given);

}  // namespace pedigree::cli
