// The real program against clients that misbehave or go away.
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/server/bytes_client.h"
#include "tests/server/process_fixture.h"
#include "tests/server/raw_connection.h"
#include "tests/server/test_store.h"

namespace pedigree::testing {
namespace {

namespace mlmd = ml_metadata;

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
  connection.Send(WholeCall(kPutArtifacts, request));
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
    connection.Send(WholeCall(kPutArtifacts, request));
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
  stuck.Send(WholeCall(kGetArtifacts, ""));
  EXPECT_TRUE(stuck.Receives());
  ExpectServes(*server_);
  stuck.Close(Ending::kReset);
}

}  // namespace
}  // namespace pedigree::testing
