// The real program: health, reflection, many connections and the limit of messages.
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/bytes_client.h"
#include "tests/server/process_fixture.h"

namespace pedigree::testing {
namespace {

namespace mlmd = ml_metadata;

class Services : public ::testing::Test {
 protected:
  void SetUp() override {
    server_ = StartServer();
    ASSERT_NE(server_, nullptr);
  }

  std::unique_ptr<ServerProcess> server_;
};

TEST_F(Services, ServeFiveHundredConnectionsAtOnce) {
  constexpr size_t kConnections = 500;
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < 4 * kConnections) {
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 4 * kConnections);
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  std::vector<std::unique_ptr<BytesClient>> clients;
  for (size_t i = 0; i < kConnections; ++i) {
    clients.push_back(std::make_unique<BytesClient>(NewChannel(server_->address())));
  }
  std::atomic<int> answered = 0;
  for (int round = 0; round < 2; ++round) {
    std::vector<std::thread> threads;
    std::atomic<size_t> next = 0;
    for (int t = 0; t < 20; ++t) {
      threads.emplace_back([&] {
        for (size_t i = 0; (i = next++) < clients.size();) {
          const auto reply = i % 2 == 0 ? clients[i]->Call(kPutArtifacts, PutRequest(10))
                                        : clients[i]->Call(kGetArtifacts, "");
          EXPECT_TRUE(reply.status.ok()) << reply.status.error_message();
          answered += reply.status.ok();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(answered, static_cast<int>(2 * kConnections));
  EXPECT_EQ(ArtifactCount(*server_), static_cast<int>(kConnections));
}

TEST_F(Services, HealthSaysServing) {
  constexpr char kCheck[] = "/grpc.health.v1.Health/Check";
  BytesClient client(NewChannel(server_->address()));
  for (const std::string& request :
       {std::string(), OneText(1, ""), OneText(1, "ml_metadata.MetadataStoreService")}) {
    const auto reply = client.Call(kCheck, request);
    EXPECT_TRUE(reply.status.ok()) << reply.status.error_message();
    EXPECT_EQ(NumberIn(reply.bytes, 1), 1U) << "SERVING";
  }
  EXPECT_EQ(client.Call(kCheck, OneText(1, "no.such.Service")).status.error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(Services, ReflectionListsTheServiceAndServesItsFile) {
  constexpr char kInfo[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
  BytesClient client(NewChannel(server_->address()));

  const auto list = client.CallStream(kInfo, OneText(7, "*"));
  ASSERT_TRUE(list.status.ok()) << list.status.error_message();
  std::vector<std::string> services;
  for (const std::string& response : TextsIn(list.bytes, 6)) {
    for (const std::string& service : TextsIn(response, 1)) {
      for (const std::string& name : TextsIn(service, 1)) services.push_back(name);
    }
  }
  for (const char* name :
       {"ml_metadata.MetadataStoreService", "pedigree.v1.LineageService",
        "pedigree.v1.AdminService", "pedigree.v1.ImportService", "grpc.health.v1.Health"}) {
    EXPECT_EQ(std::count(services.begin(), services.end(), name), 1) << name;
  }

  const auto files = client.CallStream(kInfo, OneText(4, "ml_metadata.MetadataStoreService"));
  ASSERT_TRUE(files.status.ok()) << files.status.error_message();
  int methods = 0;
  for (const std::string& response : TextsIn(files.bytes, 4)) {
    for (const std::string& bytes : TextsIn(response, 1)) {
      google::protobuf::FileDescriptorProto file;
      ASSERT_TRUE(file.ParseFromString(bytes));
      for (const auto& service : file.service()) {
        if (service.name() == "MetadataStoreService") methods += service.method_size();
      }
    }
  }
  EXPECT_EQ(methods, 52);
}

TEST(MessageLimit, RefusesLargerRequestsAndNothingElse) {
  constexpr size_t kLimit = 1 << 20;
  const auto server = StartServer({absl::StrCat("--max_message_bytes=", kLimit)});
  ASSERT_NE(server, nullptr);
  BytesClient client(NewChannel(server->address()));
  const size_t around = PutRequest(kLimit).size() - kLimit;  // What is not the uri.
  const auto fits = client.Call(kPutArtifacts, PutRequest(kLimit - around));
  EXPECT_TRUE(fits.status.ok()) << fits.status.error_message();
  for (const size_t bytes : {kLimit - around + 1, 2 * kLimit, 60 * kLimit}) {
    const auto reply = client.Call(kPutArtifacts, PutRequest(bytes));
    EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << bytes;
    EXPECT_LE(reply.status.error_message().size(), 1024U);
  }
  // Answers may be larger.
  EXPECT_TRUE(client.Call(kPutArtifacts, PutRequest(kLimit - around)).status.ok());
  const auto all = client.Call(kGetArtifacts, "");
  EXPECT_TRUE(all.status.ok());
  EXPECT_GT(all.bytes.size(), 2 * (kLimit - around));
  ExpectServes(*server);
}

TEST(MessageLimit, OfTheDefaultTakesHundredThousandIdsAndTensOfMegabytes) {
  const auto server = StartServer();
  ASSERT_NE(server, nullptr);
  ExpectServes(*server);
  RawClient client(server->address());
  mlmd::GetArtifactsByIDRequest by_id;
  for (int64_t id = 0; id < 100'000; ++id) by_id.add_artifact_ids(id);
  mlmd::GetArtifactsByIDResponse response;
  const grpc::Status status = client.Call("GetArtifactsByID", by_id, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.artifacts_size(), 1);
  BytesClient bytes_client(NewChannel(server->address()));
  EXPECT_TRUE(bytes_client.Call(kPutArtifacts, PutRequest(60 << 20)).status.ok());
  EXPECT_EQ(bytes_client.Call(kPutArtifacts, PutRequest(101 << 20)).status.error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  ExpectServes(*server);
}

}  // namespace
}  // namespace pedigree::testing
