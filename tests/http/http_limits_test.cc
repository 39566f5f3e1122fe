// Clients that cost too much, and the end of the listener.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/http/http_fixture.h"

namespace pedigree::testing {
namespace {

using std::chrono::milliseconds;

class HttpLimit : public HttpFixture {};

TEST_F(HttpLimit, OfAMessageIsToldAsResourceExhausted) {
  options_.max_message_bytes = 1000;
  StartHttp();
  const std::string fits(1000, '\xff');  // It does not parse, but it is taken.
  EXPECT_EQ(Call("PutArtifacts", fits).code, 3);
  EXPECT_EQ(Call("PutArtifacts", fits + "x").code, 8);
  // The client is told while it still sends, and can send all of it.
  HttpClient client(port());
  const auto reply =
      client.Call(PostOf(kMlmd + "PutArtifacts", FrameOf(std::string(8 << 20, 'x'))));
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(ReadGrpcWeb(*reply).code, 8);
  EXPECT_EQ(reply->Header("connection"), "close");
  HttpClient chunked(port());
  std::string request =
      absl::StrCat("POST ", kMlmd, "PutArtifacts HTTP/1.1\r\nHost: h\r\n",
                   "Content-Type: ", kBinaryType, "\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 11; ++i) request += "64\r\n" + std::string(100, '\0') + "\r\n";
  const auto refused = chunked.Call(request);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(ReadGrpcWeb(*refused).code, 8);
  // More than its head says, by a head that lies about it.
  HttpClient liar(port());
  const auto lie = liar.Call(PostOf(kMlmd + "PutArtifacts", std::string("\0\xff\xff\xff\xff", 5)));
  EXPECT_EQ(ReadGrpcWeb(*lie).code, 8);
  ExpectServes();
}

TEST_F(HttpLimit, OfAHead) {
  StartHttp();
  HttpClient client(port());
  EXPECT_EQ(client.Call(GetOf("/healthz", "X: " + std::string(15'000, 'x') + "\r\n"))->status, 200);
  EXPECT_EQ(client.Call(GetOf("/healthz", "X: " + std::string(17'000, 'x') + "\r\n"))->status, 431);
  EXPECT_TRUE(client.WaitForEnd());
  HttpClient endless(port());
  endless.Send("GET /healthz HTTP/1.1\r\nHost: h\r\n");
  for (int i = 0; i < 1000; ++i) endless.Send(absl::StrCat("X-", i, ": 1234567890\r\n"));
  EXPECT_EQ(endless.Receive()->status, 431);
}

TEST_F(HttpLimit, OfAllBodiesThatAreBeingReceived) {
  options_.limits.receiving_bytes = 1 << 20;
  StartHttp();
  const std::string frame = FrameOf(PutArtifactBytes(std::string(900 << 10, 'u')));
  const std::string call = PostOf(kMlmd + "PutArtifacts", frame);
  HttpClient first(port());
  first.Send(call.substr(0, call.size() - 1));
  EXPECT_TRUE(WaitForMetric(absl::StrCat("receiving ", frame.size() - 1)));
  HttpClient second(port());
  const auto refused = second.Call(call.substr(0, call.size() - 1));
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(ReadGrpcWeb(*refused).code, 14);
  first.Send(call.substr(call.size() - 1));
  EXPECT_EQ(ReadGrpcWeb(*first.Receive()).code, 0);
  EXPECT_TRUE(WaitForMetric("receiving 0"));
  ExpectServes();
}

TEST_F(HttpLimit, OfConnections) {
  options_.limits.connections = 3;
  StartHttp();
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<HttpClient>(port()));
    EXPECT_EQ(clients.back()->Call(GetOf("/healthz"))->status, 200);
  }
  HttpClient beyond(port());
  EXPECT_TRUE(beyond.WaitForEnd());
  EXPECT_TRUE(absl::StrContains(clients[0]->Call(GetOf("/metrics"))->body, "refused 1"));
  clients.pop_back();
  for (int i = 0; i < 10'000; ++i) {
    HttpClient next(port());
    if (next.Call(GetOf("/healthz")).has_value()) return;
  }
  FAIL() << "no connection is taken after one has gone";
}

class HttpTimeLimit : public HttpFixture {
 protected:
  HttpTimeLimit() {
    options_.limits.idle = milliseconds(150);
    options_.limits.head = milliseconds(150);
    options_.limits.transfer = milliseconds(300);
    options_.limits.slowest_bytes_per_second = 100 << 20;
    options_.limits.linger = milliseconds(100);
    StartHttp();
  }
};

TEST_F(HttpTimeLimit, OfIdleConnections) {
  HttpClient never(port());
  HttpClient once(port());
  EXPECT_EQ(once.Call(GetOf("/healthz"))->status, 200);
  EXPECT_TRUE(never.WaitForEnd());
  EXPECT_TRUE(once.WaitForEnd());
}

TEST_F(HttpTimeLimit, OfHeads) {
  HttpClient client(port());
  client.Send("GET /healthz HTTP/1.1\r\n");
  EXPECT_TRUE(client.WaitForEnd());
  // Neither does it help to be slow rather than silent.
  HttpClient slow(port());
  for (int i = 0; i < 400; ++i) {
    slow.Send(i == 0 ? "GET /healthz HTTP/1.1\r\nX: " : "x");
    absl::SleepFor(absl::Milliseconds(1));
  }
  EXPECT_TRUE(slow.WaitForEnd());
}

TEST_F(HttpTimeLimit, OfBodies) {
  HttpClient client(port());
  const std::string call = PutArtifactCall(std::string(1000, 'u'));
  client.Send(call.substr(0, call.size() - 1));
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_EQ(ArtifactCount(), 0);
}

TEST_F(HttpTimeLimit, OfAnswersThatNobodyReads) {
  const std::string uri(20 << 20, 'u');
  EXPECT_EQ(Call("PutArtifacts", PutArtifactBytes(uri)).code, 0);
  HttpClient stuck(port());
  stuck.Send(PostOf(kMlmd + "GetArtifactsByID", FrameOf("\x08\x01")));
  EXPECT_TRUE(WaitForMetric("connections 2"));
  EXPECT_TRUE(WaitForMetric("connections 1"));
  EXPECT_FALSE(stuck.Receive().has_value());
}

TEST_F(HttpTimeLimit, OfCallsIsTheirs) {
  // No limit of the listener ends a call that the store has not answered yet.
  HttpClient client(port());
  auto held = std::make_unique<HeldCommitter>(&store_.store());
  client.Send(PutArtifactCall("u"));
  absl::SleepFor(absl::Milliseconds(500));
  held.reset();
  EXPECT_EQ(ReadGrpcWeb(*client.Receive()).code, 0);
}

TEST_F(HttpTimeLimit, OfClientsThatSendOnWhatNobodyReads) {
  HttpClient client(port());
  client.Send(absl::StrCat("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n"));
  EXPECT_EQ(client.Receive()->status, 415);
  for (int i = 0; i < 5000; ++i) {
    client.Send("x");
    absl::SleepFor(absl::Milliseconds(1));
    if (i % 300 == 299 && client.WaitForEnd()) return;
  }
  FAIL();
}

class HttpEnd : public HttpFixture {
 protected:
  HttpEnd() { StartHttp(); }
};

TEST_F(HttpEnd, FinishesCallsAndClosesTheRest) {
  HttpClient idle(port());
  EXPECT_EQ(idle.Call(GetOf("/healthz"))->status, 200);
  HttpClient client(port());
  auto held = std::make_unique<HeldCommitter>(&store_.store());
  client.Send(PutArtifactCall("under way"));
  HttpClient begun(port());
  const std::string late = PutArtifactCall("late");
  begun.Send(late.substr(0, late.size() - 1));
  HttpClient probe(port());
  const std::string ready = GetOf("/readyz");
  probe.Send(ready.substr(0, ready.size() - 1));
  EXPECT_TRUE(WaitForMetric("connections 5"));
  absl::SleepFor(absl::Milliseconds(20));  // Until all of it is read.

  http_->Drain(milliseconds(0));
  EXPECT_TRUE(idle.WaitForEnd());
  while (HttpClient(port()).is_connected()) absl::SleepFor(absl::Milliseconds(1));
  begun.Send(late.substr(late.size() - 1));
  EXPECT_EQ(ReadGrpcWeb(*begun.Receive()).code, 14);
  probe.Send("\n");
  EXPECT_EQ(probe.Receive()->status, 503);
  held.reset();
  http_->Drain(std::chrono::seconds(20));
  const auto reply = client.Receive();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(ReadGrpcWeb(*reply).code, 0);
  EXPECT_EQ(reply->Header("connection"), "close");
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_EQ(ArtifactCount(), 1);
}

TEST_F(HttpEnd, WithoutADrainCancelsCallsAndWaitsForThem) {
  std::vector<std::unique_ptr<HttpClient>> clients;
  auto held = std::make_unique<HeldCommitter>(&store_.store());
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<HttpClient>(port()));
    clients.back()->Send(PutArtifactCall("u"));
  }
  EXPECT_TRUE(WaitForMetric("connections 21"));
  std::thread release([&] {
    absl::SleepFor(absl::Milliseconds(20));
    held->Release();
  });
  http_.reset();
  release.join();
  held.reset();
  for (const auto& client : clients) EXPECT_TRUE(client->WaitForEnd());
}

// Whatever the moment, a stop neither hangs nor crashes.
TEST_F(HttpEnd, UnderLoadIsClean) {
  for (int round = 0; round < 20; ++round) {
    std::vector<std::thread> clients;
    const int at = port();
    for (int i = 0; i < 4; ++i) {
      clients.emplace_back([at] {
        for (int n = 0; n < 1000; ++n) {
          HttpClient client(at);
          if (!client.is_connected() || !client.Call(PutArtifactCall("u")).has_value()) return;
        }
      });
    }
    absl::SleepFor(absl::Milliseconds(round));
    if (round % 2 == 0) http_->Drain(std::chrono::seconds(20));
    http_.reset();
    for (std::thread& client : clients) client.join();
    StartHttp();
  }
  ExpectServes();
}

}  // namespace
}  // namespace pedigree::testing
