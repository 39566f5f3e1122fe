// What a request of HTTP asks for, from its head alone: a page, a call of grpc-web, or nothing that
// there is. Pure functions; any thread.
//
//   HttpRoute route = RouteOf(head, origins);
//   if (route.work == HttpWork::kAnswer) Send(route.answer);
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "server/http/answer.h"
#include "server/http/grpc_web.h"
#include "server/http/origins.h"
#include "server/methods.h"

namespace pedigree {

// The parts of a request's head that matter, empty where they are missing.
struct HttpRequestHead {
  absl::string_view method;
  absl::string_view target;
  absl::string_view host;
  absl::string_view origin;
  absl::string_view content_type;
  absl::string_view accept;
  absl::string_view grpc_timeout;
  absl::string_view access_control_request_method;
};

enum class HttpWork : uint8_t {
  kAnswer,  // The answer is in `answer`; nothing else is to be done.
  kHealth,
  kReadiness,
  kMetrics,
  kCall,    // Of `method`.
  kStream,  // Of `stream`.
};

struct HttpRoute {
  HttpWork work = HttpWork::kAnswer;
  HttpAnswer answer;
  // Of a call.
  const Method* method = nullptr;
  const StreamMethod* stream = nullptr;
  GrpcWebKind request_kind = GrpcWebKind::kBinary;
  GrpcWebKind answer_kind = GrpcWebKind::kBinary;
  std::optional<std::chrono::nanoseconds> timeout;
  std::string headers;  // To be added to the answer: those of CORS.
};

HttpRoute RouteOf(const HttpRequestHead& head, const Origins& origins);

}  // namespace pedigree
