// One request and its answer, from the end of the request's head on.
//
// A connection has at most one. What answers it holds it too, and may do so for longer: a call
// whose deadline has passed or whose client is gone runs on for a moment, and its reply goes
// nowhere. As long as a call's Exchange lives, the call counts as under way. Threads: the members
// that are atomic are for any; all else is for the connection's strand.
//
//   auto exchange = std::make_shared<HttpExchange>();
//   exchange->is_cancelled = true;
#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "server/calls_under_way.h"
#include "server/http/answer.h"
#include "server/http/route.h"
#include "store/journal.h"

namespace pedigree {

class HttpStream;

struct HttpExchange {
  HttpExchange() = default;
  ~HttpExchange() {
    if (calls != nullptr) calls->End();
  }
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  HttpRoute route;
  CallOrigin origin;  // Of a call that writes, without its method.
  AfterAnswer after = AfterAnswer::kKeepOpen;
  Chunking chunking = Chunking::kChunked;
  bool wants_head_only = false;

  std::optional<std::chrono::steady_clock::time_point> deadline;
  std::optional<boost::asio::steady_timer> timer;
  bool has_expired = false;
  bool is_answered = false;

  std::atomic<bool> is_cancelled = false;
  std::atomic<bool> has_reply = false;
  std::shared_ptr<HttpStream> stream;
  CallsUnderWay* calls = nullptr;  // Set when the call is counted. Not owned; outlives this.
};

}  // namespace pedigree
