// What all connections of an HTTP listener share.
//
// Threads: any; a connection is registered when it starts, and takes itself out when it closes.
//
//   HttpShared shared(options, &dispatcher, pages);
//   for (const auto& connection : shared.connections.All()) connection->BeginDrain();
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "server/calls_under_way.h"
#include "server/dispatcher.h"
#include "server/http/options.h"
#include "server/http/origins.h"

namespace pedigree {

class HttpConnection;

class HttpConnections {
 public:
  void Add(HttpConnection* connection);
  void Remove(HttpConnection* connection);
  size_t count() const;
  // Those that are not just going.
  std::vector<std::shared_ptr<HttpConnection>> All() const;

 private:
  mutable std::mutex mutex_;
  absl::flat_hash_set<HttpConnection*> connections_;  // Guarded by mutex_.
};

struct HttpShared {
  HttpShared(const HttpOptions& http_options, Dispatcher* calls_go_to, HttpPages all_pages)
      : options(http_options),
        origins(http_options.allowed_origins),
        dispatcher(calls_go_to),
        pages(std::move(all_pages)) {}

  static constexpr size_t kStatuses = 600;

  HttpStatistics Statistics() const;

  const HttpOptions options;
  const Origins origins;
  Dispatcher* const dispatcher;  // Not owned; outlives this.
  const HttpPages pages;
  HttpConnections connections;
  CallsUnderWay calls;
  std::atomic<bool> is_draining = false;
  std::atomic<size_t> receiving_bytes = 0;  // Of bodies.
  std::atomic<uint64_t> accepted_connections = 0;
  std::atomic<uint64_t> refused_connections = 0;
  std::array<std::atomic<uint64_t>, kStatuses> answers = {};  // By status.
  // Makes the pages that may wait. The last member: it goes before what they use.
  boost::asio::thread_pool page_thread{1};
};

}  // namespace pedigree
