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
#include <string>

#include "absl/status/statusor.h"

namespace pedigree {

// ssl_config of ml_metadata.MetadataStoreServerConfig: PEM text, not file names.
struct SslOptions {
  // The server's private key, without a passphrase. Required.
  std::string server_key;

  // The server's certificate, followed by any intermediate ones that lead to its authority.
  // Required.
  std::string server_cert;

  // The authorities that client certificates are checked against. Required with client_verify.
  std::string custom_ca;

  // Whether a client must present a certificate signed by custom_ca. Without it none is asked for.
  bool client_verify = false;
};

// Returns TLS credentials for `ssl`, or plain-text ones when it is empty. InvalidArgument names the
// field that is missing, is no PEM, does not match its counterpart, or is refused as too weak.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const std::optional<SslOptions>& ssl);

}  // namespace pedigree
