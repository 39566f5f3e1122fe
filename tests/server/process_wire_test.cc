// The real program against clients that misbehave or go away.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "tests/server/bytes_client.h"
#include "tests/server/process_fixture.h"
#include "tests/server/test_store.h"

namespace pedigree::testing {
namespace {

namespace mlmd = ml_metadata;

int PortOf(const ServerProcess& server) {
  return std::stoi(server.address().substr(server.address().find(':') + 1));
}

// A TCP connection of which every byte is chosen by the test.
class RawConnection {
 public:
  enum class Ending { kOrderly, kReset };

  explicit RawConnection(int port) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    timeval timeout = {5, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  }
  ~RawConnection() { Close(Ending::kOrderly); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  // The server may have hung up already.
  void Send(const std::string& bytes) {
    (void)!send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // Waits for the server's first bytes, at most 5 s.
  bool Receives() {
    char byte = 0;
    return recv(fd_, &byte, 1, 0) == 1;
  }
  void Close(Ending ending) {
    if (fd_ < 0) return;
    if (ending == Ending::kReset) {
      linger now = {1, 0};
      setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

std::string Frame(uint8_t type, uint8_t flags, uint32_t stream, const std::string& payload) {
  std::string frame;
  for (const int shift : {16, 8, 0}) frame.push_back(static_cast<char>(payload.size() >> shift));
  frame.push_back(static_cast<char>(type));
  frame.push_back(static_cast<char>(flags));
  for (const int shift : {24, 16, 8, 0}) frame.push_back(static_cast<char>(stream >> shift));
  return frame + payload;
}

// A header field as HPACK spells it without compression.
std::string Header(const std::string& name, const std::string& value) {
  std::string field(1, '\0');
  field.push_back(static_cast<char>(name.size()));
  field += name;
  field.push_back(static_cast<char>(value.size()));
  return field + value;
}

constexpr uint8_t kData = 0, kHeaders = 1, kSettings = 4;
constexpr uint8_t kEndHeaders = 4;

// What a client sends up to and including the headers of one call.
std::string CallBegins(const std::string& path) {
  const std::string headers = Header(":method", "POST") + Header(":scheme", "http") +
                              Header(":path", path) + Header(":authority", "localhost") +
                              Header("content-type", "application/grpc") + Header("te", "trailers");
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(kSettings, 0, 0, "") +
         Frame(kHeaders, kEndHeaders, 1, headers);
}

// The five bytes before a gRPC message of this size.
std::string MessageHead(uint32_t size) {
  std::string head(1, '\0');
  for (const int shift : {24, 16, 8, 0}) head.push_back(static_cast<char>(size >> shift));
  return head;
}

class Wire : public ::testing::Test {
 protected:
  void SetUp() override {
    server_ = StartServer();
    ASSERT_NE(server_, nullptr);
  }
  void TearDown() override {
    if (server_ == nullptr) return;
    ExpectServes(*server_);
    const absl::Status stopped = server_->Stop();
    EXPECT_TRUE(stopped.ok()) << stopped;
  }

  std::unique_ptr<ServerProcess> server_;
};

using Ending = RawConnection::Ending;

TEST_F(Wire, AHandMadeCallIsServed) {
  // Proves the frames of the tests below.
  const std::string request = PutRequest(10);
  RawConnection connection(PortOf(*server_));
  connection.Send(CallBegins(kPutArtifacts));
  connection.Send(Frame(kData, 1, 1, MessageHead(static_cast<uint32_t>(request.size())) + request));
  EXPECT_TRUE(connection.Receives());
  for (int i = 0; i < 1000 && ArtifactCount(*server_) == 0; ++i) usleep(5000);
  EXPECT_EQ(ArtifactCount(*server_), 1);
}

TEST_F(Wire, ClientsThatGoAwayInTheMiddleOfARequestLeaveNothing) {
  const std::string request = PutRequest(50 << 20);
  const std::string call =
      CallBegins(kPutArtifacts) +
      Frame(kData, 0, 1,
            MessageHead(static_cast<uint32_t>(request.size())) + request.substr(0, 10'000));
  std::vector<size_t> cuts = {0, 1, 10, 24, 30, 33, 40, 100, call.size() - 9000, call.size()};
  for (const Ending ending : {Ending::kOrderly, Ending::kReset}) {
    for (const size_t cut : cuts) {
      RawConnection connection(PortOf(*server_));
      connection.Send(call.substr(0, cut));
      if (cut > 24) connection.Receives();
      connection.Close(ending);
    }
  }
  EXPECT_EQ(ArtifactCount(*server_), 0);
}

TEST_F(Wire, ClientsThatGoAwayBeforeTheirAnswerDoNoHarm) {
  const std::string request = PutRequest(10);
  for (int i = 0; i < 50; ++i) {
    RawConnection connection(PortOf(*server_));
    connection.Send(
        CallBegins(kPutArtifacts) +
        Frame(kData, 1, 1, MessageHead(static_cast<uint32_t>(request.size())) + request));
    connection.Close(i % 2 == 0 ? Ending::kReset : Ending::kOrderly);
  }
  EXPECT_LE(ArtifactCount(*server_), 50);
}

TEST_F(Wire, GarbageOnTheWireDoesNoHarm) {
  std::mt19937 random(RandomSeed());
  for (int i = 0; i < 100; ++i) {
    std::string garbage(1 + random() % 5000, '\0');
    for (char& c : garbage) c = static_cast<char>(random());
    RawConnection connection(PortOf(*server_));
    switch (i % 4) {
      case 0:
        connection.Send(garbage);
        break;
      case 1:
        connection.Send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        break;
      case 2:  // Garbage for frames.
        connection.Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(kSettings, 0, 0, "") + garbage);
        break;
      case 3:  // Garbage for a message.
        connection.Send(CallBegins(kPutArtifacts) + Frame(kData, 1, 1, garbage));
        connection.Receives();
        break;
    }
  }
  EXPECT_EQ(ArtifactCount(*server_), 0);
}

TEST_F(Wire, BytesThatAreNoRequestAreInvalidArgument) {
  BytesClient client(NewChannel(server_->address()));
  for (const std::string& bytes :
       {std::string("\xff"), std::string(100, '\x0b'), std::string("\x0a\xff\xff\xff\xff\x0f"),
        std::string(1000, '\x07')}) {
    for (const char* path : {kPutArtifacts, kGetArtifacts}) {
      const auto reply = client.Call(path, bytes);
      EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
          << reply.status.error_message();
    }
  }
  EXPECT_EQ(client.Call("/ml_metadata.MetadataStoreService/NoSuchCall", "").status.error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(client.Call("/no.such.Service/Call", "").status.error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_TRUE(client.Call(kGetArtifacts, "").status.ok());  // No bytes are a request as well.
}

TEST_F(Wire, TextsOfErrorsAreShortHoweverLongTheRequest) {
  mlmd::PutContextsRequest request;
  request.add_contexts()->set_type_id(99);
  request.mutable_contexts(0)->set_name(std::string(5 << 20, 'n'));
  mlmd::PutContextsResponse response;
  RawClient client(server_->address());
  const grpc::Status status = client.Call("PutContexts", request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_LE(status.error_message().size(), 1024U);
}

TEST_F(Wire, CancelledCallsDoNoHarmAndAcknowledgedOnesAreStored) {
  std::mt19937 random(RandomSeed());
  BytesClient client(NewChannel(server_->address()));
  std::vector<int64_t> acknowledged;
  int cancelled = 0;
  for (int i = 0; i < 200; ++i) {
    const auto after = absl::Microseconds(static_cast<int64_t>(random() % 2000));
    const auto reply = client.CallAndCancel(kPutArtifacts, PutRequest(i % 10 * 50'000), after);
    if (reply.status.ok()) {
      mlmd::PutArtifactsResponse ids;
      ASSERT_TRUE(ids.ParseFromString(reply.bytes));
      acknowledged.push_back(ids.artifact_ids(0));
    } else {
      EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::CANCELLED);
      ++cancelled;
    }
  }
  EXPECT_GT(cancelled, 0);
  RawClient reader(server_->address());
  mlmd::GetArtifactsByIDRequest get;
  for (const int64_t id : acknowledged) get.add_artifact_ids(id);
  mlmd::GetArtifactsByIDResponse artifacts;
  ASSERT_TRUE(reader.Call("GetArtifactsByID", get, &artifacts).ok());
  EXPECT_EQ(static_cast<size_t>(artifacts.artifacts_size()), acknowledged.size());
}

TEST_F(Wire, LongAnswersThatNobodyWaitsForDoNoHarm) {
  RawClient writer(server_->address());
  mlmd::PutArtifactsRequest put;
  for (int i = 0; i < 5000; ++i) {
    put.add_artifacts()->set_type_id(1);
    put.mutable_artifacts(i)->set_uri(std::string(1000, 'u'));
  }
  mlmd::PutArtifactsResponse ids;
  ASSERT_TRUE(writer.Call("PutArtifacts", put, &ids).ok());
  BytesClient client(NewChannel(server_->address()));
  for (int i = 0; i < 30; ++i) {
    const auto reply = client.CallAndCancel(kGetArtifacts, "", absl::Microseconds(i * 300));
    EXPECT_TRUE(reply.status.ok() || reply.status.error_code() == grpc::StatusCode::CANCELLED);
  }
  // A connection whose reader has stopped reading, with a long answer on its way.
  RawConnection stuck(PortOf(*server_));
  stuck.Send(CallBegins(kGetArtifacts) + Frame(kData, 1, 1, MessageHead(0)));
  EXPECT_TRUE(stuck.Receives());
  ExpectServes(*server_);
  stuck.Close(Ending::kReset);
}

}  // namespace
}  // namespace pedigree::testing
