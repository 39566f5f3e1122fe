// What the planner chooses, and that its work follows the answer.
#include "query/filter_plan.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "query/filter_parser.h"
#include "query/filtered_list.h"
#include "query/list_page.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;
using ml_metadata::ListOperationOptions;

constexpr int kNodes = 1000;

// Executions 1 to 1000 of type "step", each with an artifact of its own id, in contexts of a
// hundred each; a name, an external id, a uri and properties that follow from the id.
class Planner : public testing::Test {
 protected:
  Planner() {
    EXPECT_TRUE(IsOk(store_->Write([&](Transaction& transaction) {
      for (int64_t id = 1; id <= kNodes; ++id) {
        absl::Status status = Put(transaction, id);
        if (!status.ok()) return status;
      }
      return absl::OkStatus();
    })));
  }

  absl::Status Put(Transaction& transaction, int64_t id) {
    if (id % 100 == 1) {
      Context context = NewNode<Context>(run_, absl::StrCat("run-", id / 100));
      if (auto put = transaction.Insert(&context, {}); !put.ok()) return put.status();
    }
    Execution execution = NewNode<Execution>(step_, absl::StrCat("e", id));
    execution.set_external_id(absl::StrCat("x", id));
    execution.set_last_known_state(id % 2 == 0 ? Execution::COMPLETE : Execution::FAILED);
    auto& properties = *execution.mutable_custom_properties();
    properties["cache_fingerprint"].set_string_value(absl::StrCat("f", id));
    properties["parent_dag_id"].set_int_value(id / 500);
    properties["free"].set_int_value(id);
    if (auto put = transaction.Insert(&execution, {(id - 1) / 100 + 1}); !put.ok()) {
      return put.status();
    }
    Artifact artifact = NewNode<Artifact>(model_);
    artifact.set_uri(absl::StrCat("u", id));
    if (auto put = transaction.Insert(&artifact, {}); !put.ok()) return put.status();
    Event event;
    event.set_execution_id(id);
    event.set_artifact_id(id);
    event.set_type(Event::OUTPUT);
    return AddEvents(transaction, {&event});
  }

  ListExplanation Explain(NodeKind kind, const std::string& filter,
                          ListScope scope = ListScope::All(), int32_t page_size = 20) {
    ListExplanation explanation;
    ListOperationOptions options;
    options.set_filter_query(filter);
    options.set_max_result_size(page_size);
    const ListQuery query = {"Explain", kind, scope, &options};
    EXPECT_TRUE(IsOk(store_->Read(Blocking::kAllowed, [&](const Reader& reader) {
      const auto page = ReadListPage(reader.catalog(), query);
      EXPECT_TRUE(IsOk(page));
      return ListFiltered(
                 reader, query, *page, [](int64_t, const RecordView&) {}, &explanation)
          .status();
    })));
    return explanation;
  }

  // The filter is answered with one row, from this source, matching no other node.
  void ExpectPoint(NodeKind kind, const std::string& filter, const std::string& source,
                   ListScope scope = ListScope::All()) {
    const ListExplanation explanation = Explain(kind, filter, scope);
    EXPECT_TRUE(absl::StrContains(explanation.source, source)) << explanation.source;
    EXPECT_EQ(explanation.rows, 1) << filter;
    EXPECT_EQ(explanation.candidates, 1) << filter;
    EXPECT_EQ(explanation.estimated_rows, 1) << filter;
    EXPECT_TRUE(explanation.is_estimate_exact) << filter;
    EXPECT_EQ(explanation.missing_index, "") << filter;
  }

  TestStore store_;
  const int64_t step_ = PutType<Execution>(store_, "step");
  const int64_t model_ = PutType<Artifact>(store_, "model");
  const int64_t run_ = PutType<Context>(store_, "run");
};

TEST_F(Planner, MakesPointLookUpsOfTheCommonQuestions) {
  constexpr NodeKind kExecution = NodeKind::kExecution;
  ExpectPoint(kExecution, "id = 7", "look-ups of 1 execution");
  ExpectPoint(kExecution, "7 = id AND last_known_state = FAILED", "look-ups of");
  ExpectPoint(kExecution, "name = 'e7' AND type = 'step'", "look-ups of");
  ExpectPoint(kExecution, "name = 'e7'", "look-ups of");
  ExpectPoint(kExecution, "name = 'e7'", "look-ups of", ListScope::Type(step_));
  ExpectPoint(kExecution, "external_id = 'x7'", "look-ups of");
  ExpectPoint(kExecution, "custom_properties.cache_fingerprint.string_value = 'f7'",
              "index on custom_properties.cache_fingerprint");
  ExpectPoint(kExecution, "events_0.artifact_id = 7", "events of artifacts");
  ExpectPoint(NodeKind::kArtifact, "uri = 'u7'", "index on uri");
  ExpectPoint(NodeKind::kArtifact, "events_0.execution_id = 7", "events of executions");
  ExpectPoint(NodeKind::kContext, "executions_a.id = 7", "executions_a");
  ExpectPoint(NodeKind::kContext, "executions_a.name = 'e7' AND executions_a.type = 'step'",
              "executions_a");
  ExpectPoint(NodeKind::kContext, "name = 'run-3'", "look-ups of");
}

TEST_F(Planner, ReadsShortListsWhole) {
  const auto in_run =
      Explain(NodeKind::kExecution, "contexts_a.name = 'run-3' AND last_known_state = FAILED");
  EXPECT_EQ(in_run.source, "posting list of contexts_a: 100 executions");
  EXPECT_LE(in_run.candidates, 100);
  EXPECT_EQ(Explain(NodeKind::kExecution, "id > 0", ListScope::Context(2)).source,
            "posting list of context 2: 100 executions");
  const auto either = Explain(NodeKind::kExecution,
                              "external_id = 'x7' OR name IN ('e8', 'e9') OR "
                              "(custom_properties.cache_fingerprint.string_value = 'f9' AND "
                              "custom_properties.free.int_value > 5)");
  EXPECT_EQ(either.source, "the branches of an OR: 3 executions");
  EXPECT_EQ(either.rows, 3);
}

TEST_F(Planner, StreamsLongLists) {
  const auto siblings =
      Explain(NodeKind::kExecution, "custom_properties.parent_dag_id.int_value = 1");
  EXPECT_EQ(siblings.source, "index on custom_properties.parent_dag_id");
  EXPECT_EQ(siblings.rows, 21);
  EXPECT_LT(siblings.candidates, 50) << "a page costs what it holds";
  EXPECT_FALSE(siblings.is_estimate_exact);
  EXPECT_EQ(siblings.estimated_rows, static_cast<int64_t>(kProbe));

  const auto of_type = Explain(NodeKind::kExecution, "type = 'step'");
  EXPECT_EQ(of_type.source, "posting lists of 1 type");
  EXPECT_LT(of_type.candidates, 50);
}

TEST_F(Planner, BoundsIdsAndTimes) {
  const auto late = Explain(NodeKind::kExecution, "id > 990 AND last_known_state = COMPLETE");
  EXPECT_EQ(late.source, "every execution");
  EXPECT_EQ(late.candidates, 10);
  EXPECT_EQ(late.rows, 5);
  EXPECT_EQ(Explain(NodeKind::kExecution, "id BETWEEN 5 AND 7").candidates, 3);
  EXPECT_EQ(Explain(NodeKind::kExecution, "id < 4 AND 2 <= id").candidates, 2);

  store_.SetClock(TestStore::kStartMs + 1000);
  ASSERT_TRUE(IsOk(Insert(store_, NewNode<Execution>(step_, "late"))));
  const auto new_ones = Explain(NodeKind::kExecution,
                                absl::StrCat("create_time_since_epoch > ", TestStore::kStartMs));
  EXPECT_EQ(new_ones.candidates, 1);
  EXPECT_EQ(new_ones.rows, 1);
}

TEST_F(Planner, NeverNarrowsByWhatNeedNotHold) {
  for (const char* filter :
       {"NOT (id = 7)", "id != 7", "id = 7 OR last_known_state = FAILED", "name = 'e7' OR id > 3",
        "external_id NOT IN ('x7')", "(id = 7) IS NOT TRUE",
        "custom_properties.cache_fingerprint.string_value != 'f7'"}) {
    const auto explanation = Explain(NodeKind::kExecution, filter, ListScope::All(), 100);
    EXPECT_EQ(explanation.source, "every execution") << filter;
    EXPECT_GT(explanation.rows, 50) << filter;
  }
}

TEST_F(Planner, NamesTheIndexThatIsMissing) {
  const std::string filter = "custom_properties.free.int_value = 7 AND type = 'step'";
  EXPECT_EQ(Explain(NodeKind::kExecution, filter).missing_index,
            "execution custom_properties.free");
  EXPECT_EQ(Explain(NodeKind::kExecution, "last_known_state = FAILED").missing_index, "");

  ListOperationOptions options;
  options.set_filter_query(filter);
  ReadLimits limits;
  limits.max_query_visits = 500;
  absl::Status status;
  ASSERT_TRUE(IsOk(store_->Read(Blocking::kAllowed, [&](const Reader& reader) {
    const Reader limited(std::make_shared<const Version>(reader.version()), Blocking::kAllowed,
                         limits);
    status = ListNodes(limited, {"GetExecutions", NodeKind::kExecution, ListScope::All(), &options},
                       [](int64_t, const RecordView&) {})
                 .status();
    return absl::OkStatus();
  })));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(
      absl::StrContains(status.message(), "pedigree index add execution custom_properties.free"))
      << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "more than 500 steps")) << status;
}

TEST_F(Planner, EndsWhenNobodyWaits) {
  ListOperationOptions options;
  // Far more combinations than the limits allow.
  options.set_filter_query(
      "executions_a.id + executions_b.id + executions_c.id + executions_d.id = -1");
  const std::function<bool()> is_cancelled = [] { return true; };
  const absl::Status status = store_->Read(
      Blocking::kAllowed,
      [&](const Reader& reader) {
        return ListNodes(reader, {"GetContexts", NodeKind::kContext, ListScope::All(), &options},
                         [](int64_t, const RecordView&) {})
            .status();
      },
      &is_cancelled);
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
}

TEST_F(Planner, UsesAnIndexOnceItIsReady) {
  const std::string filter = "custom_properties.free.int_value = 7";
  EXPECT_EQ(Explain(NodeKind::kExecution, filter).source, "every execution");
  ASSERT_TRUE(IsOk(store_->Write([](Transaction& transaction) {
    return transaction.AddPropertyIndex(NodeKind::kExecution, true, "free").status();
  })));
  bool more = true;
  while (more) {
    // The store builds it as well; whoever comes first.
    ASSERT_TRUE(IsOk(store_->Write([&](Transaction& transaction) -> absl::Status {
      auto left = transaction.ContinuePropertyIndex(3, 100);
      more = left.ok() && *left;
      return left.status();
    })));
    EXPECT_EQ(Explain(NodeKind::kExecution, filter).rows, 1);
  }
  ExpectPoint(NodeKind::kExecution, filter, "index on custom_properties.free");
  EXPECT_EQ(Explain(NodeKind::kExecution, "custom_properties.free.int_value > 995").source,
            "range of the index on custom_properties.free: 6 executions")
      << "from 995 on: texts that are too long for a key have no successor in it";
  EXPECT_EQ(
      Explain(NodeKind::kExecution, "custom_properties.free.int_value BETWEEN 5 AND 8").candidates,
      4);
}

}  // namespace
}  // namespace pedigree
