// A running server's history comes over whole, and what it receives meanwhile.
#include "migrate/grpc_source.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "migrate/follow.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/migrate/answers.h"
#include "tests/migrate/mlmd_files.h"
#include "tests/store/random.h"
#include "tests/support/raw_client.h"
#include "tests/support/server_process.h"

namespace pedigree::migrate {
namespace {

using absl::StatusCode;
using testing::RawClient;
using testing::ServerProcess;

std::unique_ptr<ServerProcess> Serve(const std::string& data_dir) {
  auto server =
      ServerProcess::Start({.program = PEDIGREED, .extra_args = {"--data_dir=" + data_dir}});
  EXPECT_TRUE(IsOk(server));
  return server.ok() ? *std::move(server) : nullptr;
}

absl::StatusOr<FollowResult> FollowServer(const std::string& url, const std::string& data_dir,
                                          std::function<Stop()> stop = nullptr) {
  FollowOptions options;
  options.import.data_dir = data_dir;
  options.stop = std::move(stop);
  options.pause = std::chrono::milliseconds(1);
  Progress silent(Progress::Style::kSilent);
  return ImportAndFollow([&] { return OpenSource(url); }, options, &silent);
}

class EveryServedDatabase : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryServedDatabase, ComesOverTheWireAndAnswersTheSame) {
  ScratchDirectory scratch;
  const std::string first = scratch.path() + "/first";
  ASSERT_TRUE(IsOk(ImportUrl("sqlite:" + DataFile(GetParam() + ".sqlite"), first)));
  const auto server = Serve(first);
  ASSERT_NE(server, nullptr);
  const std::string url = "grpc://" + server->address();
  const std::string second = scratch.path() + "/second";
  const auto result = FollowServer(url, second);
  ASSERT_TRUE(IsOk(result));
  EXPECT_TRUE(result->is_settled);
  EXPECT_EQ(result->brought.total(), 0);
  const auto proof = ProveUrl(url, second);
  ASSERT_TRUE(IsOk(proof));
  EXPECT_TRUE(proof->ok()) << proof->ToTable();
  EXPECT_EQ(proof->actual.counts, proof->source_rows);
  // The database proves it as well: what came over two ways is the same.
  const auto direct = ProveUrl("sqlite:" + DataFile(GetParam() + ".sqlite"), second);
  ASSERT_TRUE(IsOk(direct));
  EXPECT_TRUE(direct->ok()) << direct->ToTable();
  const auto other = Serve(second);
  ASSERT_NE(other, nullptr);
  ExpectAnswers(other->address(), DataFile(GetParam() + ".expected.json"));
}

INSTANTIATE_TEST_SUITE_P(Genuine, EveryServedDatabase,
                         ::testing::Values("every_value_kind", "kfp_two_runs", "random_history"));

class ServedStore : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string served = scratch_.path() + "/served";
    ASSERT_TRUE(IsOk(ImportUrl("sqlite:" + DataFile("random_history.sqlite"), served)));
    server_ = Serve(served);
    ASSERT_NE(server_, nullptr);
    url_ = "grpc://" + server_->address();
    client_ = std::make_unique<RawClient>(server_->address());
  }

  template <class Response>
  Response Call(absl::string_view rpc, const google::protobuf::Message& request) {
    Response response;
    const grpc::Status status = client_->Call(rpc, request, &response);
    EXPECT_TRUE(status.ok()) << rpc << ": " << status.error_message();
    return response;
  }

  // One step of a pipeline: an execution with an input and an output, in a context, each known or
  // new.
  void RunStep(Random& random) {
    ml_metadata::PutExecutionRequest request;
    request.mutable_execution()->set_type_id(13);
    request.mutable_execution()->set_last_known_state(ml_metadata::Execution::COMPLETE);
    auto* input = request.add_artifact_event_pairs();
    input->mutable_event()->set_artifact_id(random.Between(1, 20));
    input->mutable_event()->set_type(ml_metadata::Event::INPUT);
    auto* output = request.add_artifact_event_pairs();
    output->mutable_artifact()->set_type_id(10);
    output->mutable_artifact()->set_uri(absl::StrCat("u", random.Between(0, 5)));
    output->mutable_event()->set_type(ml_metadata::Event::OUTPUT);
    auto* context = request.add_contexts();
    context->set_type_id(12);
    context->set_name(absl::StrCat("run", random.Between(0, 9)));
    request.mutable_options()->set_reuse_context_if_already_exist(true);
    Call<ml_metadata::PutExecutionResponse>("PutExecution", request);
  }

  // What does not update the nodes.
  void LinkOldNodes(int64_t artifact, int64_t execution) {
    ml_metadata::PutAttributionsAndAssociationsRequest links;
    links.add_attributions()->set_artifact_id(artifact);
    links.mutable_attributions(0)->set_context_id(1);
    Call<ml_metadata::PutAttributionsAndAssociationsResponse>("PutAttributionsAndAssociations",
                                                              links);
    ml_metadata::PutEventsRequest events;
    auto* event = events.add_events();
    event->set_artifact_id(artifact);
    event->set_execution_id(execution);
    event->set_type(ml_metadata::Event::INTERNAL_OUTPUT);
    Call<ml_metadata::PutEventsResponse>("PutEvents", events);
  }

  void ExpectProved(const std::string& data_dir) {
    const auto proof = ProveUrl(url_, data_dir);
    ASSERT_TRUE(IsOk(proof));
    EXPECT_TRUE(proof->ok()) << proof->ToTable();
  }

  ScratchDirectory scratch_;
  std::unique_ptr<ServerProcess> server_;
  std::string url_;
  std::unique_ptr<RawClient> client_;
  const std::string data_dir_ = scratch_.path() + "/store";
};

TEST_F(ServedStore, IsFollowed) {
  Random random;
  int asked = 0;
  const auto result = FollowServer(url_, data_dir_, [&] {
    if (asked < 30) RunStep(random);
    // Found by the last rounds only.
    if (asked == 30) LinkOldNodes(3, 5);
    return ++asked < 32 ? Stop::kGoOn : Stop::kFinish;
  });
  ASSERT_TRUE(IsOk(result));
  EXPECT_TRUE(result->is_settled);
  EXPECT_EQ(result->brought.events, 30 * 2 + 1);
  ExpectProved(data_dir_);
}

// Without a round over everything.
TEST_F(ServedStore, TellsWhatHasChanged) {
  Random random;
  int asked = 0;
  const auto result = FollowServer(url_, data_dir_, [&] {
    // The first round is of everything.
    if (asked > 0) RunStep(random);
    return ++asked < 20 ? Stop::kGoOn : Stop::kNow;
  });
  ASSERT_TRUE(IsOk(result));
  EXPECT_FALSE(result->is_settled);
  ExpectProved(data_dir_);
}

TEST_F(ServedStore, IsWaitedForWhileItIsAway) {
  int asked = 0;
  std::string said;
  FollowOptions options;
  options.import.data_dir = data_dir_;
  options.pause = std::chrono::milliseconds(1);
  options.say = [&](absl::string_view line) {
    absl::StrAppend(&said, line, "\n");
    if (said.find("trying again") != std::string::npos && !server_->IsRunning()) {
      EXPECT_TRUE(IsOk(server_->Restart()));
    }
  };
  options.stop = [&] {
    if (++asked == 3) {
      EXPECT_TRUE(IsOk(server_->Kill9()));
    }
    return said.find("trying again") == std::string::npos ? Stop::kGoOn : Stop::kFinish;
  };
  Progress silent(Progress::Style::kSilent);
  const auto result = ImportAndFollow([&] { return OpenSource(url_); }, options, &silent);
  ASSERT_TRUE(IsOk(result)) << said;
  ExpectProved(data_dir_);
}

TEST(GrpcSource, RefusesWhatIsNoServer) {
  EXPECT_TRUE(Fails(OpenSource("grpc://127.0.0.1:1"), StatusCode::kUnavailable, "127.0.0.1:1"));
  EXPECT_TRUE(Fails(OpenSource("grpc://nowhere"), StatusCode::kInvalidArgument, "HOST:PORT"));
  EXPECT_TRUE(Fails(OpenSource("grpc://"), StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace pedigree::migrate
