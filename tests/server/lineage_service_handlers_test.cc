// Impact, Origins and Compare of pedigree.v1.LineageService, over a store filled by its own calls.
#include "server/lineage_service_handlers.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/server/test_store.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using ml_metadata::PutArtifactsResponse;
using ml_metadata::PutContextsResponse;
using ml_metadata::PutEventsResponse;
using ml_metadata::PutExecutionsResponse;
using testing::FromText;
using testing::TestStore;

template <class T>
::testing::AssertionResult IsOk(const absl::StatusOr<T>& result) {
  if (result.ok()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << result.status();
}
// Fails with this code, and with `part` somewhere in its message.
template <class T>
::testing::AssertionResult Fails(const absl::StatusOr<T>& result, StatusCode code,
                                 absl::string_view part = "") {
  const absl::Status& status = result.status();
  if (status.code() == code && absl::StrContains(status.message(), part)) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << status << "\nexpected '" << part << "'";
}

// Two trainings on one data set: artifacts 1 raw, 2 prepared, 3 and 4 models; executions 1 prepare,
// 2 and 3 train; contexts 1 and 2 are the runs of the trainings.
class LineageService : public ::testing::Test {
 protected:
  LineageService() {
    store_.Must<ml_metadata::PutTypesResponse>(
        "artifact_types { name: 'data' } execution_types { name: 'step' } "
        "context_types { name: 'run' }");
    store_.Must<PutContextsResponse>(
        "contexts { type_id: 12 name: 'run-1' } contexts { type_id: 12 name: 'run-2' }");
    store_.Must<PutArtifactsResponse>(
        "artifacts { type_id: 10 name: 'raw' uri: 's3://raw' } "
        "artifacts { type_id: 10 name: 'prepared' } "
        "artifacts { type_id: 10 name: 'm1' uri: 's3://m1' } "
        "artifacts { type_id: 10 name: 'm2' uri: 's3://m2' }");
    store_.Must<PutExecutionsResponse>(
        "executions { type_id: 11 } "
        "executions { type_id: 11 custom_properties { key: 'lr' value { double_value: 0.1 } } } "
        "executions { type_id: 11 custom_properties { key: 'lr' value { double_value: 0.5 } } }");
    store_.Must<ml_metadata::PutAttributionsAndAssociationsResponse>(
        "attributions { artifact_id: 3 context_id: 1 } "
        "attributions { artifact_id: 4 context_id: 2 } "
        "associations { execution_id: 3 context_id: 2 }");
    Connect(1, 1, "INPUT", "raw");
    Connect(2, 1, "OUTPUT", "data");
    Connect(2, 2, "INPUT", "data");
    Connect(2, 3, "INPUT", "data");
    Connect(3, 2, "OUTPUT", "model");
    Connect(4, 3, "OUTPUT", "model");
  }

  void Connect(int64_t artifact, int64_t execution, const std::string& type,
               const std::string& path) {
    store_.Must<PutEventsResponse>(absl::StrCat("events { artifact_id: ", artifact,
                                                " execution_id: ", execution, " type: ", type,
                                                " path { steps { key: '", path, "' } } }"));
  }

  // The answer as text; what tests compare with.
  template <class Response, class Request>
  absl::StatusOr<Response> Call(absl::Status (*handler)(const Reader&, const Request&, Answer*),
                                const std::string& text, const ReadLimits& limits = {}) {
    Response response;
    absl::Status status =
        store_.store().Read(Blocking::kAllowed, [&](const Reader& given) -> absl::Status {
          const Reader reader(std::make_shared<const Version>(given.version()), Blocking::kAllowed,
                              limits);
          Answer answer(reader.catalog());
          absl::Status handled = handler(reader, FromText<Request>(text), &answer);
          if (handled.ok()) handled = answer.status();
          EXPECT_TRUE(!handled.ok() || response.ParseFromString(answer.Release()));
          return handled;
        });
    if (!status.ok()) return status;
    return response;
  }
  absl::StatusOr<v1::ImpactResponse> Impact(const std::string& text,
                                            const ReadLimits& limits = {}) {
    return Call<v1::ImpactResponse>(&pedigree::Impact, text, limits);
  }
  absl::StatusOr<v1::OriginsResponse> Origins(const std::string& text,
                                              const ReadLimits& limits = {}) {
    return Call<v1::OriginsResponse>(&pedigree::Origins, text, limits);
  }
  absl::StatusOr<v1::CompareResponse> Compare(const std::string& text,
                                              const ReadLimits& limits = {}) {
    return Call<v1::CompareResponse>(&pedigree::Compare, text, limits);
  }

  template <class Message>
  void ExpectAnswer(const absl::StatusOr<Message>& answer, const std::string& text) {
    ASSERT_TRUE(IsOk(answer));
    testing::ExpectEqual(*answer, FromText<Message>(text));
  }

  TestStore store_;
};

const std::string kRaw = "start { nodes { kind: ARTIFACT id: 1 } } ";
const std::string kModel = "start { nodes { kind: ARTIFACT id: 4 } } ";

TEST_F(LineageService, CountsTheImpact) {
  ExpectAnswer(Impact(kRaw),
               "artifacts: 3 executions: 3 max_hops: 4 "
               "types { kind: ARTIFACT type_id: 10 type: 'data' count: 3 } "
               "types { kind: EXECUTION type_id: 11 type: 'step' count: 3 } "
               "contexts { context_id: 2 name: 'run-2' type: 'run' artifacts: 1 executions: 1 } "
               "contexts { context_id: 1 name: 'run-1' type: 'run' artifacts: 1 } "
               "contexts_in_all: 2 completeness { complete: true }");
  ExpectAnswer(Impact(kRaw + "max_contexts: 1 scope { max_hops: 2 }"),
               "artifacts: 1 executions: 1 max_hops: 2 "
               "types { kind: ARTIFACT type_id: 10 type: 'data' count: 1 } "
               "types { kind: EXECUTION type_id: 11 type: 'step' count: 1 } "
               "completeness { reason: 'the walk ended after max_hops = 2' }");
}

TEST_F(LineageService, CountsTheImpactUpstreamAndOfWhatAFilterFinds) {
  auto answer = Impact("start { artifact_filter: \"uri LIKE 's3://m%'\" } direction: UPSTREAM");
  ASSERT_TRUE(IsOk(answer));
  EXPECT_EQ(answer->artifacts(), 2);
  EXPECT_EQ(answer->executions(), 3);
  answer = Impact(kRaw + "scope { artifact_filter: \"name != 'm1'\" stop_executions: 'id = 3' }");
  ASSERT_TRUE(IsOk(answer));
  EXPECT_EQ(answer->artifacts(), 1);
  EXPECT_EQ(answer->executions(), 3);
  EXPECT_TRUE(answer->completeness().complete());
}

TEST_F(LineageService, SaysIfThereIsACycle) {
  Connect(4, 3, "INPUT", "feedback");
  EXPECT_TRUE(Impact(kRaw)->completeness().has_cycle());
  EXPECT_TRUE(Origins(kModel)->completeness().has_cycle());
  EXPECT_TRUE(Compare("artifact_a: 3 artifact_b: 4 ")->completeness().has_cycle());
}

TEST_F(LineageService, FindsOrigins) {
  ExpectAnswer(Origins(kModel),
               "sources { ref { kind: ARTIFACT id: 1 } hops: 4 } "
               "dominators { ref { kind: EXECUTION id: 3 } hops: 1 } "
               "dominators { ref { kind: ARTIFACT id: 2 } hops: 2 } "
               "dominators { ref { kind: EXECUTION id: 1 } hops: 3 } "
               "dominators { ref { kind: ARTIFACT id: 1 } hops: 4 } "
               "artifacts: 2 executions: 2 completeness { complete: true }");
  ExpectAnswer(Origins(kModel + "scope { max_hops: 2 }"),
               "sources { ref { kind: ARTIFACT id: 2 } hops: 2 is_boundary: true } "
               "dominators { ref { kind: EXECUTION id: 3 } hops: 1 } "
               "dominators { ref { kind: ARTIFACT id: 2 } hops: 2 is_boundary: true } "
               "artifacts: 1 executions: 1 "
               "completeness { reason: 'the walk ended after max_hops = 2' }");
}

TEST_F(LineageService, AnswersOriginsWithBodies) {
  const auto answer = Origins(kModel + "content: BODIES");
  ASSERT_TRUE(IsOk(answer));
  ASSERT_EQ(answer->sources_size(), 1);
  EXPECT_EQ(answer->sources(0).artifact().name(), "raw");
  EXPECT_EQ(answer->sources(0).artifact().type(), "data");
  ASSERT_EQ(answer->dominators_size(), 4);
  EXPECT_EQ(answer->dominators(0).execution().id(), 3);
}

TEST_F(LineageService, ComparesTwoModels) {
  ExpectAnswer(Compare("artifact_a: 3 artifact_b: 4"),
               "differing { a { kind: ARTIFACT id: 3 } b { kind: ARTIFACT id: 4 } "
               "  differences { field: 'uri' a: '\"s3://m1\"' b: '\"s3://m2\"' } } "
               "differing { a { kind: EXECUTION id: 2 } b { kind: EXECUTION id: 3 } "
               "  way: 'model' hops: 1 "
               "  differences { field: 'custom_properties.lr' a: '0.1' b: '0.5' } } "
               "shared_nodes: 1 completeness { complete: true }");
  const auto cut = Compare("artifact_a: 3 artifact_b: 4 scope { max_hops: 0 }");
  ASSERT_TRUE(IsOk(cut));
  EXPECT_EQ(cut->differing_size(), 1);
  EXPECT_EQ(cut->completeness().reason(), "the walk ended after max_hops = 0");
}

TEST_F(LineageService, ComparesWhatOnlyOneHas) {
  store_.Must<PutArtifactsResponse>("artifacts { type_id: 10 name: 'vocabulary' }");
  Connect(5, 3, "INPUT", "vocabulary");
  const auto answer = Compare("artifact_a: 3 artifact_b: 4");
  ASSERT_TRUE(IsOk(answer));
  ASSERT_EQ(answer->only_b_size(), 1);
  testing::ExpectEqual(answer->only_b(0),
                       FromText<v1::CompareResponse::Single>(
                           "ref { kind: ARTIFACT id: 5 } way: 'model / vocabulary' hops: 2 "
                           "name: 'vocabulary' type: 'data'"));
  EXPECT_EQ(Compare("artifact_a: 3 artifact_b: 4 scope { artifact_filter: \"name != "
                    "'vocabulary'\" }")
                ->only_b_size(),
            0);
}

TEST_F(LineageService, LooksBackInTime) {
  const int64_t before_ms = store_.clock_ms();
  store_.MoveClock(1000);
  store_.Must<PutArtifactsResponse>("artifacts { type_id: 10 name: 'older' }");
  Connect(5, 1, "INPUT", "raw");
  const std::string then = absl::StrCat("scope { as_of_ms: ", before_ms, " }");
  EXPECT_EQ(Origins(kModel)->sources_size(), 2);
  const auto answer = Origins(kModel + then);
  ASSERT_TRUE(IsOk(answer));
  EXPECT_EQ(answer->sources_size(), 1);
  EXPECT_TRUE(answer->completeness().bodies_are_of_now());
  EXPECT_TRUE(answer->completeness().complete());
  EXPECT_FALSE(Origins(kModel)->completeness().bodies_are_of_now());
  EXPECT_TRUE(
      Fails(Compare("artifact_a: 3 artifact_b: 5 " + then), StatusCode::kNotFound, "artifact_b"));
}

TEST_F(LineageService, RefusesWhatIsWrong) {
  EXPECT_TRUE(Fails(Impact(""), StatusCode::kInvalidArgument, "start"));
  EXPECT_TRUE(
      Fails(Impact(kRaw + "max_contexts: -1"), StatusCode::kInvalidArgument, "max_contexts is -1"));
  EXPECT_TRUE(
      Fails(Impact(kRaw + "max_contexts: 10001"), StatusCode::kInvalidArgument, "max_contexts"));
  EXPECT_TRUE(Fails(Impact(kRaw + "direction: 7"), StatusCode::kInvalidArgument, "direction"));
  EXPECT_TRUE(Fails(Impact("start { nodes { kind: ARTIFACT id: 99 } }"), StatusCode::kNotFound));
  EXPECT_TRUE(Fails(Origins(kRaw + "content: 7"), StatusCode::kInvalidArgument, "content"));
  EXPECT_TRUE(
      Fails(Origins(kRaw + "scope { max_hops: -1 }"), StatusCode::kInvalidArgument, "max_hops"));
  EXPECT_TRUE(Fails(Origins(kRaw + "scope { artifact_filter: 'nonsense =' }"),
                    StatusCode::kInvalidArgument, "artifact_filter"));
  EXPECT_TRUE(Fails(Compare(""), StatusCode::kNotFound, "artifact_a"));
  EXPECT_TRUE(Fails(Compare("artifact_a: 1 artifact_b: 9"), StatusCode::kNotFound, "artifact_b"));
  EXPECT_TRUE(Fails(Compare("artifact_a: 1 artifact_b: 2 scope { stop_artifacts: '(' }"),
                    StatusCode::kInvalidArgument, "stop_artifacts"));
}

TEST_F(LineageService, AnswersNothingInPartBeyondTheLimits) {
  ml_metadata::PutArtifactsRequest artifacts;
  ml_metadata::PutExecutionsRequest executions;
  ml_metadata::PutEventsRequest events;
  constexpr int64_t kLength = 3000;
  for (int64_t i = 0; i < kLength; ++i) {
    artifacts.add_artifacts()->set_type_id(10);
    executions.add_executions()->set_type_id(11);
    const auto add = [&](int64_t artifact, ml_metadata::Event::Type type) {
      ml_metadata::Event* event = events.add_events();
      event->set_artifact_id(artifact);
      event->set_execution_id(4 + i);
      event->set_type(type);
    };
    add(4 + i, ml_metadata::Event::INPUT);
    add(5 + i, ml_metadata::Event::OUTPUT);
  }
  store_.Must<PutArtifactsResponse>(artifacts);
  store_.Must<PutExecutionsResponse>(executions);
  store_.Must<PutEventsResponse>(events);
  ReadLimits limits;
  limits.max_query_visits = 500;
  const std::string last = absl::StrCat(4 + kLength);
  const std::string text = "too large for one answer: it takes more than 500 steps";
  EXPECT_TRUE(Fails(Impact("start { nodes { kind: ARTIFACT id: 4 } }", limits),
                    StatusCode::kResourceExhausted, text));
  EXPECT_TRUE(
      Fails(Origins(absl::StrCat("start { nodes { kind: ARTIFACT id: ", last, "} }"), limits),
            StatusCode::kResourceExhausted, text));
  EXPECT_TRUE(Fails(Compare(absl::StrCat("artifact_a: ", last, " artifact_b: ", kLength), limits),
                    StatusCode::kResourceExhausted, text));
  EXPECT_TRUE(IsOk(Impact("start { nodes { kind: ARTIFACT id: 4 } }")));
}

}  // namespace
}  // namespace pedigree
