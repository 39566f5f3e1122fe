#include "server/http/route.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "store/text.h"

namespace pedigree {
namespace {

// Those that clients of grpc-web send; the list that KFP's Envoy has.
constexpr absl::string_view kAllowedHeaders =
    "keep-alive,user-agent,cache-control,content-type,content-transfer-encoding,custom-header-1,"
    "x-accept-content-transfer-encoding,x-accept-response-streaming,x-user-agent,x-grpc-web,"
    "grpc-timeout,pedigree-principal";
// Browsers keep no answer for longer.
constexpr absl::string_view kPreflightSeconds = "7200";

HttpRoute Refused(int status, absl::string_view text) {
  HttpRoute route;
  route.answer = TextAnswer(status, absl::StrCat(text, "\n"));
  return route;
}

HttpRoute NotAllowed(absl::string_view methods) {
  HttpRoute route = Refused(405, absl::StrCat("only ", methods, " is served here"));
  absl::StrAppend(&route.answer.headers, "Allow: ", methods, "\r\n");
  return route;
}

// The path of a target in origin form, or in the absolute form that proxies are sent.
absl::string_view PathOf(absl::string_view target) {
  if (absl::ConsumePrefix(&target, "http://") || absl::ConsumePrefix(&target, "https://")) {
    const size_t slash = target.find('/');
    target = slash == absl::string_view::npos ? "/" : target.substr(slash);
  }
  return target.substr(0, target.find('?'));
}

HttpWork PageOf(absl::string_view path) {
  if (path == "/healthz") return HttpWork::kHealth;
  if (path == "/readyz") return HttpWork::kReadiness;
  if (path == "/metrics") return HttpWork::kMetrics;
  return HttpWork::kAnswer;
}

std::string CorsHeaders(OriginVerdict verdict, absl::string_view origin) {
  if (verdict != OriginVerdict::kAllowed) return "Vary: Origin\r\n";
  return absl::StrCat("Access-Control-Allow-Origin: ", origin,
                      "\r\nAccess-Control-Expose-Headers: grpc-status,grpc-message\r\n"
                      "Vary: Origin\r\n");
}

HttpRoute Preflight(const HttpRequestHead& head, const Origins& origins, OriginVerdict verdict) {
  if (!origins.is_on() || verdict == OriginVerdict::kRefused) {
    return Refused(403, "pages of this origin may not call; --http_allow_origins lists who may");
  }
  HttpRoute route;
  route.answer.status = 204;
  route.answer.headers =
      absl::StrCat(CorsHeaders(verdict, head.origin), "Access-Control-Allow-Methods: POST\r\n",
                   "Access-Control-Allow-Headers: ", kAllowedHeaders,
                   "\r\nAccess-Control-Max-Age: ", kPreflightSeconds, "\r\n");
  return route;
}

// Finds the method, or the error of a call that there is not.
void FindCall(absl::string_view path, HttpRoute* route) {
  absl::ConsumePrefix(&path, "/");
  const size_t slash = path.find('/');
  const absl::string_view service = path.substr(0, slash);
  const absl::string_view name = slash == absl::string_view::npos ? "" : path.substr(slash + 1);
  route->method = FindMethod(service, name);
  route->stream = FindStreamMethod(service, name);
  if (route->method != nullptr) {
    route->work = HttpWork::kCall;
  } else if (route->stream != nullptr) {
    route->work = HttpWork::kStream;
  } else {
    route->answer =
        GrpcWebError(route->answer_kind,
                     absl::UnimplementedError(absl::StrCat("there is no call ", Quoted(path))));
  }
}

void SetTimeout(absl::string_view text, HttpRoute* route) {
  if (text.empty()) return;
  auto timeout = ParseGrpcTimeout(text);
  if (timeout.ok()) {
    route->timeout = *timeout;
  } else {
    route->work = HttpWork::kAnswer;
    route->answer = GrpcWebError(route->answer_kind, timeout.status());
  }
}

HttpRoute CallOf(const HttpRequestHead& head, absl::string_view path) {
  const auto kind = GrpcWebKindOf(head.content_type);
  if (!kind.has_value()) {
    return Refused(415,
                   "POST is for calls with content type application/grpc-web, "
                   "application/grpc-web+proto or application/grpc-web-text");
  }
  HttpRoute route;
  route.request_kind = *kind;
  const bool wants_text = absl::StrContains(head.accept, "application/grpc-web-text");
  route.answer_kind = wants_text ? GrpcWebKind::kText : *kind;
  FindCall(path, &route);
  SetTimeout(head.grpc_timeout, &route);
  return route;
}

HttpRoute Post(const HttpRequestHead& head, absl::string_view path, const Origins& origins,
               OriginVerdict verdict) {
  if (verdict == OriginVerdict::kRefused) {
    return Refused(403, "pages of this origin may not call; --http_allow_origins lists who may");
  }
  HttpRoute route = CallOf(head, path);
  if (origins.is_on()) {
    route.headers = CorsHeaders(verdict, head.origin);
    route.answer.headers += route.headers;
  }
  return route;
}

bool IsCall(absl::string_view path) {
  HttpRoute route;
  FindCall(path, &route);
  return route.work != HttpWork::kAnswer;
}

}  // namespace

HttpRoute RouteOf(const HttpRequestHead& head, const Origins& origins) {
  const absl::string_view path = PathOf(head.target);
  if (const HttpWork page = PageOf(path); page != HttpWork::kAnswer) {
    if (head.method != "GET" && head.method != "HEAD") return NotAllowed("GET, HEAD");
    HttpRoute route;
    route.work = page;
    return route;
  }
  const OriginVerdict verdict = origins.Judge(head.origin, head.host);
  if (head.method == "POST") return Post(head, path, origins, verdict);
  if (head.method == "OPTIONS" && !head.origin.empty() &&
      !head.access_control_request_method.empty()) {
    return Preflight(head, origins, verdict);
  }
  const bool is_known = head.method == "GET" || head.method == "HEAD";
  if (is_known && !IsCall(path)) return Refused(404, "there is no such page");
  return NotAllowed("POST");
}

}  // namespace pedigree
