// The calls of pedigree.v1.ImportService: who may import, into what, which rows are refused, and
// that nobody else writes meanwhile.
#include "server/import_handlers.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/task.pb.h"
#include "google/protobuf/text_format.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "pedigree/v1/cache.pb.h"
#include "pedigree/v1/query.pb.h"
#include "server/dispatcher.h"
#include "server/validate.h"
#include "store/directory.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Execution;

class KeptReply final : public ReplyTo {
 public:
  explicit KeptReply(std::promise<absl::StatusOr<std::string>>* reply) : reply_(reply) {}
  bool IsCancelled() const override { return false; }
  void Done(absl::StatusOr<std::string> reply) override { reply_->set_value(std::move(reply)); }

 private:
  std::promise<absl::StatusOr<std::string>>* reply_;  // Not owned; outlives Done().
};

template <class Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// Three types, two nodes of each kind, a link of each kind and an event.
constexpr char kRows[] = R"(
  artifact_types { id: 11 name: 'm' properties { key: 'p' value: INT } }
  execution_types { id: 4 name: 'e' }
  context_types { id: 12 name: 'c' }
  contexts { id: 5 type_id: 12 name: 'r' create_time_since_epoch: 7
             last_update_time_since_epoch: 8 }
  contexts { id: 3 type_id: 12 name: 's' create_time_since_epoch: 6
             last_update_time_since_epoch: 6 }
  artifacts { id: 9 type_id: 11 uri: 'u' create_time_since_epoch: 9
              last_update_time_since_epoch: 9 properties { key: 'p' value { int_value: 1 } } }
  artifacts { id: 2 type_id: 11 external_id: 'x' create_time_since_epoch: 10
              last_update_time_since_epoch: 10 }
  executions { id: 6 type_id: 4 create_time_since_epoch: 1 last_update_time_since_epoch: 2
               custom_properties { key: 'cache_fingerprint' value { string_value: 'f' } } }
  attributions { artifact_id: 9 context_id: 5 }
  associations { execution_id: 6 context_id: 3 }
  parent_contexts { child_id: 3 parent_id: 5 }
  events { artifact_id: 9 execution_id: 6 type: OUTPUT milliseconds_since_epoch: 3 })";

class ImportHandlersTest : public ::testing::Test {
 protected:
  ImportHandlersTest() { Serve(); }

  void Serve(AdminOptions options = {.version = "", .backup_root = "", .allow_import = true}) {
    dispatcher_.reset();
    dispatcher_ = std::make_unique<Dispatcher>(&*store_, std::move(options));
  }
  void Restart() {
    dispatcher_.reset();
    store_.Reopen();
    Serve();
  }

  absl::StatusOr<std::string> CallBytes(absl::string_view service, absl::string_view method,
                                        const std::string& request) {
    std::promise<absl::StatusOr<std::string>> reply;
    auto future = reply.get_future();
    dispatcher_->Submit(*FindMethod(service, method), request, std::make_unique<KeptReply>(&reply));
    return future.get();
  }
  absl::Status Try(absl::string_view method, const google::protobuf::Message& request) {
    return CallBytes(kServiceName, method, request.SerializeAsString()).status();
  }

  absl::StatusOr<v1::BeginImportResponse> Begin(const std::string& source) {
    v1::BeginImportRequest request;
    request.set_source(source);
    return Parsed<v1::BeginImportResponse>(
        CallBytes(kImportServiceName, "Begin", request.SerializeAsString()));
  }
  absl::Status Ask(const std::string& source) {
    v1::BeginImportRequest request;
    request.set_source(source);
    request.set_only_ask(true);
    return CallBytes(kImportServiceName, "Begin", request.SerializeAsString()).status();
  }
  absl::StatusOr<v1::PutImportResponse> Put(const std::string& text) {
    return Put(FromText<v1::PutImportRequest>(text));
  }
  absl::StatusOr<v1::PutImportResponse> Put(const v1::PutImportRequest& request) {
    return Parsed<v1::PutImportResponse>(
        CallBytes(kImportServiceName, "Put", request.SerializeAsString()));
  }
  absl::Status End(const std::string& text = "") {
    return CallBytes(kImportServiceName, "End",
                     FromText<v1::EndImportRequest>(text).SerializeAsString())
        .status();
  }

  // Refused, and nothing of it is put.
  void ExpectRefused(const std::string& text, StatusCode code, absl::string_view part) {
    const std::string artifact =
        "artifacts { id: 77 type_id: 11 create_time_since_epoch: 1 "
        "last_update_time_since_epoch: 1 } ";
    EXPECT_TRUE(Fails(Put(artifact + text), code, part)) << text;
    EXPECT_FALSE(Find<Artifact>(store_, 77).has_value()) << text;
    EXPECT_EQ(store_->CurrentVersion()->counters.last_node_id[IndexOf(NodeKind::kArtifact)], 9);
  }
  void ExpectSound() {
    const auto report = store_->Verify();
    ASSERT_TRUE(IsOk(report));
    EXPECT_TRUE(report->ok()) << report->problems[0];
  }

  TestStore store_;
  std::unique_ptr<Dispatcher> dispatcher_;

 private:
  template <class Response>
  static absl::StatusOr<Response> Parsed(const absl::StatusOr<std::string>& bytes) {
    if (!bytes.ok()) return bytes.status();
    Response response;
    EXPECT_TRUE(response.ParseFromString(*bytes));
    return response;
  }
};

TEST_F(ImportHandlersTest, NeedTheFlag) {
  Serve({});
  EXPECT_TRUE(Fails(Begin("s"), StatusCode::kPermissionDenied, "--allow_import"));
  EXPECT_TRUE(Fails(Ask("s"), StatusCode::kPermissionDenied, "--allow_import"));
  Serve();
  ASSERT_TRUE(IsOk(Begin("s")));
  Serve({});
  EXPECT_TRUE(Fails(Put(kRows), StatusCode::kPermissionDenied));
  EXPECT_TRUE(Fails(End(), StatusCode::kPermissionDenied));
}

TEST_F(ImportHandlersTest, KeepIdsTimesAndOrder) {
  EXPECT_EQ(*ReadMarkerFormat(store_.data_dir()), kFirstFormatVersion);
  const auto begun = Begin("s");
  ASSERT_TRUE(IsOk(begun));
  EXPECT_FALSE(begun->goes_on());
  EXPECT_EQ(*ReadMarkerFormat(store_.data_dir()), kCreateOrderFormatVersion);
  const auto put = Put(kRows);
  ASSERT_TRUE(IsOk(put));
  EXPECT_EQ(put->types(), 3);
  EXPECT_EQ(put->nodes(), 5);
  EXPECT_EQ(put->links(), 3);
  EXPECT_EQ(put->events(), 1);
  ExpectSound();
  // The same again changes nothing.
  const auto again = Put(kRows);
  ASSERT_TRUE(IsOk(again));
  EXPECT_EQ(again->types() + again->nodes() + again->links() + again->events(), 0);
  ASSERT_TRUE(IsOk(End("last_artifact_id: 20 last_type_id: 30")));
  Restart();
  ExpectSound();
  const auto context = Find<Context>(store_, 5);
  ASSERT_TRUE(context.has_value());
  EXPECT_EQ(context->create_time_since_epoch(), 7);
  EXPECT_EQ(context->last_update_time_since_epoch(), 8);
  EXPECT_EQ(*Insert(store_, NewNode<Artifact>(11)), 21);
  EXPECT_EQ(*Insert(store_, NewNode<Execution>(4)), 7);
  // The types that every store has come after the source's.
  const auto& catalog = *store_->CurrentVersion()->catalog;
  EXPECT_EQ(catalog.Of<Artifact>().FindByName("mlmd.Dataset", "")->id(), 31);
  EXPECT_EQ(PutType<Artifact>(store_, "next"), 40);
}

TEST_F(ImportHandlersTest, GoOnUnderTheirNameAlsoAfterARestart) {
  ASSERT_TRUE(IsOk(Begin("s")));
  ASSERT_TRUE(IsOk(Put(kRows)));
  Restart();
  ExpectSound();
  EXPECT_TRUE(Fails(Begin("other"), StatusCode::kFailedPrecondition, "going on already, of 's'"));
  EXPECT_TRUE(Fails(Ask("other"), StatusCode::kFailedPrecondition, "going on already"));
  EXPECT_TRUE(IsOk(Ask("s")));
  const auto begun = Begin("s");
  ASSERT_TRUE(IsOk(begun));
  EXPECT_TRUE(begun->goes_on());
  EXPECT_EQ(Put(kRows)->nodes(), 0);
  ASSERT_TRUE(IsOk(End()));
  EXPECT_TRUE(Fails(End(), StatusCode::kFailedPrecondition, "no import is going on"));
  EXPECT_TRUE(Fails(Put(kRows), StatusCode::kFailedPrecondition, "no import is going on"));
  EXPECT_TRUE(Fails(Begin("s"), StatusCode::kFailedPrecondition, "not empty"));
}

TEST_F(ImportHandlersTest, AskingBeginsNothing) {
  EXPECT_TRUE(IsOk(Ask("s")));
  EXPECT_TRUE(Fails(Put(kRows), StatusCode::kFailedPrecondition, "no import is going on"));
  EXPECT_EQ(*ReadMarkerFormat(store_.data_dir()), kFirstFormatVersion);
}

TEST_F(ImportHandlersTest, NeedAnEmptyStore) {
  ml_metadata::PutContextTypeRequest type;
  type.mutable_context_type()->set_name("c");
  ASSERT_TRUE(IsOk(Try("PutContextType", type)));
  EXPECT_TRUE(Fails(Begin("s"), StatusCode::kFailedPrecondition, "not empty"));
  EXPECT_TRUE(Fails(Ask("s"), StatusCode::kFailedPrecondition, "not empty"));
  EXPECT_EQ(*ReadMarkerFormat(store_.data_dir()), kFirstFormatVersion);
}

TEST_F(ImportHandlersTest, NeedAStoreWithoutTasks) {
  const auto create = FromText<api::CreateTaskRequest>(
      "task { pipelineName: 'p' runId: 'r' mlmdExecutionID: '1' fingerprint: 'f' "
      "created_at { seconds: 1 } }");
  ASSERT_TRUE(
      IsOk(CallBytes(kTaskServiceName, "CreateTaskV1", create.SerializeAsString()).status()));
  EXPECT_TRUE(Fails(Begin("s"), StatusCode::kFailedPrecondition, "not empty"));
}

// An index of one's own is none of the source's rows.
TEST_F(ImportHandlersTest, FillIndexesThatAreThere) {
  const auto add = FromText<v1::AddPropertyIndexRequest>("kind: ARTIFACT name: 'p'");
  ASSERT_TRUE(
      IsOk(CallBytes(kQueryServiceName, "AddPropertyIndex", add.SerializeAsString()).status()));
  ASSERT_TRUE(IsOk(Begin("s")));
  ASSERT_TRUE(IsOk(Put(kRows)));
  ASSERT_TRUE(IsOk(End()));
  ExpectSound();
}

TEST_F(ImportHandlersTest, NobodyElseWritesMeanwhile) {
  ASSERT_TRUE(IsOk(Begin("s")));
  ASSERT_TRUE(IsOk(Put(kRows)));
  for (int round = 0; round < 2; ++round) {
    int refused = 0;
    for (const ServiceTable& table : AllServices()) {
      for (const Method& method : table.methods) {
        if (!method.writes || table.name == kImportServiceName) continue;
        const absl::Status status = CallBytes(table.name, method.name, "").status();
        // Some are refused for what they lack before it comes to that.
        EXPECT_TRUE(status.code() == StatusCode::kInvalidArgument ||
                    Fails(status, StatusCode::kFailedPrecondition, "an import is going on"))
            << method.name << ": " << status;
        refused += status.code() == StatusCode::kFailedPrecondition ? 1 : 0;
      }
    }
    EXPECT_GT(refused, 10);
    // A type that is there is not put either, though that would change nothing.
    ml_metadata::PutContextTypeRequest type;
    type.mutable_context_type()->set_name("c");
    EXPECT_TRUE(Fails(Try("PutContextType", type), StatusCode::kFailedPrecondition));
    v1::LookupOrReserveRequest reserve;
    reserve.mutable_key()->set_fingerprint("g");
    reserve.mutable_key()->set_scope(v1::CacheScope::ANY);
    reserve.set_owner("o");
    reserve.set_lease_ms(1000);
    EXPECT_TRUE(Fails(CallBytes(kCacheServiceName, "LookupOrReserve", reserve.SerializeAsString()),
                      StatusCode::kFailedPrecondition, "an import is going on"));
    // Reads see what there is.
    EXPECT_TRUE(IsOk(Try("GetArtifacts", ml_metadata::GetArtifactsRequest())));
    Restart();
  }
  ASSERT_TRUE(IsOk(End()));
  ml_metadata::PutContextTypeRequest type;
  type.mutable_context_type()->set_name("c");
  EXPECT_TRUE(IsOk(Try("PutContextType", type)));
}

TEST_F(ImportHandlersTest, RefuseRowsThatAreNotWholeOrFitNothing) {
  ASSERT_TRUE(IsOk(Begin("s")));
  ASSERT_TRUE(IsOk(Put(kRows)));
  const auto invalid = StatusCode::kInvalidArgument;
  const std::string times = " create_time_since_epoch: 1 last_update_time_since_epoch: 1 ";
  ExpectRefused("artifacts { id: 0 type_id: 11" + times + "}", invalid, "id 0");
  ExpectRefused("artifacts { id: 9007199254740992 type_id: 11" + times + "}", invalid, "id 9007");
  ExpectRefused("artifacts { id: 1 type_id: 11 create_time_since_epoch: 1 }", invalid, "time");
  ExpectRefused("artifacts { id: 1 type_id: 4" + times + "}", invalid, "type 4");
  ExpectRefused(
      "artifacts { id: 1 type_id: 11" + times + "properties { key: 'q' value { int_value: 1 } } }",
      invalid, "not declared so");
  ExpectRefused("artifacts { id: 1 type_id: 11" + times +
                    "properties { key: 'p' value { string_value: '' } } }",
                invalid, "not declared so");
  ExpectRefused("artifacts { id: 1 type_id: 11" + times + "custom_properties { key: 'p' } }",
                invalid, "has no value");
  ExpectRefused("artifacts { id: 1 type_id: 11 name: '\\377'" + times + "}", invalid, "UTF-8");
  ExpectRefused("contexts { id: 1 type_id: 12" + times + "}", invalid, "no name");
  ExpectRefused("artifact_types { name: 't' }", invalid, "id 0");
  ExpectRefused("artifact_types { id: 50 }", invalid, "no name");
  ExpectRefused("artifact_types { id: 4 name: 't' }", invalid, "another kind");
  ExpectRefused("attributions { artifact_id: 9 context_id: 4 }", invalid, "no context has id 4");
  ExpectRefused("attributions { artifact_id: 8 context_id: 5 }", invalid, "no artifact has id 8");
  ExpectRefused("associations { execution_id: 7 context_id: 5 }", invalid, "no execution");
  ExpectRefused("parent_contexts { child_id: 5 parent_id: 3 }", invalid, "cycle");
  ExpectRefused("parent_contexts { child_id: 5 parent_id: 5 }", invalid, "cycle");
  ExpectRefused("events { artifact_id: 9 execution_id: 7 type: INPUT milliseconds_since_epoch: 1 }",
                invalid, "no execution has id 7");
  ExpectRefused("events { artifact_id: 9 execution_id: 6 milliseconds_since_epoch: 1 }", invalid,
                "no type");
  ExpectRefused("events { artifact_id: 9 execution_id: 6 type: INPUT }", invalid,
                "no type or time");
  ExpectSound();
}

TEST_F(ImportHandlersTest, RefuseWhatIsSomethingElse) {
  ASSERT_TRUE(IsOk(Begin("s")));
  ASSERT_TRUE(IsOk(Put(kRows)));
  const auto failed = StatusCode::kFailedPrecondition;
  ExpectRefused(
      "artifacts { id: 9 type_id: 11 create_time_since_epoch: 10 last_update_time_since_epoch: 9 }",
      failed, "another type or create time");
  ExpectRefused("artifact_types { id: 11 name: 'other' properties { key: 'p' value: INT } }",
                failed, "another type");
  ExpectRefused("artifact_types { id: 11 name: 'm' }", failed, "property 'p' of type 11");
  ExpectRefused("artifact_types { id: 11 name: 'm' properties { key: 'p' value: STRING } }", failed,
                "property 'p' of type 11");
  ExpectRefused("context_types { id: 13 name: 'c' }", failed, "had id 12");
  ASSERT_TRUE(IsOk(Put("context_types { id: 14 name: 'd' external_id: 'x' }")));
  ExpectRefused("context_types { id: 15 name: 'e' external_id: 'x' }", failed,
                "the external id of type 14");
  ExpectSound();
}

TEST_F(ImportHandlersTest, NameTheNodesThatAreTaken) {
  ASSERT_TRUE(IsOk(Begin("s")));
  ASSERT_TRUE(IsOk(Put(kRows)));
  const auto put = Put(R"(
      contexts { id: 6 type_id: 12 name: 'new' create_time_since_epoch: 1
                 last_update_time_since_epoch: 1 }
      contexts { id: 7 type_id: 12 name: 'r' create_time_since_epoch: 1
                 last_update_time_since_epoch: 1 }
      artifacts { id: 3 type_id: 11 external_id: 'x' create_time_since_epoch: 1
                  last_update_time_since_epoch: 1 })");
  ASSERT_TRUE(IsOk(put));
  EXPECT_EQ(put->nodes(), 1);
  ASSERT_EQ(put->taken_contexts_size(), 1);
  EXPECT_EQ(put->taken_contexts(0).index(), 1);
  EXPECT_TRUE(put->taken_contexts(0).name());
  EXPECT_FALSE(put->taken_contexts(0).external_id());
  ASSERT_EQ(put->taken_artifacts_size(), 1);
  EXPECT_EQ(put->taken_artifacts(0).index(), 0);
  EXPECT_FALSE(put->taken_artifacts(0).name());
  EXPECT_TRUE(put->taken_artifacts(0).external_id());
  EXPECT_EQ(put->taken_executions_size(), 0);
  EXPECT_FALSE(Find<Context>(store_, 7).has_value());
  EXPECT_FALSE(Find<Artifact>(store_, 3).has_value());
  ExpectSound();
}

TEST_F(ImportHandlersTest, AreBounded) {
  EXPECT_TRUE(Fails(Begin(""), StatusCode::kInvalidArgument, "source has 0 bytes"));
  EXPECT_TRUE(Fails(Begin(std::string(kMaxImportSourceBytes + 1, 's')),
                    StatusCode::kInvalidArgument, "source has 4097 bytes"));
  ASSERT_TRUE(IsOk(Begin(std::string(kMaxImportSourceBytes, 's'))));
  v1::PutImportRequest request;
  for (int i = 0; i <= kMaxImportRows / 2; ++i) {
    request.add_attributions();
    request.add_events();
  }
  EXPECT_TRUE(Fails(Put(request), StatusCode::kInvalidArgument, "1002 rows"));
  EXPECT_TRUE(Fails(End("last_type_id: -1"), StatusCode::kInvalidArgument, "last id is -1"));
  EXPECT_TRUE(Fails(End("last_context_id: 9007199254740992"), StatusCode::kInvalidArgument));
}

// Statistics keep no count of what may still get smaller ids.
TEST_F(ImportHandlersTest, StatisticsAreRightMeanwhile) {
  ASSERT_TRUE(IsOk(Begin("s")));
  const auto artifacts = [&] {
    v1::GetStatisticsResponse statistics;
    const auto bytes = CallBytes(kAdminServiceName, "GetStatistics", "");
    EXPECT_TRUE(bytes.ok() && statistics.ParseFromString(*bytes));
    int64_t nodes = 0;
    for (const auto& type : statistics.artifact_types()) nodes += type.nodes();
    return nodes;
  };
  EXPECT_EQ(artifacts(), 0);
  ASSERT_TRUE(IsOk(Put(kRows)));
  EXPECT_EQ(artifacts(), 2);
  ASSERT_TRUE(
      IsOk(Put("artifacts { id: 1 type_id: 11 create_time_since_epoch: 1 "
               "last_update_time_since_epoch: 1 }")));
  EXPECT_EQ(artifacts(), 3);
  ASSERT_TRUE(IsOk(End()));
  EXPECT_EQ(artifacts(), 3);
}

}  // namespace
}  // namespace pedigree
