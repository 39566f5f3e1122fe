// The TLS context of the HTTP listener.
//
// Threads: a context may be used by any number of connections.
//
//   auto context = MakeTlsContext(ssl);
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "absl/status/statusor.h"
#include "server/ssl_options.h"

namespace pedigree {

// TLS 1.2 and newer, with the same PEM as the gRPC listener, which has checked it
// (credentials.h). InvalidArgument if OpenSSL refuses it all the same.
absl::StatusOr<std::unique_ptr<boost::asio::ssl::context>> MakeTlsContext(const SslOptions& ssl);

}  // namespace pedigree
