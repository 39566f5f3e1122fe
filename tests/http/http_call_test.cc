// Calls over HTTP: what clients of grpc-web get.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "pedigree/v1/lineage.pb.h"
#include "tests/http/http_fixture.h"

namespace pedigree::testing {
namespace {

namespace mlmd = ml_metadata;

class HttpCall : public HttpFixture {
 protected:
  HttpCall() { StartHttp(); }
};

TEST_F(HttpCall, IsAnsweredWithAMessageAndATrailer) {
  const GrpcWebReply put = Call("PutArtifacts", PutArtifactBytes("u"));
  EXPECT_EQ(put.code, 0);
  ASSERT_EQ(put.messages.size(), 1U);
  mlmd::PutArtifactsResponse ids;
  ASSERT_TRUE(ids.ParseFromString(put.messages[0]));
  EXPECT_EQ(ids.artifact_ids(0), 1);

  HttpClient client(port());
  const auto reply = client.Call(PostOf(kMlmd + "GetArtifactsByID", FrameOf("\x08\x01")));
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->Header("content-length"), absl::StrCat(reply->body.size()));
  EXPECT_FALSE(reply->headers.contains("access-control-allow-origin"));
  EXPECT_TRUE(absl::EndsWith(reply->Header("date"), " GMT"));
  const GrpcWebReply get = ReadGrpcWeb(*reply);
  mlmd::GetArtifactsByIDResponse artifacts;
  ASSERT_EQ(get.messages.size(), 1U);
  ASSERT_TRUE(artifacts.ParseFromString(get.messages[0]));
  EXPECT_EQ(artifacts.artifacts(0).uri(), "u");
}

// Clients call an answer without a message incomplete.
TEST_F(HttpCall, WithAnEmptyAnswerHasAMessageAllTheSame) {
  HttpClient client(port());
  const auto reply = client.Call(PostOf(kMlmd + "GetArtifacts", FrameOf("")));
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->body,
            std::string(5, '\0') + "\x80" + std::string(3, '\0') + "\x0f" + "grpc-status:0\r\n");
}

TEST_F(HttpCall, InTheTextFormIsAnsweredInIt) {
  const std::string frame = FrameOf(PutArtifactBytes("text"));
  std::string pieces;
  for (size_t i = 0; i < frame.size(); i += 4) pieces += absl::Base64Escape(frame.substr(i, 4));
  for (const std::string& body : {absl::Base64Escape(frame), pieces}) {
    HttpClient client(port());
    const auto reply = client.Call(PostOf(kMlmd + "PutArtifacts", body, "", kTextType));
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(reply->Header("content-type"), "application/grpc-web-text+proto");
    EXPECT_EQ(ReadGrpcWeb(*reply).code, 0);
  }
  EXPECT_EQ(ArtifactCount(), 2);
}

TEST_F(HttpCall, ThatFailsHasItsCodeAndText) {
  const GrpcWebReply reply =
      Call("GetArtifactType", TestStore::TextRequest("GetArtifactType", "type_name: 'Größe 1%'"));
  EXPECT_EQ(reply.code, 5);
  EXPECT_TRUE(absl::StrContains(reply.message, "Größe 1%")) << reply.message;
  EXPECT_TRUE(reply.messages.empty());
  EXPECT_EQ(Call("PutArtifacts", "\xff").code, 3);
}

TEST_F(HttpCall, ThatIsNoCallSaysWhy) {
  HttpClient client(port());
  EXPECT_EQ(Call("NoSuchCall", "").code, 12);
  const auto code = [&](const std::string& body, const std::string& type = kBinaryType) {
    const auto reply = client.Call(PostOf(kMlmd + "PutArtifacts", body, "", type));
    return reply.has_value() ? ReadGrpcWeb(*reply).code : -2;
  };
  const std::string frame = FrameOf(PutArtifactBytes("u"));
  EXPECT_EQ(code(""), 3);
  EXPECT_EQ(code(frame + frame), 3);
  EXPECT_EQ(code(frame.substr(0, frame.size() - 1)), 3);
  EXPECT_EQ(code("\x01" + frame.substr(1)), 12);
  EXPECT_EQ(code("!!!!", kTextType), 3);
  // All of these kept the connection.
  EXPECT_EQ(code(frame), 0);
  EXPECT_EQ(ArtifactCount(), 1);
  EXPECT_EQ(
      HttpClient(port()).Call(PostOf(kMlmd + "PutArtifacts", frame, "", "text/plain"))->status,
      415);
  EXPECT_EQ(HttpClient(port()).Call(GetOf(kMlmd + "PutArtifacts"))->status, 405);
  EXPECT_EQ(HttpClient(port()).Call(GetOf("/"))->status, 404);
  EXPECT_EQ(ArtifactCount(), 1);
}

TEST_F(HttpCall, FollowsOthersOnItsConnection) {
  HttpClient client(port());
  for (int i = 0; i < 100; ++i) {
    const auto reply = client.Call(PutArtifactCall(absl::StrCat(i)));
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(ReadGrpcWeb(*reply).code, 0);
    EXPECT_FALSE(reply->headers.contains("connection"));
  }
  EXPECT_EQ(ArtifactCount(), 100);
}

TEST_F(HttpCall, MayBeSentBeforeTheAnswerOfTheOneBefore) {
  HttpClient client(port());
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += PutArtifactCall(absl::StrCat(i)) + GetOf("/healthz");
  client.Send(requests);
  for (int i = 0; i < 50; ++i) {
    const auto put = client.Receive();
    ASSERT_TRUE(put.has_value());
    mlmd::PutArtifactsResponse ids;
    const GrpcWebReply reply = ReadGrpcWeb(*put);
    ASSERT_EQ(reply.messages.size(), 1U);
    ASSERT_TRUE(ids.ParseFromString(reply.messages[0]));
    EXPECT_EQ(ids.artifact_ids(0), i + 1);
    EXPECT_EQ(client.Receive()->body, "ok\n");
  }
}

TEST_F(HttpCall, MayComeByteByByteOrInChunks) {
  const std::string frame = FrameOf(PutArtifactBytes("u"));
  HttpClient client(port());
  for (const char c : PutArtifactCall("slowly")) client.Send(std::string(1, c));
  EXPECT_EQ(ReadGrpcWeb(*client.Receive()).code, 0);
  std::string chunks;
  for (const char c : frame) chunks += absl::StrCat("1;extension=x\r\n", std::string(1, c), "\r\n");
  client.Send(absl::StrCat(
      "POST ", kMlmd, "PutArtifacts HTTP/1.1\r\nHost: h\r\nContent-Type: ", kBinaryType,
      "\r\nTransfer-Encoding: chunked\r\n\r\n", chunks, "0\r\nTrailer: x\r\n\r\n"));
  EXPECT_EQ(ReadGrpcWeb(*client.Receive()).code, 0);
  EXPECT_EQ(client.Call(GetOf("/healthz"))->status, 200);
  EXPECT_EQ(ArtifactCount(), 2);
}

TEST_F(HttpCall, WaitsForContinueIfTheClientDoes) {
  const std::string frame = FrameOf(PutArtifactBytes("u"));
  HttpClient client(port());
  const std::string call = PostOf(kMlmd + "PutArtifacts", frame, "Expect: 100-continue\r\n");
  client.Send(call.substr(0, call.size() - frame.size()));
  EXPECT_EQ(client.Receive()->status, 100);
  client.Send(frame);
  EXPECT_EQ(ReadGrpcWeb(*client.Receive()).code, 0);
  EXPECT_EQ(client.Call(PostOf(kMlmd + "PutArtifacts", frame, "Expect: wonders\r\n"))->status, 417);
}

TEST_F(HttpCall, EndsTheConnectionWhereTheClientWantsIt) {
  HttpClient close(port());
  const auto closed = close.Call(PutArtifactCall("u", "Connection: close\r\n"));
  ASSERT_TRUE(closed.has_value());
  EXPECT_EQ(closed->Header("connection"), "close");
  EXPECT_TRUE(close.WaitForEnd());
  HttpClient old(port());
  EXPECT_EQ(old.Call("GET /healthz HTTP/1.0\r\n\r\n")->body, "ok\n");
  EXPECT_TRUE(old.WaitForEnd());
}

TEST_F(HttpCall, ForAPage) {
  HttpClient client(port());
  EXPECT_EQ(client.Call(GetOf("/healthz"))->body, "ok\n");
  EXPECT_EQ(client.Call(GetOf("/readyz"))->status, 200);
  client.Send("HEAD /readyz HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.Receive(HttpClient::Body::kNone)->Header("content-length"), "3");
  const auto metrics = client.Call(GetOf("/metrics"));
  EXPECT_EQ(metrics->Header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(metrics->body, "connections 1\nrefused 0\nreceiving 0\n");
  readiness_ = absl::ResourceExhaustedError("the disk is full");
  const auto unready = client.Call(GetOf("/readyz"));
  EXPECT_EQ(unready->status, 503);
  EXPECT_EQ(unready->body, "the disk is full\n");
  EXPECT_EQ(client.Call(GetOf("/healthz"))->status, 200);
}

TEST_F(HttpCall, ThatIsLargeIsAnsweredWhole) {
  const std::string uri(10 << 20, 'u');
  EXPECT_EQ(Call("PutArtifacts", PutArtifactBytes(uri)).code, 0);
  const GrpcWebReply get = Call("GetArtifactsByID", "\x08\x01");
  mlmd::GetArtifactsByIDResponse artifacts;
  ASSERT_EQ(get.messages.size(), 1U);
  ASSERT_TRUE(artifacts.ParseFromString(get.messages[0]));
  EXPECT_EQ(artifacts.artifacts(0).uri(), uri);
}

TEST_F(HttpCall, AfterItsDeadlineIsNotRun) {
  const GrpcWebReply late = Call("PutArtifacts", PutArtifactBytes("u"), "grpc-timeout: 1n\r\n");
  EXPECT_EQ(late.code, 4);
  EXPECT_EQ(ArtifactCount(), 0);
  const GrpcWebReply early = Call("PutArtifacts", PutArtifactBytes("u"), "grpc-timeout: 60S\r\n");
  EXPECT_EQ(early.code, 0);
  EXPECT_EQ(Call("PutArtifacts", PutArtifactBytes("u"), "grpc-timeout: x\r\n").code, 3);
  EXPECT_EQ(ArtifactCount(), 1);
}

TEST_F(HttpCall, WhoseDeadlinePassesIsAnsweredThenAndCancelled) {
  HttpClient client(port());
  {
    HeldCommitter held(&store_.store());
    const auto reply = client.Call(PutArtifactCall("u", "grpc-timeout: 20m\r\n"));
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(ReadGrpcWeb(*reply).code, 4);
    // The connection goes on while the call it gave up is still there.
    EXPECT_EQ(client.Call(GetOf("/healthz"))->status, 200);
    client.Send(PutArtifactCall("v"));
  }
  EXPECT_EQ(ReadGrpcWeb(*client.Receive()).code, 0);
  EXPECT_EQ(ArtifactCount(), 1);
}

TEST_F(HttpCall, OfAClientThatGoesAwayIsCancelled) {
  for (const auto ending : {HttpClient::Ending::kOrderly, HttpClient::Ending::kReset}) {
    HeldCommitter held(&store_.store());
    HttpClient client(port());
    client.Send(PutArtifactCall("u"));
    EXPECT_TRUE(WaitForMetric("connections 2"));
    client.Close(ending);
    EXPECT_TRUE(WaitForMetric("connections 1"));
  }
  ExpectServes();
  EXPECT_EQ(ArtifactCount(), 1);
}

// A trace of one artifact, an execution that read it and one more artifact.
TEST_F(HttpCall, LeavesWhoAskedInTheJournal) {
  ASSERT_EQ(Call("PutArtifacts", PutArtifactBytes("a"), "pedigree-principal: job\xff\r\n").code, 0);
  std::vector<std::string> who;
  ASSERT_TRUE(store_.store()
                  .Read(Blocking::kAllowed,
                        [&](const Reader& reader) {
                          return reader.VisitJournal(
                              1, Direction::kAscending, [&](const JournalEntry& entry) {
                                who.push_back(absl::StrCat(entry.tls_identity, "|",
                                                           entry.declared_principal, "|",
                                                           entry.method));
                                EXPECT_TRUE(absl::StartsWith(entry.peer, "ipv4:127.0.0.1:"));
                                return true;
                              });
                        })
                  .ok());
  ASSERT_FALSE(who.empty());
  EXPECT_EQ(who.back(), "|job?|/ml_metadata.MetadataStoreService/PutArtifacts");
}

class HttpStreamCall : public HttpCall {
 protected:
  HttpStreamCall() {
    EXPECT_TRUE(
        store_.Try("PutArtifacts", "artifacts { type_id: 1 } artifacts { type_id: 1 }").ok());
    const auto type = store_.Must<mlmd::PutExecutionTypeResponse>("execution_type { name: 't' }");
    EXPECT_TRUE(
        store_.Try("PutExecutions", absl::StrCat("executions { type_id: ", type.type_id(), " }"))
            .ok());
    EXPECT_TRUE(store_
                    .Try("PutEvents",
                         "events { artifact_id: 1 execution_id: 1 type: INPUT } "
                         "events { artifact_id: 2 execution_id: 1 type: OUTPUT }")
                    .ok());
  }
  static std::string TraceBytes(int64_t artifact) {
    v1::TraceRequest request;
    auto* node = request.mutable_start()->add_nodes();
    node->set_kind(v1::ARTIFACT);
    node->set_id(artifact);
    request.set_direction(v1::DOWNSTREAM);
    return request.SerializeAsString();
  }
  static int CountNodes(const GrpcWebReply& reply) {
    int nodes = 0;
    for (const std::string& message : reply.messages) {
      v1::TraceResponse response;
      EXPECT_TRUE(response.ParseFromString(message));
      nodes += response.nodes_size();
    }
    return nodes;
  }
  const std::string kTrace = "/pedigree.v1.LineageService/Trace";
};

TEST_F(HttpStreamCall, IsAnsweredInChunks) {
  HttpClient client(port());
  for (int i = 0; i < 3; ++i) {
    const auto reply = client.Call(PostOf(kTrace, FrameOf(TraceBytes(1))));
    ASSERT_TRUE(reply.has_value());
    EXPECT_GE(reply->chunks, 2U);
    const GrpcWebReply trace = ReadGrpcWeb(*reply);
    EXPECT_EQ(trace.code, 0) << trace.message;
    EXPECT_EQ(CountNodes(trace), 3);
  }
}

TEST_F(HttpStreamCall, ComesInTheTextFormToo) {
  HttpClient client(port());
  const auto reply =
      client.Call(PostOf(kTrace, absl::Base64Escape(FrameOf(TraceBytes(1))), "", kTextType));
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(CountNodes(ReadGrpcWeb(*reply)), 3);
}

TEST_F(HttpStreamCall, OfAnOldClientEndsWithTheConnection) {
  HttpClient client(port());
  const std::string body = FrameOf(TraceBytes(1));
  const auto reply =
      client.Call(absl::StrCat("POST ", kTrace, " HTTP/1.0\r\nContent-Type: ", kBinaryType,
                               "\r\nContent-Length: ", body.size(), "\r\n\r\n", body));
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->chunks, 0U);
  EXPECT_EQ(CountNodes(ReadGrpcWeb(*reply)), 3);
}

TEST_F(HttpStreamCall, ThatFailsBeforeItsFirstMessageIsAnError) {
  HttpClient client(port());
  const auto missing = client.Call(PostOf(kTrace, FrameOf(TraceBytes(99))));
  ASSERT_TRUE(missing.has_value());
  EXPECT_EQ(ReadGrpcWeb(*missing).code, 5);
  EXPECT_EQ(ReadGrpcWeb(*client.Call(PostOf(kTrace, FrameOf("\xff")))).code, 3);
  const auto late = client.Call(PostOf(kTrace, FrameOf(TraceBytes(1)), "grpc-timeout: 1n\r\n"));
  EXPECT_EQ(ReadGrpcWeb(*late).code, 4);
  EXPECT_EQ(ReadGrpcWeb(*client.Call(PostOf(kTrace, FrameOf(TraceBytes(1))))).code, 0);
}

class HttpOrigin : public HttpFixture {
 protected:
  HttpOrigin() {
    options_.allowed_origins = {"https://ui.example.com"};
    StartHttp();
  }
};

TEST_F(HttpOrigin, ThatIsNotAllowedWritesNothing) {
  HttpClient client(port());
  const auto refused = client.Call(PutArtifactCall("u", "Origin: https://evil.example.com\r\n"));
  EXPECT_EQ(refused->status, 403);
  EXPECT_EQ(ArtifactCount(), 0);
  HttpClient other(port());
  const auto allowed = other.Call(PutArtifactCall("u", "Origin: https://ui.example.com\r\n"));
  EXPECT_EQ(ReadGrpcWeb(*allowed).code, 0);
  EXPECT_EQ(allowed->Header("access-control-allow-origin"), "https://ui.example.com");
  EXPECT_EQ(ArtifactCount(), 1);
  const auto error = other.Call(
      PostOf(kMlmd + "PutArtifacts", FrameOf("\xff"), "Origin: https://ui.example.com\r\n"));
  EXPECT_EQ(ReadGrpcWeb(*error).code, 3);
  EXPECT_EQ(error->Header("access-control-allow-origin"), "https://ui.example.com")
      << "without it a page does not see what went wrong";
}

}  // namespace
}  // namespace pedigree::testing
