// Bytes that are no HTTP, and those that two servers could read in two ways.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/http/http_fixture.h"

namespace pedigree::testing {
namespace {

class HttpMalformed : public HttpFixture {
 protected:
  HttpMalformed() {
    options_.limits.linger = std::chrono::milliseconds(100);
    options_.limits.head = std::chrono::milliseconds(500);
    options_.limits.transfer = std::chrono::milliseconds(500);
    StartHttp();
  }
  void TearDown() override { ExpectServes(); }

  // The status, 0 if the connection ends without an answer.
  int StatusOf(const std::string& bytes) {
    HttpClient client(port());
    const auto reply = client.Call(bytes);
    if (!reply.has_value()) return 0;
    EXPECT_EQ(reply->Header("connection"), "close") << bytes.substr(0, 300);
    EXPECT_TRUE(client.WaitForEnd()) << "an answer to what follows it: " << bytes.substr(0, 300);
    return reply->status;
  }
};

TEST_F(HttpMalformed, LinesAndHeadersAreRefused) {
  const std::string h = "Host: h\r\n";
  for (const std::string& bytes :
       std::vector<std::string>{"\r\n\r\n\r\n\r\n",
                                "GET\r\n\r\n",
                                "GET /healthz\r\n\r\n",
                                "GET /healthz HTTP/2.0\r\n" + h + "\r\n",
                                "GET /healthz HTTP/1.2\r\n" + h + "\r\n",
                                "GET /healthz HTTX/1.1\r\n" + h + "\r\n",
                                "GET  /healthz HTTP/1.1\r\n" + h + "\r\n",
                                "GET /healthz HTTP/1.1 \r\n" + h + "\r\n",
                                "G\x01T /healthz HTTP/1.1\r\n" + h + "\r\n",
                                "GET /heal\x01thz HTTP/1.1\r\n" + h + "\r\n",
                                "GET /healthz HTTP/1.1\n" + h + "\n\r\n\r\n",
                                "GET /healthz HTTP/1.1\r\n" + h + "X : y\r\n\r\n",
                                "GET /healthz HTTP/1.1\r\n" + h + ": y\r\n\r\n",
                                "GET /healthz HTTP/1.1\r\n" + h + "X\r\n\r\n",
                                "GET /healthz HTTP/1.1\r\n" + h + "X: \x01\r\n\r\n",
                                "GET /healthz HTTP/1.1\r\n" + h + "X: a\rb\r\n\r\n",
                                "GET /healthz HTTP/1.1\r\n\r\n",  // No Host.
                                "GET /healthz HTTP/1.1\r\n" + h + h + "\r\n",
                                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                                std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8) + "\r\n\r\n"}) {
    EXPECT_EQ(StatusOf(bytes), 400) << bytes;
  }
}

// Each of these carries a second request in what may or may not be its body.
TEST_F(HttpMalformed, RequestsWithTwoReadingsAreRefused) {
  const std::string inner = PutArtifactCall("smuggled");
  const std::string chunk = absl::StrCat("0\r\n\r\n", inner);
  for (const std::string& lengths : std::vector<std::string>{
           absl::StrCat("Content-Length: ", chunk.size(), "\r\nTransfer-Encoding: chunked\r\n"),
           absl::StrCat("Transfer-Encoding: chunked\r\nContent-Length: ", chunk.size(), "\r\n"),
           absl::StrCat("Content-Length: 0\r\nContent-Length: ", chunk.size(), "\r\n"),
           absl::StrCat("Content-Length: 0, ", chunk.size(), "\r\n"), "Content-Length: +0\r\n",
           "Content-Length: -1\r\n", "Content-Length: 0x0\r\n", "Content-Length: \r\n",
           "Content-Length: 99999999999999999999\r\n", "Content-Length: 0 0\r\n",
           "Transfer-Encoding: identity\r\n", "Transfer-Encoding: xchunked\r\n",
           "Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding: gzip, chunked\r\n",
           "Transfer-Encoding: chunked, chunked\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: \x0b"
           "chunked\r\n",
           "Transfer-Encoding : chunked\r\n"}) {
    EXPECT_EQ(StatusOf(absl::StrCat("POST ", kMlmd, "GetArtifacts HTTP/1.1\r\nHost: h\r\n",
                                    "Content-Type: ", kBinaryType, "\r\n", lengths, "\r\n", chunk)),
              400)
        << lengths;
  }
  EXPECT_EQ(StatusOf(absl::StrCat("POST ", kMlmd, "GetArtifacts HTTP/1.0\r\nContent-Type: ",
                                  kBinaryType, "\r\nTransfer-Encoding: chunked\r\n\r\n", chunk)),
            400);
  EXPECT_EQ(
      StatusOf(GetOf("/healthz", absl::StrCat("Content-Length: ", inner.size(), "\r\n")) + inner),
      400)
      << "a page with a body";
  EXPECT_EQ(ArtifactCount(), 0);
}

TEST_F(HttpMalformed, ChunksAreRefused) {
  const std::string head =
      absl::StrCat("POST ", kMlmd, "PutArtifacts HTTP/1.1\r\nHost: h\r\n",
                   "Content-Type: ", kBinaryType, "\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (const std::string& chunks : std::vector<std::string>{
           "x\r\n", "-1\r\n", "1\r\nab\r\n0\r\n\r\n", "1 \r\na\r\n", "fffffffffffffffff\r\n",
           "1\r\na0\r\n\r\n", "\r\n\r\n", "1\na\n0\n\n\r\n", "0x1\r\na\r\n0\r\n\r\n",
           "1;\x01\r\na\r\n0\r\n\r\n", "0\r\nbad trailer\r\n\r\n"}) {
    const int status = StatusOf(head + chunks + "\r\n\r\n");
    EXPECT_TRUE(status == 400 || status == 0) << status << " for " << chunks;
  }
  EXPECT_EQ(StatusOf(head + "1;" + std::string(100'000, 'x')), 400);
  EXPECT_EQ(ArtifactCount(), 0);
}

TEST_F(HttpMalformed, RandomBytesDoNoHarm) {
  std::mt19937 random(RandomSeed());
  for (int i = 0; i < 200; ++i) {
    std::string bytes(1 + random() % 3000, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    if (i % 2 == 0) bytes += "\r\n\r\n";
    HttpClient client(port());
    client.Send(bytes);
    if (i % 3 == 0) client.Receive();
  }
  EXPECT_EQ(ArtifactCount(), 0);
}

// Requests with some bytes changed, left out or doubled: answered, refused, or waited for in vain.
TEST_F(HttpMalformed, SpoiltRequestsDoNoHarm) {
  std::mt19937 random(RandomSeed());
  for (int i = 0; i < 500; ++i) {
    std::string bytes = PutArtifactCall("spoilt") + GetOf("/metrics");
    for (unsigned n = 1 + random() % 4; n > 0 && !bytes.empty(); --n) {
      const size_t at = random() % bytes.size();
      switch (random() % 4) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, 1 + random() % 10);
          break;
        case 2:
          bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 50));
          break;
        case 3:
          bytes.resize(at + 1);
          break;
      }
    }
    HttpClient client(port());
    client.Send(bytes);
    client.EndSending();
    if (i % 5 == 0) {
      client.Close(HttpClient::Ending::kReset);
    } else {
      client.Receive();
    }
  }
}

TEST_F(HttpMalformed, ClientsThatGoAwayAnywhereLeaveNothing) {
  const std::string call = PutArtifactCall(std::string(100'000, 'u'));
  for (const auto ending : {HttpClient::Ending::kOrderly, HttpClient::Ending::kReset}) {
    for (const size_t cut : std::vector<size_t>{0, 1, 10, 50, 100, 200, call.size() - 1}) {
      HttpClient client(port());
      client.Send(call.substr(0, cut));
      client.Close(ending);
    }
  }
  EXPECT_TRUE(WaitForMetric("connections 1"));
  EXPECT_EQ(ArtifactCount(), 0);
}

}  // namespace
}  // namespace pedigree::testing
