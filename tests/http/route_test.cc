// What a request's head asks for, and which origins may.
#include "server/http/route.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pedigree {
namespace {

constexpr char kPath[] = "/ml_metadata.MetadataStoreService/GetArtifacts";

HttpRequestHead Head(absl::string_view method, absl::string_view target,
                     absl::string_view origin = "") {
  HttpRequestHead head;
  head.method = method;
  head.target = target;
  head.host = "store.example.com:9090";
  head.origin = origin;
  head.content_type = "application/grpc-web+proto";
  return head;
}

HttpRoute Route(absl::string_view method, absl::string_view target) {
  return RouteOf(Head(method, target), Origins({}));
}

TEST(Route, FindsCallsOfEveryService) {
  for (const ServiceTable& table : AllServices()) {
    for (const Method& method : table.methods) {
      const HttpRoute route = Route("POST", absl::StrCat("/", table.name, "/", method.name));
      EXPECT_EQ(route.work, HttpWork::kCall);
      EXPECT_EQ(route.method, &method);
    }
    for (const StreamMethod& method : table.streams) {
      const HttpRoute route = Route("POST", absl::StrCat("/", table.name, "/", method.name));
      EXPECT_EQ(route.work, HttpWork::kStream);
      EXPECT_EQ(route.stream, &method);
    }
  }
  EXPECT_EQ(Route("POST", absl::StrCat("http://store.example.com", kPath)).work, HttpWork::kCall);
  EXPECT_EQ(Route("POST", absl::StrCat(kPath, "?x=1")).work, HttpWork::kCall);
}

TEST(Route, KnowsItsPages) {
  EXPECT_EQ(Route("GET", "/healthz").work, HttpWork::kHealth);
  EXPECT_EQ(Route("HEAD", "/readyz?verbose").work, HttpWork::kReadiness);
  EXPECT_EQ(Route("GET", "/metrics").work, HttpWork::kMetrics);
  EXPECT_EQ(Route("POST", "/metrics").answer.status, 405);
  for (const char* path : {"/", "", "*", "/metrics/", "/healthz2", "//metrics", "http://x"}) {
    EXPECT_EQ(Route("GET", path).answer.status, 404) << path;
  }
}

TEST(Route, RefusesWhatIsNoCall) {
  for (const char* path : {"/", "", "/x", "/x/y", "/ml_metadata.MetadataStoreService/",
                           "/ml_metadata.MetadataStoreService/GetArtifacts/",
                           "//ml_metadata.MetadataStoreService/GetArtifacts"}) {
    const HttpRoute route = Route("POST", path);
    EXPECT_EQ(route.work, HttpWork::kAnswer) << path;
    EXPECT_EQ(route.answer.status, 200);
    EXPECT_TRUE(absl::StrContains(route.answer.body[0], "grpc-status:12\r\n")) << path;
  }
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "post", "X"}) {
    EXPECT_EQ(Route(method, kPath).answer.status, 405) << method;
  }
  HttpRequestHead head = Head("POST", kPath);
  head.content_type = "application/json";
  EXPECT_EQ(RouteOf(head, Origins({})).answer.status, 415);
  head = Head("POST", kPath);
  head.grpc_timeout = "soon";
  EXPECT_TRUE(absl::StrContains(RouteOf(head, Origins({})).answer.body[0], "grpc-status:3\r\n"));
}

TEST(Route, AnswersInTheFormThatIsAskedFor) {
  HttpRequestHead head = Head("POST", kPath);
  EXPECT_EQ(RouteOf(head, Origins({})).answer_kind, GrpcWebKind::kBinary);
  head.accept = "application/grpc-web-text";
  EXPECT_EQ(RouteOf(head, Origins({})).request_kind, GrpcWebKind::kBinary);
  EXPECT_EQ(RouteOf(head, Origins({})).answer_kind, GrpcWebKind::kText);
  head.accept = "*/*";
  head.content_type = "application/grpc-web-text";
  EXPECT_EQ(RouteOf(head, Origins({})).answer_kind, GrpcWebKind::kText);
}

HttpRequestHead PreflightHead(absl::string_view origin) {
  HttpRequestHead head = Head("OPTIONS", kPath, origin);
  head.content_type = "";
  head.access_control_request_method = "POST";
  return head;
}

TEST(Route, WithoutAnAllowListNoAnswerHasHeadersOfCors) {
  const Origins off({});
  const HttpRoute call = RouteOf(Head("POST", kPath, "https://any.example.com"), off);
  EXPECT_EQ(call.work, HttpWork::kCall) << "a proxy may have served the page";
  EXPECT_EQ(call.headers, "");
  const HttpRoute preflight = RouteOf(PreflightHead("https://any.example.com"), off);
  EXPECT_EQ(preflight.answer.status, 403);
  EXPECT_FALSE(absl::StrContains(preflight.answer.headers, "Access-Control"));
}

TEST(Route, AnAllowListLetsItsOriginsCall) {
  const Origins origins({"https://ui.example.com", "http://localhost:3000"});
  for (const char* origin : {"https://ui.example.com", "http://localhost:3000"}) {
    const HttpRoute preflight = RouteOf(PreflightHead(origin), origins);
    EXPECT_EQ(preflight.answer.status, 204);
    const std::string allow = absl::StrCat("Access-Control-Allow-Origin: ", origin, "\r\n");
    for (const std::string& part :
         {allow, std::string("Vary: Origin\r\n"), std::string("Access-Control-Allow-Methods: POST"),
          std::string("x-grpc-web"), std::string("grpc-timeout"),
          std::string("pedigree-principal")}) {
      EXPECT_TRUE(absl::StrContains(preflight.answer.headers, part)) << part;
    }
    const HttpRoute call = RouteOf(Head("POST", kPath, origin), origins);
    EXPECT_EQ(call.work, HttpWork::kCall);
    EXPECT_TRUE(absl::StrContains(call.headers, allow));
    EXPECT_TRUE(absl::StrContains(call.headers, "Expose-Headers: grpc-status,grpc-message"));
  }
}

TEST(Route, AnAllowListLetsNobodyElse) {
  const Origins origins({"https://ui.example.com"});
  for (const char* origin :
       {"http://ui.example.com", "https://ui.example.com:444", "https://ui.example.com.evil.com",
        "https://evil.com", "null", "https://UI.example.com", "*", "https://ui.example.com/"}) {
    EXPECT_EQ(RouteOf(PreflightHead(origin), origins).answer.status, 403) << origin;
    const HttpRoute call = RouteOf(Head("POST", kPath, origin), origins);
    EXPECT_EQ(call.work, HttpWork::kAnswer) << origin;
    EXPECT_EQ(call.answer.status, 403) << origin;
    EXPECT_FALSE(absl::StrContains(call.answer.headers, "Access-Control"));
  }
}

TEST(Route, PagesOfTheSameOriginAndClientsThatAreNoBrowsersNeedNoAllowance) {
  const Origins origins({"https://ui.example.com"});
  for (const char* origin :
       {"", "http://store.example.com:9090", "https://store.example.com:9090"}) {
    const HttpRoute call = RouteOf(Head("POST", kPath, origin), origins);
    EXPECT_EQ(call.work, HttpWork::kCall) << origin;
    EXPECT_FALSE(absl::StrContains(call.headers, "Allow-Origin"));
    EXPECT_TRUE(absl::StrContains(call.headers, "Vary: Origin"));
  }
}

TEST(Route, AStarAllowsEveryOrigin) {
  const Origins any({"*"});
  EXPECT_EQ(RouteOf(PreflightHead("https://any.example.com"), any).answer.status, 204);
  EXPECT_TRUE(
      absl::StrContains(RouteOf(Head("POST", kPath, "https://any.example.com"), any).headers,
                        "Access-Control-Allow-Origin: https://any.example.com\r\n"));
}

TEST(Origins, AreWrittenAsBrowsersDo) {
  for (const char* origin : {"https://a.example.com", "http://localhost:3000", "http://10.0.0.1:81",
                             "https://[::1]:8443", "http://[fe80::1]"}) {
    EXPECT_TRUE(Origins::IsOrigin(origin)) << origin;
  }
  for (const char* origin :
       {"", "*", "null", "a.example.com", "https://", "https://a.example.com/", "https://A.com",
        "ftp://a.com", "https://a.com:443", "http://a.com:80", "http://a.com:", "http://a.com:0",
        "http://a.com:65536", "http://a.com:x", "https://*.a.com", "https://u@a.com", "http://[::1",
        "http://[]", "http://a b"}) {
    EXPECT_FALSE(Origins::IsOrigin(origin)) << origin;
  }
}

}  // namespace
}  // namespace pedigree
