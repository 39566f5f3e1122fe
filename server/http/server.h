// The second listener: HTTP/1.1 with calls of grpc-web, /metrics, /healthz and /readyz.
//
// A connection is served by one of two threads, and calls go to the dispatcher, so that no thread
// here ever waits for the store. It knows nothing of gRPC. Threads: any.
//
//   auto server = HttpServer::Start(options, &dispatcher, pages);
//   (*server)->Drain(std::chrono::seconds(20));
#pragma once

#include <chrono>
#include <memory>

#include "absl/status/statusor.h"
#include "server/dispatcher.h"
#include "server/http/options.h"

namespace pedigree {

class HttpServer {
 public:
  // Listens on all addresses of the host. `dispatcher` is not owned and outlives this.
  // Unavailable if the address cannot be bound; InvalidArgument if TLS cannot work.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const HttpOptions& options,
                                                           Dispatcher* dispatcher, HttpPages pages);
  // Cancels the calls under way, waits for their ends, and closes all connections.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // The port that was bound.
  int port() const;

  // Stops accepting, closes idle connections, and waits for the calls under way and their answers,
  // at most this long. Calls that come on open connections are answered with Unavailable.
  void Drain(std::chrono::milliseconds at_most);

 private:
  class Impl;

  explicit HttpServer(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace pedigree
