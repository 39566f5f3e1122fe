// Random questions of GetLineageSubgraph and GetLineageGraph over random stores, through the method
// table: every answer is the oracle's.
//
// PEDIGREE_TEST_SEED=<seed of a store> begins with that store; LINEAGE_RANDOM_STORES=<number> makes
// that many.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "server/methods.h"
#include "tests/query/lineage_answer_oracle.h"
#include "tests/query/random_filter.h"
#include "tests/query/random_store.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

namespace mlmd = ml_metadata;
using google::protobuf::FieldMask;
using mlmd::LineageGraph;
using mlmd::LineageGraphQueryOptions;
using mlmd::LineageSubgraphQueryOptions;

#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr int kDefaultStores = 300;
#else
constexpr int kDefaultStores = 30;
#endif
constexpr int kQuestionsPerStore = 40;

int StoresOfThisRun() {
  const char* given = std::getenv("LINEAGE_RANDOM_STORES");
  return given == nullptr ? kDefaultStores : static_cast<int>(std::strtol(given, nullptr, 10));
}

// One call of the method table, as a server makes it.
absl::StatusOr<std::string> CallBytes(TestStore& store, absl::string_view rpc,
                                      const std::string& request, Blocking blocking) {
  const std::unique_ptr<Call> call = FindMethod(rpc)->make();
  absl::Status status = call->Parse(request);
  if (status.ok()) {
    status = store->Read(blocking, [&](const Reader& reader) { return call->Read(reader); });
  }
  // The same call once more, on a thread that may wait.
  if (IsWouldBlock(status)) {
    status =
        store->Read(Blocking::kAllowed, [&](const Reader& reader) { return call->Read(reader); });
  }
  if (!status.ok()) return status;
  return call->ReleaseReply();
}

template <class Response>
absl::StatusOr<Response> Ask(TestStore& store, absl::string_view rpc,
                             const google::protobuf::Message& request, Blocking blocking) {
  const auto bytes = CallBytes(store, rpc, request.SerializeAsString(), blocking);
  if (!bytes.ok()) return bytes.status();
  Response response;
  EXPECT_TRUE(response.ParseFromString(*bytes)) << rpc;
  return response;
}

template <class Response>
Response Must(TestStore& store, absl::string_view rpc, const google::protobuf::Message& request) {
  const auto response = Ask<Response>(store, rpc, request, Blocking::kAllowed);
  EXPECT_TRUE(IsOk(response)) << rpc;
  return response.ok() ? *response : Response();
}

OracleStore ReadOracleStore(RandomStore& random_store) {
  TestStore& store = random_store.store();
  OracleStore oracle;
  oracle.model = random_store.model();
  mlmd::GetArtifactsByIDRequest artifacts;
  for (const auto& [id, node] : oracle.model.Of(NodeKind::kArtifact))
    artifacts.add_artifact_ids(id);
  mlmd::GetExecutionsByIDRequest executions;
  for (const auto& [id, node] : oracle.model.Of(NodeKind::kExecution)) {
    executions.add_execution_ids(id);
  }
  const auto artifact_answer =
      Must<mlmd::GetArtifactsByIDResponse>(store, "GetArtifactsByID", artifacts);
  for (const auto& node : artifact_answer.artifacts()) oracle.artifacts[node.id()] = node;
  const auto execution_answer =
      Must<mlmd::GetExecutionsByIDResponse>(store, "GetExecutionsByID", executions);
  for (const auto& node : execution_answer.executions()) oracle.executions[node.id()] = node;

  const auto take = [](const auto& types, auto* into) { into->assign(types.begin(), types.end()); };
  const auto artifact_types = Must<mlmd::GetArtifactTypesResponse>(store, "GetArtifactTypes",
                                                                   mlmd::GetArtifactTypesRequest());
  take(artifact_types.artifact_types(), &oracle.artifact_types);
  const auto execution_types = Must<mlmd::GetExecutionTypesResponse>(
      store, "GetExecutionTypes", mlmd::GetExecutionTypesRequest());
  take(execution_types.execution_types(), &oracle.execution_types);
  const auto context_types =
      Must<mlmd::GetContextTypesResponse>(store, "GetContextTypes", mlmd::GetContextTypesRequest());
  take(context_types.context_types(), &oracle.context_types);
  return oracle;
}

// Filters that are mostly satisfied by a few nodes.
class SomeFilters {
 public:
  SomeFilters(RandomStore* store, Random* random) : store_(*store), random_(*random) {}

  std::string Make(NodeKind kind) {
    const auto last = static_cast<int64_t>(store_.model().Of(kind).size());
    const int64_t id = random_.Between(1, last + 1);
    switch (random_.Between(0, 11)) {
      case 0:
        return absl::StrCat("id IN (", id, ", ", random_.Between(1, last + 1), ", ",
                            random_.Between(1, last + 1), ")");
      case 1:
        return absl::StrCat("id > ", last - random_.Between(0, 8));
      case 2:
        return absl::StrCat("type_id = ", random_.Pick(store_.types(kind)).id);
      case 3:
        return absl::StrCat("contexts_a.id = ", random_.Between(1, 12));
      case 4:
        return absl::StrCat(kind == NodeKind::kArtifact ? "state" : "last_known_state",
                            " != ", kind == NodeKind::kArtifact ? "LIVE" : "COMPLETE");
      case 5:
        return random_.OneIn(2) ? "events_e.type = INPUT" : "events_e.type != OUTPUT";
      case 6:
        return RandomFilters(kind, FilterVocabulary(), &random_).Make(2);
      case 7:
        return random_.OneIn(4) ? "id > 0" : "name = 'a' OR id < 4";
      default:
        return absl::StrCat("id = ", id);
    }
  }

 private:
  RandomStore& store_;
  Random& random_;
};

class LineageCalls : public testing::Test {
 protected:
  struct Counts {
    int64_t subgraphs = 0;
    int64_t graphs = 0;
    int64_t with_events = 0;
    int64_t refused = 0;
    int64_t skipped = 0;
    int64_t nodes = 0;
  };

  void AskOneStore(uint64_t seed) {
    Random random(seed);
    random_ = &random;
    RandomStore store(&random);
    store_ = &store;
    SomeFilters filters(&store, &random);
    filters_ = &filters;
    oracle_ = ReadOracleStore(store);
    for (int i = 0; i < kQuestionsPerStore && !HasFailure(); ++i) {
      if (random.OneIn(8)) {
        store.ChangeSomething();
        oracle_ = ReadOracleStore(store);
      }
      if (random.OneIn(100)) store.store().Reopen();
      SCOPED_TRACE(absl::StrCat("store seed ", seed, ", question ", i));
      if (random.OneIn(3)) {
        AskGraph();
      } else {
        AskSubgraph();
      }
    }
  }

  // As a server does it first, or as it does it then.
  Blocking SomeBlocking() { return random_->OneIn(3) ? Blocking::kCacheOnly : Blocking::kAllowed; }

  // Null for no limit.
  std::optional<int64_t> SomeHops() {
    if (random_->OneIn(4)) return std::nullopt;
    if (random_->OneIn(10)) return std::numeric_limits<int64_t>::max();
    if (random_->OneIn(40)) return -1;
    return random_->Between(0, 6);
  }

  void FillEnding(NodeKind kind, LineageSubgraphQueryOptions::EndingNodes* ending) {
    if (!random_->OneIn(10)) ending->set_filter_query(filters_->Make(kind));
    if (!random_->OneIn(4)) ending->set_include_ending_nodes(random_->OneIn(2));
  }

  LineageSubgraphQueryOptions SomeSubgraphOptions() {
    LineageSubgraphQueryOptions options;
    if (random_->OneIn(2)) {
      options.mutable_starting_artifacts()->set_filter_query(filters_->Make(NodeKind::kArtifact));
    } else {
      options.mutable_starting_executions()->set_filter_query(filters_->Make(NodeKind::kExecution));
    }
    if (random_->OneIn(50)) options.mutable_starting_artifacts()->clear_filter_query();
    if (random_->OneIn(50)) options.clear_starting_nodes();
    if (const auto hops = SomeHops(); hops.has_value()) options.set_max_num_hops(*hops);
    const int64_t direction = random_->Between(0, 4);
    if (direction < 4) {
      options.set_direction(static_cast<LineageSubgraphQueryOptions::Direction>(direction));
    }
    if (random_->OneIn(3)) {
      FillEnding(NodeKind::kArtifact, options.mutable_ending_artifacts());
    }
    if (random_->OneIn(3)) {
      FillEnding(NodeKind::kExecution, options.mutable_ending_executions());
    }
    return options;
  }

  FieldMask SomeMask() {
    FieldMask mask;
    if (!random_->OneIn(4)) return mask;
    const auto* descriptor = LineageGraph::descriptor();
    for (int i = 0; i < descriptor->field_count(); ++i) {
      if (random_->OneIn(3)) mask.add_paths(descriptor->field(i)->name());
    }
    if (random_->OneIn(3)) mask.add_paths("nonsense");
    return mask;
  }

  void AskSubgraph() {
    ++counts_.subgraphs;
    mlmd::GetLineageSubgraphRequest request;
    *request.mutable_lineage_subgraph_query_options() = SomeSubgraphOptions();
    if (const FieldMask mask = SomeMask(); !mask.paths().empty() || random_->OneIn(2)) {
      *request.mutable_read_mask() = mask;
    }
    const auto expected = SubgraphByDefinition(oracle_, request.lineage_subgraph_query_options(),
                                               request.read_mask());
    const auto actual = Ask<mlmd::GetLineageSubgraphResponse>(store_->store(), "GetLineageSubgraph",
                                                              request, SomeBlocking());
    Compare(actual.status(), actual.ok() ? actual->lineage_subgraph() : LineageGraph(), expected,
            request);
    if (actual.ok()) {
      EXPECT_TRUE(actual->has_lineage_subgraph());
    }
  }

  LineageGraphQueryOptions SomeGraphOptions() {
    using Order = mlmd::ListOperationOptions::OrderByField;
    LineageGraphQueryOptions options;
    auto* list = options.mutable_artifacts_options();
    if (!random_->OneIn(5)) list->set_filter_query(filters_->Make(NodeKind::kArtifact));
    if (random_->OneIn(2)) list->set_max_result_size(static_cast<int32_t>(random_->Between(1, 6)));
    if (random_->OneIn(3)) {
      list->mutable_order_by_field()->set_field(
          static_cast<Order::Field>(random_->Between(Order::CREATE_TIME, Order::ID)));
      list->mutable_order_by_field()->set_is_asc(random_->OneIn(2));
    }
    if (random_->OneIn(60)) options.clear_query_nodes();
    auto* conditions = options.mutable_stop_conditions();
    if (const auto hops = SomeHops(); hops.has_value()) conditions->set_max_num_hops(*hops);
    if (random_->OneIn(3)) conditions->set_boundary_artifacts(filters_->Make(NodeKind::kArtifact));
    if (random_->OneIn(3)) {
      conditions->set_boundary_executions(filters_->Make(NodeKind::kExecution));
    }
    if (random_->OneIn(2)) options.set_max_node_size(random_->Between(-1, 30));
    if (random_->OneIn(6)) options.clear_stop_conditions();
    return options;
  }

  void AskGraph() {
    ++counts_.graphs;
    mlmd::GetLineageGraphRequest request;
    *request.mutable_options() = SomeGraphOptions();
    const auto expected = GraphByDefinition(oracle_, request.options());
    const auto actual = Ask<mlmd::GetLineageGraphResponse>(store_->store(), "GetLineageGraph",
                                                           request, SomeBlocking());
    Compare(actual.status(), actual.ok() ? actual->subgraph() : LineageGraph(), expected, request);
  }

  void Compare(const absl::Status& status, const LineageGraph& graph,
               const absl::StatusOr<LineageGraph>& expected,
               const google::protobuf::Message& request) {
    if (absl::IsUnimplemented(expected.status())) {  // Too much for the oracle.
      ++counts_.skipped;
      return;
    }
    ASSERT_EQ(status.code(), expected.status().code()) << status << "\n"
                                                       << expected.status() << "\n"
                                                       << request.DebugString();
    if (!status.ok()) {
      ++counts_.refused;
      return;
    }
    counts_.with_events += expected->events().empty() ? 0 : 1;
    counts_.nodes += expected->artifacts_size() + expected->executions_size();
    ASSERT_EQ(AnswerDifference(graph, *expected), "")
        << request.DebugString() << LineageOf(oracle_.model).ToString();
  }

  Counts counts_;
  Random* random_ = nullptr;
  RandomStore* store_ = nullptr;
  SomeFilters* filters_ = nullptr;
  OracleStore oracle_;
};

TEST_F(LineageCalls, AnswersAreTheOracles) {
  const uint64_t seed = Random().seed();
  const int stores = StoresOfThisRun();
  for (int i = 0; i < stores && !HasFailure(); ++i) AskOneStore(seed + static_cast<uint64_t>(i));
  std::cout << counts_.subgraphs << " subgraphs and " << counts_.graphs << " graphs of " << stores
            << " stores: " << counts_.nodes << " nodes, " << counts_.with_events
            << " answers with events, " << counts_.refused << " refused, " << counts_.skipped
            << " skipped" << std::endl;
  if (HasFailure()) return;
  const int64_t asked = counts_.subgraphs + counts_.graphs;
  EXPECT_GE(counts_.with_events * 4, asked) << "the questions do not fit the stores";
  EXPECT_LT(counts_.skipped * 50, asked);
}

}  // namespace
}  // namespace pedigree
