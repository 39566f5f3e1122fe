// What the HTTP listener is told, and what it tells. Plain values.
//
//   HttpOptions options;
//   options.host = "127.0.0.1";
//   auto server = HttpServer::Start(options, &dispatcher, pages);
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "server/ssl_options.h"

namespace pedigree {

// What a client may cost. Times are looked at some times within the shortest of them.
struct HttpLimits {
  // Connections at once; those beyond are closed at once. 0: as many as files can be open, less
  // what the store needs, up to 16,384 (with TLS, where each takes 70 KB, 4,096).
  size_t connections = 0;
  // Of a request's head.
  size_t head_bytes = 16 * 1024;
  // Of all bodies that are being received.
  size_t receiving_bytes = size_t{512} << 20;
  // Between two requests.
  std::chrono::milliseconds idle{300'000};
  // For a request's head, from its first byte, and for the handshake of TLS.
  std::chrono::milliseconds head{10'000};
  // For a body, or an answer; and a second more for each `slowest_bytes_per_second` of it.
  std::chrono::milliseconds transfer{30'000};
  int64_t slowest_bytes_per_second = 64 * 1024;
  // For the client to take the last answer, when it is still sending what nobody reads.
  std::chrono::milliseconds linger{5'000};
};

struct HttpOptions {
  std::string host;  // An address or a host name.
  int port = 0;      // 0: any free one.
  std::optional<SslOptions> ssl;
  std::vector<std::string> allowed_origins;  // As Origins has them.
  size_t max_message_bytes = 100 << 20;
  HttpLimits limits;
};

struct HttpStatistics {
  size_t connections = 0;
  uint64_t accepted_connections = 0;
  size_t receiving_bytes = 0;                     // Of bodies that are not whole.
  uint64_t refused_connections = 0;               // There were too many.
  std::vector<std::pair<int, uint64_t>> answers;  // By status; those that there were.
};

// The pages beside the calls. Both functions may be called from any thread.
struct HttpPages {
  std::function<absl::Status()> readiness;                    // Must not wait.
  std::function<std::string(const HttpStatistics&)> metrics;  // By one thread that may wait.
};

}  // namespace pedigree
