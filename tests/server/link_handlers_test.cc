// Events, attributions, associations and parent contexts.
#include <gtest/gtest.h>

#include <string>
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
using ::pedigree::testing::FromText;
using ::pedigree::testing::GraphTest;
using IdList = std::vector<int64_t>;

// Texts of bad ids: unset, zero, negative, unknown, the ends of the range.
constexpr const char* kBadIds[] = {
    "", "0", "-1", "99", "-9223372036854775808", "9223372036854775807"};

std::string Field(const char* name, const std::string& value) {
  return value.empty() ? "" : absl::StrCat(name, ": ", value, " ");
}

using PutEvents = GraphTest;

TEST_F(PutEvents, AreAnsweredByIdThenInTheOrderOfInsertion) {
  Fill(3, 2, 0);
  const auto put = [this](int artifact, int execution, const char* type) {
    store_.Must<mlmd::PutEventsResponse>(absl::StrCat(
        "events { artifact_id: ", artifact, " execution_id: ", execution, " type: ", type, " }"));
  };
  put(3, 2, "OUTPUT");
  put(1, 2, "INPUT");
  put(3, 1, "INPUT");
  put(1, 1, "DECLARED_INPUT");
  put(1, 2, "OUTPUT");
  const auto text = [](const auto& response) {
    std::string all;
    for (const mlmd::Event& event : response.events()) {
      absl::StrAppend(&all, event.execution_id(), "-", event.artifact_id(), " ");
    }
    return all;
  };
  using ByExecution = mlmd::GetEventsByExecutionIDsResponse;
  using ByArtifact = mlmd::GetEventsByArtifactIDsResponse;
  EXPECT_EQ(text(store_.Must<ByExecution>("execution_ids: [2, 1, 2, 9, 0, -1]")),
            "1-3 1-1 2-3 2-1 2-1 ");
  EXPECT_EQ(text(store_.Must<ByArtifact>("artifact_ids: [3, 1, 2, 9]")), "2-1 1-1 2-1 2-3 1-3 ");
  EXPECT_EQ(text(store_.Must<ByExecution>("")), "");
  EXPECT_EQ(text(store_.Must<ByArtifact>("")), "");
}

TEST_F(PutEvents, RoundTripWholeAndGetTheServersTimeIfTheyHaveNone) {
  Fill(1, 1, 0);
  const std::string full =
      "artifact_id: 1 execution_id: 1 type: OUTPUT milliseconds_since_epoch: -5 "
      "path { steps { index: 0 } steps { key: '' } steps { key: 'k\xc3\xa9' } steps { } } "
      "system_metadata { type_url: 'a/b' value: '\\377' }";
  const std::string bare = "artifact_id: 1 execution_id: 1 type: INPUT ";
  store_.Must<mlmd::PutEventsResponse>(
      absl::StrCat("events { ", full, " } events { ", bare, " path { } }"));
  store_.MoveClock(1000);
  const auto events = EventsOfExecution(1);
  ASSERT_EQ(events.size(), 2U);
  ExpectEqual(events[0], FromText<mlmd::Event>(full));
  ExpectEqual(events[1], FromText<mlmd::Event>(absl::StrCat(
                             bare, "milliseconds_since_epoch: ", store_.clock_ms() - 1000)));
}

TEST_F(PutEvents, AllTypesButUnknownAreAccepted) {
  Fill(1, 1, 0);
  for (int type = 1; type <= 7; ++type) {
    store_.Must<mlmd::PutEventsResponse>(
        absl::StrCat("events { artifact_id: 1 execution_id: 1 type: ",
                     mlmd::Event::Type_Name(static_cast<mlmd::Event::Type>(type)), " }"));
  }
  EXPECT_EQ(EventsOfExecution(1).size(), 7U);
  Refused("PutEvents", "events { artifact_id: 1 execution_id: 1 type: UNKNOWN }",
          StatusCode::kInvalidArgument);
  Refused("PutEvents", "events { artifact_id: 1 execution_id: 1 }", StatusCode::kInvalidArgument);
}

TEST_F(PutEvents, NeedBothNodes) {
  Fill(1, 1, 0);
  for (const std::string bad : kBadIds) {
    Refused("PutEvents",
            absl::StrCat("events { type: INPUT execution_id: 1 ", Field("artifact_id", bad), "}"),
            StatusCode::kInvalidArgument);
    Refused("PutEvents",
            absl::StrCat("events { type: INPUT artifact_id: 1 ", Field("execution_id", bad), "}"),
            StatusCode::kInvalidArgument);
  }
}

TEST_F(PutEvents, AreStoredAllOrNone) {
  Fill(2, 1, 0);
  const std::string good =
      "events { artifact_id: 1 execution_id: 1 type: INPUT } "
      "events { artifact_id: 2 execution_id: 1 type: OUTPUT } ";
  Refused("PutEvents", good + "events { artifact_id: 1 execution_id: 1 type: INPUT }",
          StatusCode::kAlreadyExists);
  Refused("PutEvents", good + "events { artifact_id: 3 execution_id: 1 type: INPUT }",
          StatusCode::kInvalidArgument);
  store_.Must<mlmd::PutEventsResponse>(good);
  Refused("PutEvents", "events { artifact_id: 1 execution_id: 1 type: OUTPUT } " + good,
          StatusCode::kAlreadyExists);
  EXPECT_EQ(EventsOfExecution(1).size(), 2U);
}

TEST_F(PutEvents, HundredThousandIdsInOneReadAreAnswered) {
  Fill(1, 1, 0);
  store_.Must<mlmd::PutEventsResponse>("events { artifact_id: 1 execution_id: 1 type: INPUT }");
  mlmd::GetEventsByExecutionIDsRequest by_execution;
  mlmd::GetEventsByArtifactIDsRequest by_artifact;
  for (int64_t id = 100'000; id > 0; --id) {
    by_execution.add_execution_ids(id);
    by_artifact.add_artifact_ids(id);
  }
  EXPECT_EQ(store_.Must<mlmd::GetEventsByExecutionIDsResponse>(by_execution).events_size(), 1);
  EXPECT_EQ(store_.Must<mlmd::GetEventsByArtifactIDsResponse>(by_artifact).events_size(), 1);
}

using Links = GraphTest;

TEST_F(Links, RepeatsAreNoError) {
  Fill(2, 2, 2);
  const std::string links =
      "attributions { artifact_id: 2 context_id: 1 } attributions { artifact_id: 2 context_id: 2 } "
      "attributions { artifact_id: 2 context_id: 1 } "
      "associations { execution_id: 1 context_id: 2 } ";
  using Response = mlmd::PutAttributionsAndAssociationsResponse;
  store_.Must<Response>(links);
  const auto before = store_.Dump();
  store_.Must<Response>(links);
  store_.Must<Response>("");
  EXPECT_EQ(Difference(before, store_.Dump()), "");
  EXPECT_EQ(ContextsOfArtifact(2), (IdList{1, 2}));
  EXPECT_EQ(ArtifactsOfContext(1), IdList{2});
  EXPECT_EQ(ExecutionsOfContext(1), IdList{});
  EXPECT_EQ(ExecutionsOfContext(2), IdList{1});
}

TEST_F(Links, BeyondWhatARecordHoldsAreKept) {
  constexpr int kContexts = 40;
  Fill(1, 0, kContexts);
  std::string links;
  IdList all;
  for (int64_t id = kContexts; id > 0; --id) {
    absl::StrAppend(&links, "attributions { artifact_id: 1 context_id: ", id, " } ");
    all.insert(all.begin(), id);
  }
  store_.Must<mlmd::PutAttributionsAndAssociationsResponse>(links);
  EXPECT_EQ(ContextsOfArtifact(1), all);
  store_.Must<mlmd::PutArtifactsResponse>("artifacts { id: 1 uri: 'u' }");
  EXPECT_EQ(ContextsOfArtifact(1), all);
  EXPECT_EQ(ArtifactsOfContext(1), IdList{1});
}

TEST_F(Links, NeedBothNodesAndAreStoredAllOrNone) {
  Fill(1, 1, 1);
  const std::string good =
      "attributions { artifact_id: 1 context_id: 1 } associations { execution_id: 1 context_id: 1 "
      "}";
  for (const std::string bad : kBadIds) {
    for (const char* other : {"", "context_id: 1 "}) {
      Refused("PutAttributionsAndAssociations",
              absl::StrCat(good, "attributions { ", other, Field("artifact_id", bad), "}"),
              StatusCode::kInvalidArgument);
      Refused("PutAttributionsAndAssociations",
              absl::StrCat(good, "associations { ", other, Field("execution_id", bad), "}"),
              StatusCode::kInvalidArgument);
    }
    Refused("PutAttributionsAndAssociations",
            absl::StrCat(good, "attributions { artifact_id: 1 ", Field("context_id", bad), "}"),
            StatusCode::kInvalidArgument);
    Refused("PutAttributionsAndAssociations",
            absl::StrCat(good, "associations { execution_id: 1 ", Field("context_id", bad), "}"),
            StatusCode::kInvalidArgument);
  }
}

TEST_F(Links, ContextsOfANodeWithoutAnyAreNotFound) {
  Fill(1, 1, 0);
  for (const std::string id : {"", "1", "99", "-1"}) {
    Refused("GetContextsByArtifact", Field("artifact_id", id), StatusCode::kNotFound);
    Refused("GetContextsByExecution", Field("execution_id", id), StatusCode::kNotFound);
  }
}

class Parents : public GraphTest {
 protected:
  static std::string Pair(int64_t child, int64_t parent) {
    return absl::StrCat("parent_contexts { child_id: ", child, " parent_id: ", parent, " } ");
  }
  void Put(const std::string& pairs) { store_.Must<mlmd::PutParentContextsResponse>(pairs); }
};

TEST_F(Parents, AreAnsweredInBothDirectionsInIdOrder) {
  Fill(0, 0, 5);
  Put(Pair(5, 4) + Pair(5, 1) + Pair(3, 1) + Pair(4, 3));
  const auto parents = store_.Must<mlmd::GetParentContextsByContextResponse>("context_id: 5");
  EXPECT_EQ(Ids(parents.contexts()), (IdList{1, 4}));
  EXPECT_EQ(parents.contexts(0).type(), "c");
  EXPECT_EQ(parents.contexts(0).name(), "c1");
  const auto children = store_.Must<mlmd::GetChildrenContextsByContextResponse>("context_id: 1");
  EXPECT_EQ(Ids(children.contexts()), (IdList{3, 5}));
  for (const char* none : {"", "context_id: 2", "context_id: 99", "context_id: -1"}) {
    EXPECT_EQ(store_.Must<mlmd::GetParentContextsByContextResponse>(none).contexts_size(), 0);
    EXPECT_EQ(store_.Must<mlmd::GetChildrenContextsByContextResponse>(none).contexts_size(), 0);
  }
}

TEST_F(Parents, OfManyContextsAreOneEntryEachForThoseThatHaveAny) {
  Fill(0, 0, 5);
  Put(Pair(5, 4) + Pair(5, 1) + Pair(3, 1) + Pair(4, 3));
  const auto parents = store_.Must<mlmd::GetParentContextsByContextsResponse>(
      "context_ids: [5, 2, 4, 5, 99, 0, -1]");
  ASSERT_EQ(parents.contexts_size(), 2);
  EXPECT_EQ(Ids(parents.contexts().at(5).parent_contexts()), (IdList{1, 4}));
  EXPECT_EQ(Ids(parents.contexts().at(4).parent_contexts()), IdList{3});
  ExpectEqual(parents.contexts().at(4).parent_contexts(0),
              store_.Must<mlmd::GetContextsByIDResponse>("context_ids: 3").contexts(0));

  const auto children =
      store_.Must<mlmd::GetChildrenContextsByContextsResponse>("context_ids: [1, 5, 3, 99]");
  ASSERT_EQ(children.contexts_size(), 2);
  EXPECT_EQ(Ids(children.contexts().at(1).children_contexts()), (IdList{3, 5}));
  EXPECT_EQ(Ids(children.contexts().at(3).children_contexts()), IdList{4});
  EXPECT_EQ(children.contexts().at(1).children_contexts(0).type(), "c");

  EXPECT_EQ(store_.Must<mlmd::GetParentContextsByContextsResponse>("").contexts_size(), 0);
  EXPECT_EQ(store_.Must<mlmd::GetChildrenContextsByContextsResponse>("").contexts_size(), 0);
}

TEST_F(Parents, OfHundredThousandContextsAreAnswered) {
  Fill(0, 0, 2);
  Put(Pair(2, 1));
  mlmd::GetParentContextsByContextsRequest parents;
  mlmd::GetChildrenContextsByContextsRequest children;
  for (int64_t id = 100'000; id > 0; --id) {
    parents.add_context_ids(id);
    children.add_context_ids(id);
  }
  EXPECT_EQ(store_.Must<mlmd::GetParentContextsByContextsResponse>(parents).contexts_size(), 1);
  EXPECT_EQ(store_.Must<mlmd::GetChildrenContextsByContextsResponse>(children).contexts_size(), 1);
}

TEST_F(Parents, RepeatsExistAlready) {
  Fill(0, 0, 3);
  Put(Pair(2, 1));
  Refused("PutParentContexts", Pair(2, 1), StatusCode::kAlreadyExists);
  Refused("PutParentContexts", Pair(3, 1) + Pair(3, 1), StatusCode::kAlreadyExists);
  Put(Pair(3, 1));
}

TEST_F(Parents, LoopsAreRefused) {
  Fill(0, 0, 4);
  Put(Pair(2, 1) + Pair(3, 2));
  Refused("PutParentContexts", Pair(1, 1), StatusCode::kInvalidArgument);
  Refused("PutParentContexts", Pair(1, 2), StatusCode::kInvalidArgument);
  Refused("PutParentContexts", Pair(1, 3), StatusCode::kInvalidArgument);
  // A loop that closes within one request.
  Refused("PutParentContexts", Pair(1, 4) + Pair(4, 3), StatusCode::kInvalidArgument);
  Put(Pair(3, 1));  // A second way up is no loop.
}

TEST_F(Parents, NeedBothContexts) {
  Fill(0, 0, 2);
  for (const std::string bad : kBadIds) {
    Refused(
        "PutParentContexts",
        absl::StrCat(Pair(2, 1), "parent_contexts { child_id: 1 ", Field("parent_id", bad), "}"),
        StatusCode::kInvalidArgument);
    Refused(
        "PutParentContexts",
        absl::StrCat(Pair(2, 1), "parent_contexts { parent_id: 1 ", Field("child_id", bad), "}"),
        StatusCode::kInvalidArgument);
  }
}

TEST_F(Parents, SurviveAnUpdateOfTheContext) {
  Fill(0, 0, 3);
  Put(Pair(3, 1) + Pair(3, 2));
  store_.Must<mlmd::PutContextsResponse>("contexts { id: 3 name: 'renamed' }");
  EXPECT_EQ(Ids(store_.Must<mlmd::GetParentContextsByContextResponse>("context_id: 3").contexts()),
            (IdList{1, 2}));
  EXPECT_EQ(
      store_.Must<mlmd::GetChildrenContextsByContextResponse>("context_id: 1").contexts(0).name(),
      "renamed");
}

}  // namespace
}  // namespace pedigree
