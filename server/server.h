// The running server: a store, its dispatcher, the gRPC listener and, if asked for, that of HTTP.
//
//   auto server = Server::Start(options);
//   (*server)->port();
//   (*server)->Stop();   // finishes what was accepted
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/dispatcher.h"
#include "server/flags.h"
#include "server/http/server.h"
#include "server/service.h"
#include "store/store.h"

namespace pedigree {

// How the store is to be opened for these options.
StoreOptions StoreOptionsOf(const ServerOptions& options);

class Server {
 public:
  // Opens the store and listens. Errors as Store::Open and MakeServerCredentials; Unavailable if
  // the address cannot be bound.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const ServerOptions& options);

  // Stops accepting calls, waits at most kGraceSeconds for those under way, finishes every accepted
  // write and closes the store.
  ~Server();

  // The port that was bound; 0 for a unix socket.
  int port() const { return port_; }
  // The second port; 0 if there is none.
  int task_port() const { return task_port_; }
  // That of HTTP; 0 if it is off.
  int http_port() const { return http_ == nullptr ? 0 : http_->port(); }

  static constexpr int kGraceSeconds = 20;

 private:
  Server() = default;

  absl::Status ListenForGrpc(const ServerOptions& options,
                             std::shared_ptr<grpc::ServerCredentials> credentials);
  absl::Status ListenForHttp(const ServerOptions& options);
  std::string Metrics(const std::string& version, const HttpStatistics& http);
  // Lets no call begin any more and waits for those under way, at most this long.
  void Drain(std::chrono::milliseconds at_most);

  std::unique_ptr<Store> store_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::vector<std::unique_ptr<TableService>> services_;
  std::unique_ptr<grpc::Server> grpc_;
  std::unique_ptr<HttpServer> http_;
  int port_ = 0;
  int task_port_ = 0;
};

}  // namespace pedigree
