// The credentials of the gRPC listener: plain text, or TLS from PEM text in memory.
//
// All PEM is checked with OpenSSL here, before anything listens: gRPC itself reports a bad key only
// as a port that could not be bound. No message carries any part of a key or certificate.
//
// Threading: stateless; callable from any thread.
//
//   auto credentials = MakeServerCredentials(options.ssl);
//   if (!credentials.ok()) return credentials.status();
//   builder.AddListeningPort(options.listen_address, *credentials);
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "server/ssl_options.h"

namespace pedigree {

// Returns TLS credentials for `ssl`, or plain-text ones when it is empty. InvalidArgument names the
// field that is missing, is no PEM, does not match its counterpart, or is refused as too weak.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const std::optional<SslOptions>& ssl);

}  // namespace pedigree
