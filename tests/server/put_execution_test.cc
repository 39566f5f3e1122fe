// PutExecution and PutLineageSubgraph.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/server/graph_test.h"
#include "tests/server/test_store.h"

namespace pedigree {
namespace {

namespace mlmd = ml_metadata;
using absl::StatusCode;
using ::pedigree::testing::Difference;
using ::pedigree::testing::ExpectEqual;
using ::pedigree::testing::ExpectRefused;
using ::pedigree::testing::FromText;
using ::pedigree::testing::GraphTest;
using IdList = std::vector<int64_t>;

class PutExecution : public GraphTest {
 protected:
  mlmd::PutExecutionResponse Put(const std::string& text) {
    return store_.Must<mlmd::PutExecutionResponse>(text);
  }
  void Answers(const std::string& request, const std::string& response) {
    ExpectEqual(Put(request), FromText<mlmd::PutExecutionResponse>(response));
  }
  mlmd::Execution ReadExecution(int64_t id) {
    return store_.Must<mlmd::GetExecutionsByIDResponse>(absl::StrCat("execution_ids: ", id))
        .executions(0);
  }
  mlmd::Context ReadContext(int64_t id) {
    return store_.Must<mlmd::GetContextsByIDResponse>(absl::StrCat("context_ids: ", id))
        .contexts(0);
  }
  mlmd::Artifact ReadArtifact(int64_t id) {
    return store_.Must<mlmd::GetArtifactsByIDResponse>(absl::StrCat("artifact_ids: ", id))
        .artifacts(0);
  }
};

TEST_F(PutExecution, StoresEverythingAndLinksEverythingToEveryContext) {
  Fill(1, 0, 1);
  Answers(
      "execution { type_id: 11 last_known_state: COMPLETE } "
      "artifact_event_pairs { artifact { type_id: 10 uri: 'new' } event { type: OUTPUT } } "
      "artifact_event_pairs { event { artifact_id: 1 type: INPUT } } "
      "artifact_event_pairs { artifact { type_id: 10 uri: 'no event' } } "
      "artifact_event_pairs { } "
      "contexts { id: 1 name: 'c1' } contexts { type_id: 12 name: 'c2' }",
      "execution_id: 1 artifact_ids: [2, 1, 3, -1] context_ids: [1, 2]");
  for (const int64_t context : {1, 2}) {
    EXPECT_EQ(ArtifactsOfContext(context), (IdList{1, 2, 3}));
    EXPECT_EQ(ExecutionsOfContext(context), IdList{1});
  }
  for (const int64_t artifact : {1, 2, 3}) EXPECT_EQ(ContextsOfArtifact(artifact), (IdList{1, 2}));
  EXPECT_EQ(ContextsOfExecution(1), (IdList{1, 2}));
  const auto events = EventsOfExecution(1);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].artifact_id(), 2);
  EXPECT_EQ(events[1].artifact_id(), 1);
  EXPECT_EQ(events[0].execution_id(), 1);
}

TEST_F(PutExecution, IdsOfEventsMayRepeatTheirPairButNotContradictIt) {
  Fill(2, 1, 0);
  Put("execution { id: 1 } "
      "artifact_event_pairs { artifact { id: 1 } event { artifact_id: 1 execution_id: 1 type: "
      "INPUT } }");
  const auto pair = [](const std::string& text) {
    return absl::StrCat("execution { id: 1 } artifact_event_pairs { ", text, " }");
  };
  Refused("PutExecution", pair("artifact { id: 1 } event { artifact_id: 2 type: OUTPUT }"),
          StatusCode::kInvalidArgument);
  Refused("PutExecution", pair("artifact { id: 1 } event { execution_id: 2 type: OUTPUT }"),
          StatusCode::kInvalidArgument);
  Refused("PutExecution", pair("artifact { type_id: 10 } event { artifact_id: 1 type: OUTPUT }"),
          StatusCode::kInvalidArgument);
  Refused("PutExecution", pair("event { type: OUTPUT }"), StatusCode::kInvalidArgument);
}

TEST_F(PutExecution, StoresAllOrNothing) {
  Fill(1, 1, 1);
  Put("execution { id: 1 } artifact_event_pairs { event { artifact_id: 1 type: INPUT } }");
  const std::string execution =
      "execution { id: 1 custom_properties { key: 'k' value { int_value: 1 } } } ";
  const std::string good =
      "artifact_event_pairs { artifact { type_id: 10 name: 'n' external_id: 'x' } "
      "event { type: OUTPUT } } "
      "contexts { id: 1 name: 'renamed' } contexts { type_id: 12 name: 'c2' } ";
  const std::pair<const char*, StatusCode> bad[] = {
      // Artifacts.
      {"artifact_event_pairs { artifact { } }", StatusCode::kInvalidArgument},
      {"artifact_event_pairs { artifact { type_id: 99 } }", StatusCode::kNotFound},
      {"artifact_event_pairs { artifact { type_id: 11 } }", StatusCode::kNotFound},
      {"artifact_event_pairs { artifact { id: 99 } }", StatusCode::kInvalidArgument},
      {"artifact_event_pairs { artifact { id: -1 } }", StatusCode::kInvalidArgument},
      {"artifact_event_pairs { artifact { type_id: 10 name: 'n' } }", StatusCode::kAlreadyExists},
      {"artifact_event_pairs { artifact { type_id: 10 external_id: 'x' } }",
       StatusCode::kAlreadyExists},
      {"artifact_event_pairs { artifact { type_id: 10 properties { key: 'i' value { } } } }",
       StatusCode::kInvalidArgument},
      {"artifact_event_pairs { artifact { type_id: 10 properties { key: 'z' "
       "value { int_value: 1 } } } }",
       StatusCode::kInvalidArgument},
      // Events, dangling ones above all.
      {"artifact_event_pairs { event { artifact_id: 99 type: INPUT } }",
       StatusCode::kInvalidArgument},
      {"artifact_event_pairs { event { artifact_id: 0 type: INPUT } }",
       StatusCode::kInvalidArgument},
      {"artifact_event_pairs { event { artifact_id: 1 } }", StatusCode::kInvalidArgument},
      {"artifact_event_pairs { event { artifact_id: 1 type: UNKNOWN } }",
       StatusCode::kInvalidArgument},
      {"artifact_event_pairs { event { artifact_id: 1 type: INPUT } }", StatusCode::kAlreadyExists},
      {"artifact_event_pairs { event { artifact_id: 1 type: OUTPUT } } "
       "artifact_event_pairs { event { artifact_id: 1 type: OUTPUT } }",
       StatusCode::kAlreadyExists},
      // Contexts.
      {"contexts { type_id: 12 }", StatusCode::kInvalidArgument},
      {"contexts { name: 'c3' }", StatusCode::kInvalidArgument},
      {"contexts { type_id: 99 name: 'c3' }", StatusCode::kNotFound},
      {"contexts { type_id: 12 name: 'c2' }", StatusCode::kAlreadyExists},
      {"contexts { id: 99 name: 'c3' }", StatusCode::kInvalidArgument},
      {"contexts { id: 0 name: 'c3' }", StatusCode::kInvalidArgument},
      {"contexts { id: -7 name: 'c3' }", StatusCode::kInvalidArgument},
      {"contexts { id: 1 type_id: 13 name: 'c1' }", StatusCode::kInvalidArgument},
      {"contexts { id: 1 }", StatusCode::kInvalidArgument},
  };
  for (const auto& [part, code] : bad) {
    Refused("PutExecution", absl::StrCat(execution, good, part), code);
  }
  Refused("PutExecution", "execution { type_id: 99 } " + good, StatusCode::kNotFound);
  Refused("PutExecution", "execution { } " + good, StatusCode::kInvalidArgument);
  Refused("PutExecution", "execution { id: 99 } " + good, StatusCode::kInvalidArgument);
  Refused("PutExecution", good, StatusCode::kInvalidArgument);
  Answers(execution + good, "execution_id: 1 artifact_ids: 2 context_ids: [1, 2]");
}

// Bad ids of contexts stand in records until the contexts' turn comes: whatever reads the records
// before must not stumble over them.
TEST_F(PutExecution, BadContextIdsAreRefusedAsSuch) {
  Fill(1, 0, 1);
  const std::string pairs =
      "artifact_event_pairs { event { artifact_id: 1 type: INPUT } } "
      "artifact_event_pairs { event { artifact_id: 1 type: OUTPUT } } "
      "artifact_event_pairs { artifact { id: 1 } } ";
  const auto context = [](const std::string& id) {
    return absl::StrCat("contexts { id: ", id, " name: 'x' } ");
  };
  const std::string first = "-9223372036854775808";
  const std::string last = "9223372036854775807";
  for (const char* options : {"", "options { force_reuse_context: true }"}) {
    const auto code = *options == '\0' ? StatusCode::kInvalidArgument : StatusCode::kNotFound;
    for (const std::string& contexts :
         {context("0"), context("-1"), context(first), context(last),
          context(first) + context(last), context("-1") + context("0") + context("1"),
          context(first) + context("5")}) {
      const std::string rest = absl::StrCat(contexts, options);
      Refused("PutExecution", "execution { type_id: 11 } " + rest, code);
      Refused("PutExecution", "execution { type_id: 11 } " + pairs + rest, code);
    }
  }
}

TEST_F(PutExecution, AResendOfWhatWasReadChangesNothing) {
  Put("execution { type_id: 11 name: 'run' last_known_state: RUNNING "
      "custom_properties { key: 'inputs' value { struct_value { fields { key: 'x' value { "
      "number_value: 1 } } fields { key: 'a' value { null_value: NULL_VALUE } } } } } "
      "custom_properties { key: 'task_name' value { string_value: '' } } } "
      "contexts { type_id: 12 name: 'pipeline' } "
      "contexts { type_id: 12 name: 'run' custom_properties { key: 'namespace' value { "
      "string_value: 'kubeflow' } } } "
      "artifact_event_pairs { artifact { type_id: 10 uri: 's3://a' state: LIVE } "
      "event { type: INPUT } }");
  store_.MoveClock(1000);
  const auto before = store_.Dump();
  // As KFP does: the objects as they were read, with type, times and ids.
  mlmd::PutExecutionRequest resend;
  *resend.mutable_execution() = ReadExecution(1);
  *resend.add_contexts() = ReadContext(1);
  *resend.add_contexts() = ReadContext(2);
  *resend.add_artifact_event_pairs()->mutable_artifact() = ReadArtifact(1);
  EXPECT_EQ(resend.execution().type(), "e");
  ExpectEqual(
      store_.Must<mlmd::PutExecutionResponse>(resend),
      FromText<mlmd::PutExecutionResponse>("execution_id: 1 artifact_ids: 1 context_ids: [1, 2]"));
  EXPECT_EQ(Difference(before, store_.Dump()), "");

  // One changed field changes that and the execution's time, and nothing else.
  resend.mutable_execution()->set_last_known_state(mlmd::Execution::COMPLETE);
  const auto artifact = ReadArtifact(1);
  const auto context = ReadContext(2);
  store_.Must<mlmd::PutExecutionResponse>(resend);
  auto expected = resend.execution();
  expected.set_last_update_time_since_epoch(store_.clock_ms());
  ExpectEqual(ReadExecution(1), expected);
  ExpectEqual(ReadArtifact(1), artifact);
  ExpectEqual(ReadContext(2), context);
  EXPECT_EQ(EventsOfExecution(1).size(), 1U);
}

TEST_F(PutExecution, AnUpdateWithoutContextsKeepsThem) {
  Put("execution { type_id: 11 } contexts { type_id: 12 name: 'c1' }");
  Put("execution { id: 1 custom_properties { key: 'pod' value { string_value: 'p' } } }");
  EXPECT_EQ(ContextsOfExecution(1), IdList{1});
}

TEST_F(PutExecution, ForceUpdateTimeMovesTheTimeOfAnUnchangedExecution) {
  Put("execution { type_id: 11 }");
  const int64_t time = ReadExecution(1).last_update_time_since_epoch();
  store_.MoveClock(10);
  Put("execution { id: 1 } options { force_update_time: false }");
  EXPECT_EQ(ReadExecution(1).last_update_time_since_epoch(), time);
  Put("execution { id: 1 } options { force_update_time: true }");
  EXPECT_EQ(ReadExecution(1).last_update_time_since_epoch(), time + 10);
  EXPECT_EQ(ReadExecution(1).create_time_since_epoch(), time);
}

TEST_F(PutExecution, ReusesAContextByTypeAndNameAsItIsStored) {
  Fill(0, 0, 1);
  const auto stored = ReadContext(1);
  store_.MoveClock(10);
  const std::string contexts =
      "contexts { type_id: 12 name: 'c1' external_id: 'ignored' custom_properties { key: 'k' "
      "value { int_value: 1 } } } contexts { type_id: 12 name: 'new' external_id: 'x' } "
      "contexts { type_id: 12 name: 'new' } ";
  const std::string reuse = "options { reuse_context_if_already_exist: true } ";
  Refused("PutExecution", "execution { type_id: 11 } " + contexts, StatusCode::kAlreadyExists);
  Answers("execution { type_id: 11 } " + contexts + reuse,
          "execution_id: 1 context_ids: [1, 2, 2]");
  ExpectEqual(ReadContext(1), stored);
  EXPECT_EQ(ContextsOfExecution(1), (IdList{1, 2}));
  // Another context has that external id: a conflict, not a retry.
  Refused("PutExecution",
          "execution { type_id: 11 } contexts { type_id: 12 name: 'c9' external_id: 'x' } " + reuse,
          StatusCode::kAlreadyExists);
  Refused("PutExecution", "execution { type_id: 11 } contexts { type_id: 12 } " + reuse,
          StatusCode::kInvalidArgument);
}

TEST_F(PutExecution, ReusesAnArtifactByExternalIdAndUpdatesIt) {
  store_.Must<mlmd::PutArtifactsResponse>("artifacts { type_id: 10 external_id: 'x' uri: 'old' }");
  const std::string request =
      "execution { type_id: 11 } artifact_event_pairs { artifact { type_id: 10 external_id: 'x' "
      "uri: 'new' } event { type: OUTPUT } } ";
  Refused("PutExecution", request, StatusCode::kAlreadyExists);
  Answers(request + "options { reuse_artifact_if_already_exist_by_external_id: true }",
          "execution_id: 1 artifact_ids: 1");
  EXPECT_EQ(ReadArtifact(1).uri(), "new");
}

TEST_F(PutExecution, ForceReuseLinksContextsWithAnIdAndDoesNotTouchThem) {
  Fill(0, 0, 1);
  const auto stored = ReadContext(1);
  store_.MoveClock(10);
  Answers(
      "execution { type_id: 11 } contexts { id: 1 name: 'ignored' type_id: 99 } "
      "options { force_reuse_context: true }",
      "execution_id: 1 context_ids: 1");
  ExpectEqual(ReadContext(1), stored);
  Refused("PutExecution",
          "execution { type_id: 11 } contexts { id: 99 } options { force_reuse_context: true }",
          StatusCode::kNotFound);
}

using PutLineageSubgraph = PutExecution;

TEST_F(PutLineageSubgraph, StoresEverythingAndResolvesIndexes) {
  Fill(1, 1, 1);
  const auto response = store_.Must<mlmd::PutLineageSubgraphResponse>(
      "executions { type_id: 11 } executions { id: 1 } "
      "artifacts { type_id: 10 } artifacts { id: 1 } "
      "contexts { type_id: 12 name: 'c2' } contexts { id: 1 name: 'c1' } "
      "event_edges { execution_index: 0 artifact_index: 1 event { type: INPUT } } "
      "event_edges { execution_index: 1 event { artifact_id: 1 type: OUTPUT } } "
      "event_edges { artifact_index: 0 event { execution_id: 1 type: INPUT } }");
  ExpectEqual(response, FromText<mlmd::PutLineageSubgraphResponse>(
                            "execution_ids: [2, 1] artifact_ids: [2, 1] context_ids: [2, 1]"));
  EXPECT_EQ(EventsOfExecution(1).size(), 2U);
  EXPECT_EQ(EventsOfExecution(2).at(0).artifact_id(), 1);
  for (const int64_t context : {1, 2}) {
    EXPECT_EQ(ArtifactsOfContext(context), (IdList{1, 2}));
    EXPECT_EQ(ExecutionsOfContext(context), (IdList{1, 2}));
  }
}

TEST_F(PutLineageSubgraph, StoresAllOrNothing) {
  Fill(1, 1, 1);
  const std::string good =
      "executions { type_id: 11 name: 'e' } artifacts { type_id: 10 external_id: 'x' } "
      "contexts { type_id: 12 name: 'c2' } "
      "event_edges { execution_index: 0 artifact_index: 0 event { type: OUTPUT } } ";
  const std::pair<const char*, StatusCode> bad[] = {
      {"executions { type_id: 11 name: 'e' }", StatusCode::kAlreadyExists},
      {"executions { }", StatusCode::kInvalidArgument},
      {"artifacts { type_id: 10 external_id: 'x' }", StatusCode::kAlreadyExists},
      {"artifacts { id: 99 }", StatusCode::kInvalidArgument},
      {"contexts { type_id: 12 }", StatusCode::kInvalidArgument},
      {"contexts { type_id: 12 name: 'c1' }", StatusCode::kAlreadyExists},
      {"event_edges { }", StatusCode::kInvalidArgument},
      {"event_edges { execution_index: 0 artifact_index: 0 }", StatusCode::kInvalidArgument},
      {"event_edges { execution_index: 0 artifact_index: 0 event { } }",
       StatusCode::kInvalidArgument},
      {"event_edges { execution_index: 0 event { type: INPUT } }", StatusCode::kInvalidArgument},
      {"event_edges { artifact_index: 0 event { type: INPUT } }", StatusCode::kInvalidArgument},
      {"event_edges { execution_index: 0 event { artifact_id: 99 type: INPUT } }",
       StatusCode::kInvalidArgument},
      {"event_edges { artifact_index: 0 event { execution_id: 99 type: INPUT } }",
       StatusCode::kInvalidArgument},
      {"event_edges { execution_index: 0 artifact_index: 0 event { artifact_id: 1 type: INPUT } }",
       StatusCode::kInvalidArgument},
      {"event_edges { execution_index: 1 artifact_index: 0 event { type: INPUT } }",
       StatusCode::kOutOfRange},
      {"event_edges { execution_index: 0 artifact_index: -1 event { type: INPUT } }",
       StatusCode::kOutOfRange},
      {"event_edges { execution_index: -2147483648 artifact_index: 0 event { type: INPUT } }",
       StatusCode::kOutOfRange},
      {"event_edges { execution_index: 2147483647 artifact_index: 0 event { type: INPUT } }",
       StatusCode::kOutOfRange},
      {"event_edges { execution_index: 0 artifact_index: 0 event { type: OUTPUT } }",
       StatusCode::kAlreadyExists},
  };
  for (const auto& [part, code] : bad) Refused("PutLineageSubgraph", good + part, code);
  EXPECT_EQ(store_.Must<mlmd::PutLineageSubgraphResponse>(good).execution_ids(0), 2);
  EXPECT_EQ(store_.Must<mlmd::PutLineageSubgraphResponse>("").execution_ids_size(), 0);
}

}  // namespace
}  // namespace pedigree
