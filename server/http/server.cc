#include "server/http/server.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/http/connection.h"
#include "server/http/shared.h"
#include "server/http/tls.h"
#include "server/http/transport.h"

namespace pedigree {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Error = boost::system::error_code;

constexpr int kThreads = 2;
constexpr size_t kMostConnections = 16'384;
constexpr size_t kMostTlsConnections = 4'096;
// Looks at the limits on time within the shortest of them, but not more often or seldom than this.
constexpr int kLooksPerLimit = 4;
constexpr std::chrono::milliseconds kShortestLook{10};
constexpr std::chrono::milliseconds kLongestLook{1'000};
// After an accept that failed: mostly, all files that may be open are.
constexpr std::chrono::milliseconds kAcceptAgainAfter{100};

absl::Status CannotListen(const HttpOptions& options, const Error& error) {
  return absl::UnavailableError(absl::StrCat("cannot listen for HTTP on ", options.host, " port ",
                                             options.port, ": ", error.message()));
}

// A quarter of the files that may be open is left to the store and to gRPC.
size_t ConnectionsFor(const HttpOptions& options) {
  if (options.limits.connections != 0) return options.limits.connections;
  rlimit files = {};
  getrlimit(RLIMIT_NOFILE, &files);
  const size_t most = options.ssl.has_value() ? kMostTlsConnections : kMostConnections;
  return std::min<size_t>(most, files.rlim_cur / 4 * 3);
}

std::chrono::milliseconds LookEvery(const HttpLimits& limits) {
  const auto shortest = std::min({limits.idle, limits.head, limits.transfer, limits.linger});
  return std::clamp(shortest / kLooksPerLimit, kShortestLook, kLongestLook);
}

}  // namespace

void HttpConnections::Add(HttpConnection* connection) {
  std::lock_guard<std::mutex> lock(mutex_);
  connections_.insert(connection);
}

void HttpConnections::Remove(HttpConnection* connection) {
  std::lock_guard<std::mutex> lock(mutex_);
  connections_.erase(connection);
}

size_t HttpConnections::count() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return connections_.size();
}

std::vector<std::shared_ptr<HttpConnection>> HttpConnections::All() const {
  std::vector<std::shared_ptr<HttpConnection>> all;
  std::lock_guard<std::mutex> lock(mutex_);
  all.reserve(connections_.size());
  for (HttpConnection* connection : connections_) {
    // Null for one whose destructor waits for the lock.
    if (auto alive = connection->weak_from_this().lock()) all.push_back(std::move(alive));
  }
  return all;
}

HttpStatistics HttpShared::Statistics() const {
  HttpStatistics statistics;
  statistics.connections = connections.count();
  statistics.receiving_bytes = receiving_bytes;
  statistics.accepted_connections = accepted_connections;
  statistics.refused_connections = refused_connections;
  for (size_t status = 0; status < answers.size(); ++status) {
    const uint64_t count = answers[status];
    if (count > 0) statistics.answers.emplace_back(static_cast<int>(status), count);
  }
  return statistics;
}

class HttpServer::Impl {
 public:
  Impl(const HttpOptions& options, Dispatcher* dispatcher, HttpPages pages)
      : shared_(options, dispatcher, std::move(pages)),
        most_connections_(ConnectionsFor(options)),
        look_every_(LookEvery(options.limits)) {}

  ~Impl() {
    StopAccepting();
    shared_.is_draining = true;
    for (const auto& connection : shared_.connections.All()) connection->CloseSoon();
    // Their calls see that they are cancelled. A thread of the dispatcher that answers one needs
    // what goes below.
    shared_.calls.DrainAll();
    shared_.page_thread.join();
    work_.reset();
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
  }

  absl::Status Listen() {
    if (shared_.options.ssl.has_value()) {
      auto tls = MakeTlsContext(*shared_.options.ssl);
      if (!tls.ok()) return tls.status();
      tls_ = *std::move(tls);
    }
    Error error;
    tcp::resolver resolver(io_);
    const auto found = resolver.resolve(shared_.options.host, std::to_string(shared_.options.port),
                                        tcp::resolver::passive, error);
    if (error) return CannotListen(shared_.options, error);
    // One of a name's addresses may be of a family that this machine does not have.
    for (const auto& entry : found) {
      Error failed = Bind(entry.endpoint());
      if (failed) error = failed;
    }
    if (acceptors_.empty()) return CannotListen(shared_.options, error);
    return absl::OkStatus();
  }

  void Run() {
    for (const auto& acceptor : acceptors_) {
      asio::post(acceptor->get_executor(), [this, at = acceptor.get()] { Accept(at); });
    }
    Look();
    for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this] { Serve(); });
  }

  int port() const { return port_; }

  void Drain(std::chrono::milliseconds at_most) {
    StopAccepting();
    shared_.is_draining = true;
    for (const auto& connection : shared_.connections.All()) connection->BeginDrain();
    shared_.calls.Drain(at_most);
  }

 private:
  Error Bind(tcp::endpoint endpoint) {
    if (port_ != 0) endpoint.port(static_cast<uint16_t>(port_));
    auto acceptor = std::make_unique<tcp::acceptor>(asio::make_strand(io_));
    Error error;
    acceptor->open(endpoint.protocol(), error);
    if (!error) acceptor->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && endpoint.address().is_v6()) {
      // As gRPC has it for the address of all addresses.
      const bool only_v6 = !endpoint.address().is_unspecified();
      acceptor->set_option(asio::ip::v6_only(only_v6), error);
    }
    if (!error) acceptor->bind(endpoint, error);
    if (!error) acceptor->listen(tcp::acceptor::max_listen_connections, error);
    if (error) return error;
    port_ = acceptor->local_endpoint(error).port();
    acceptors_.push_back(std::move(acceptor));
    return error;
  }

  void Accept(tcp::acceptor* acceptor) {
    acceptor->async_accept(asio::make_strand(io_),
                           [this, acceptor](const Error& error, tcp::socket socket) {
                             if (!acceptor->is_open()) return;
                             if (error) {
                               AcceptLater(acceptor);
                               return;
                             }
                             Begin(std::move(socket));
                             Accept(acceptor);
                           });
  }

  void AcceptLater(tcp::acceptor* acceptor) {
    auto timer = std::make_shared<asio::steady_timer>(acceptor->get_executor(), kAcceptAgainAfter);
    timer->async_wait([this, acceptor, timer](const Error&) {
      if (acceptor->is_open()) Accept(acceptor);
    });
  }

  void Begin(tcp::socket socket) {
    if (shared_.connections.count() >= most_connections_) {
      ++shared_.refused_connections;
      return;  // Closes it.
    }
    ++shared_.accepted_connections;
    Error ignored;  // The client may be gone already.
    socket.set_option(tcp::no_delay(true), ignored);
    HttpConnection::Start(&shared_, NewTransport(std::move(socket), tls_.get()));
  }

  void StopAccepting() {
    for (const auto& acceptor : acceptors_) {
      asio::post(acceptor->get_executor(), [at = acceptor.get()] {
        Error ignored;
        at->close(ignored);
      });
    }
  }

  void Look() {
    look_.expires_after(look_every_);
    look_.async_wait([this](const Error& error) {
      if (error) return;
      const auto now = HttpConnection::Clock::now();
      for (const auto& connection : shared_.connections.All()) connection->CloseIfExpired(now);
      Look();
    });
  }

  void Serve() {
    while (!io_.stopped()) {
      try {
        io_.run();
      } catch (const std::exception& error) {
        // Memory for one request was not to be had. Its connection is gone with the handler.
        std::fprintf(stderr, "pedigreed: HTTP: %s\n", error.what());
      }
    }
  }

  HttpShared shared_;
  const size_t most_connections_;
  const std::chrono::milliseconds look_every_;
  std::unique_ptr<asio::ssl::context> tls_;
  int port_ = 0;

  asio::io_context io_{kThreads};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  asio::steady_timer look_{io_};
  std::vector<std::unique_ptr<tcp::acceptor>> acceptors_;
  std::vector<std::thread> threads_;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() = default;

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpOptions& options,
                                                              Dispatcher* dispatcher,
                                                              HttpPages pages) {
  auto impl = std::make_unique<Impl>(options, dispatcher, std::move(pages));
  if (absl::Status status = impl->Listen(); !status.ok()) return status;
  impl->Run();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

int HttpServer::port() const { return impl_->port(); }

void HttpServer::Drain(std::chrono::milliseconds at_most) { impl_->Drain(at_most); }

}  // namespace pedigree
