#include "tests/support/raw_client.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <functional>

#include "ml_metadata/proto/metadata_store_service.pb.h"

namespace pedigree::testing {
namespace {

using ml_metadata::GetArtifactsByIDRequest;
using ml_metadata::GetArtifactsByIDResponse;

struct Answer {
  grpc::Status status;
  std::string bytes;
};
using Answerer = std::function<Answer(const std::string& method, const std::string& request)>;

std::string Text(const grpc::ByteBuffer& bytes) {
  grpc::Slice slice;
  if (!bytes.DumpToSingleSlice(&slice).ok()) return "";
  return std::string(reinterpret_cast<const char*>(slice.begin()), slice.size());
}

// Answers one call with whatever bytes and status the test wants, legal or not.
class Reactor : public grpc::ServerGenericBidiReactor {
 public:
  Reactor(std::string method, const Answerer* answerer)
      : method_(std::move(method)), answerer_(answerer) {
    StartRead(&request_);
  }
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status(grpc::StatusCode::INTERNAL, "no request"));
    const Answer answer = (*answerer_)(method_, Text(request_));
    if (!answer.status.ok()) return Finish(answer.status);
    grpc::Slice slice(answer.bytes);
    response_ = grpc::ByteBuffer(&slice, 1);
    StartWriteAndFinish(&response_, grpc::WriteOptions(), answer.status);
  }
  void OnDone() override { delete this; }

 private:
  const std::string method_;
  const Answerer* const answerer_;  // Not owned; outlives the call.
  grpc::ByteBuffer request_, response_;
};

class Service : public grpc::CallbackGenericService {
 public:
  explicit Service(Answerer answerer) : answerer_(std::move(answerer)) {}
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    return new Reactor(context->method(), &answerer_);
  }

 private:
  const Answerer answerer_;
};

class RawClientTest : public ::testing::Test {
 protected:
  RawClient& Serve(Answerer answerer) {
    service_ = std::make_unique<Service>(std::move(answerer));
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterCallbackGenericService(service_.get());
    server_ = builder.BuildAndStart();
    client_ =
        std::make_unique<RawClient>("127.0.0.1:" + std::to_string(port), absl::Milliseconds(5000));
    return *client_;
  }
  void TearDown() override {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
  }

  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<RawClient> client_;
};

TEST_F(RawClientTest, SendsTheRequestAndReadsTheResponseOfANamedMethod) {
  RawClient& client = Serve([](const std::string& method, const std::string& bytes) {
    GetArtifactsByIDRequest request;
    EXPECT_EQ(method, "/ml_metadata.MetadataStoreService/GetArtifactsByID");
    EXPECT_TRUE(request.ParseFromString(bytes));
    GetArtifactsByIDResponse response;
    for (const int64_t id : request.artifact_ids()) response.add_artifacts()->set_id(id);
    return Answer{grpc::Status::OK, response.SerializeAsString()};
  });
  GetArtifactsByIDRequest request;
  request.add_artifact_ids(7);
  GetArtifactsByIDResponse response;
  const grpc::Status status = client.Call("GetArtifactsByID", request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.artifacts_size(), 1);
  EXPECT_EQ(response.artifacts(0).id(), 7);
}

TEST_F(RawClientTest, ReadsAnEmptyAnswer) {
  RawClient& client = Serve([](const auto&, const auto&) { return Answer{grpc::Status::OK, ""}; });
  GetArtifactsByIDResponse response;
  EXPECT_TRUE(client.Call("GetArtifactsByID", GetArtifactsByIDRequest(), &response).ok());
  EXPECT_EQ(response.ByteSizeLong(), 0U);
}

TEST_F(RawClientTest, ReadsAnswersBeyondTheUsualFourMegabytes) {
  constexpr size_t kBytes = 20 << 20;
  RawClient& client = Serve([](const auto&, const auto&) {
    GetArtifactsByIDResponse response;
    response.add_artifacts()->set_uri(std::string(kBytes, 'x'));
    return Answer{grpc::Status::OK, response.SerializeAsString()};
  });
  GetArtifactsByIDResponse response;
  const grpc::Status status = client.Call("GetArtifactsByID", GetArtifactsByIDRequest(), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.artifacts(0).uri().size(), kBytes);
}

TEST_F(RawClientTest, PassesOnTheServersStatus) {
  RawClient& client = Serve([](const auto&, const auto&) {
    return Answer{grpc::Status(grpc::StatusCode::NOT_FOUND, "no such type"), ""};
  });
  GetArtifactsByIDResponse response;
  const grpc::Status status = client.Call("GetArtifactsByID", GetArtifactsByIDRequest(), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "no such type");
}

TEST_F(RawClientTest, ReportsBytesThatAreNoMessageAsInternal) {
  RawClient& client = Serve([](const auto&, const auto&) {
    return Answer{grpc::Status::OK, "\x0a\xff"};
  });
  GetArtifactsByIDResponse response;
  EXPECT_EQ(client.Call("GetArtifactsByID", GetArtifactsByIDRequest(), &response).error_code(),
            grpc::StatusCode::INTERNAL);
}

TEST(RawClient, ReportsAnUnknownMethodWithoutCalling) {
  RawClient client("127.0.0.1:1");
  GetArtifactsByIDResponse response;
  EXPECT_EQ(client.Call("GetEverything", GetArtifactsByIDRequest(), &response).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

TEST(RawClient, ReportsAServerThatIsNotThere) {
  RawClient client("127.0.0.1:1");
  GetArtifactsByIDResponse response;
  EXPECT_EQ(client.Call("GetArtifactsByID", GetArtifactsByIDRequest(), &response).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST(FindMethod, KnowsAllMethodsOfTheContractOnly) {
  const auto* method = FindMethod("PutLineageSubgraph");
  ASSERT_NE(method, nullptr);
  EXPECT_EQ(method->input_type()->full_name(), "ml_metadata.PutLineageSubgraphRequest");
  EXPECT_EQ(NewMessage(method->output_type())->GetTypeName(),
            "ml_metadata.PutLineageSubgraphResponse");
  EXPECT_EQ(method->service()->method_count(), 52);
  EXPECT_EQ(FindMethod("putLineageSubgraph"), nullptr);
}

}  // namespace
}  // namespace pedigree::testing
