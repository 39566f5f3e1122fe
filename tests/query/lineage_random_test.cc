// Walks over random graphs, and over all small ones, are the oracle's.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "tests/query/compare_walk.h"
#include "tests/query/graph_nodes.h"
#include "tests/query/lineage_oracle.h"
#include "tests/query/random_graph.h"
#include "tests/query/small_graphs.h"
#include "tests/store/random.h"

namespace pedigree {
namespace {

using ml_metadata::Event;

#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr int kGraphs = 20'000;
constexpr bool kEverything = true;
#else
constexpr int kGraphs = 2'000;
constexpr bool kEverything = false;
#endif
constexpr int kQuestionsPerGraph = 8;

TEST(LineageRandom, WalksAreTheOracles) {
  const GraphNodes nodes;
  Random seeds;
  int64_t reached = 0;
  int64_t with_events = 0;
  for (int i = 0; i < kGraphs; ++i) {
    Random random(seeds.seed() + static_cast<uint64_t>(i));
    RandomGraphs graphs(&random);
    const RandomGraph made = graphs.Make();
    EventGraph graph;
    FillGraph(made.lineage, &graph);
    const Reader reader = nodes.ReaderOf(graph, made.sizes);
    for (int j = 0; j < kQuestionsPerGraph; ++j) {
      const OracleQuestion question = graphs.Ask(made);
      const auto view = question.as_of_ms.has_value()
                            ? LineageView::AsOf(reader, *question.as_of_ms)
                            : LineageView(reader);
      ASSERT_TRUE(IsOk(view));
      const OracleWalk expected = WalkByDefinition(made.lineage, question);
      reached += static_cast<int64_t>(expected.hops.size());
      with_events += expected.traversed.empty() ? 0 : 1;
      ASSERT_EQ(WalkDifference(reader, *view, question, expected), "")
          << "graph seed " << random.seed() << ", question " << j << "\n"
          << made.lineage.ToString() << "\n"
          << question.ToString();
    }
  }
  std::cout << kGraphs << " graphs, " << kGraphs * kQuestionsPerGraph << " walks: " << reached
            << " nodes reached, " << with_events << " walks over events" << std::endl;
  EXPECT_GE(with_events * 5, int64_t{kGraphs} * kQuestionsPerGraph * 2)
      << "the questions do not fit the graphs, and the test shows little";
}

// The memory of a walk is used again by the next one.
TEST(LineageWalk, AFailedWalkLeavesNothingToTheNext) {
  const GraphNodes nodes;
  const uint64_t seed = Random().seed();
  for (uint64_t i = 0; i < 500; ++i) {
    Random random(seed + i);
    RandomGraphs graphs(&random);
    const RandomGraph made = graphs.Make();
    EventGraph graph;
    FillGraph(made.lineage, &graph);
    const Reader reader = nodes.ReaderOf(graph, made.sizes);
    const LineageView view(reader);
    LineageWalk failing(reader, view);
    const int64_t last_hop = random.Between(0, 3);
    const auto fail = [&](int64_t hop, absl::Span<const LineageNode> reached,
                          absl::Span<LineageVerdict> verdicts) {
      verdicts[random.Index(reached.size())] = static_cast<LineageVerdict>(random.Between(0, 2));
      return hop < last_hop ? absl::OkStatus() : absl::CancelledError("on purpose");
    };
    const absl::Status status = failing.Run({LineageNode::Artifact(1)}, {}, fail);
    EXPECT_TRUE(status.ok() || absl::IsCancelled(status)) << status;
    // One while it is there, one with what it has left.
    const OracleQuestion question = graphs.Ask(made);
    if (question.as_of_ms.has_value()) continue;
    ASSERT_EQ(WalkDifference(reader, view, made.lineage, question), "") << random.seed();
    { const LineageWalk gone(reader, view); }
    ASSERT_EQ(WalkDifference(reader, view, made.lineage, question), "") << random.seed();
  }
}

TEST(LineageWalk, SpendsTheReadersVisits) {
  const GraphNodes nodes;
  OracleLineage lineage;
  for (int64_t id = 1; id <= GraphNodes::kNodes; ++id) {
    lineage.nodes[{NodeKind::kArtifact, id}] = 0;
    lineage.nodes[{NodeKind::kExecution, id}] = 0;
  }
  for (int64_t i = 0; i < 40'000; ++i) {
    lineage.events.push_back({1 + i % 2, 1 + i % GraphNodes::kNodes, Event::INPUT, 0});
  }
  EventGraph graph;
  FillGraph(lineage, &graph);
  const GraphNodes::Sizes sizes = {GraphNodes::kNodes, GraphNodes::kNodes,
                                   static_cast<int64_t>(lineage.events.size())};
  const Reader allowed = nodes.ReaderOf(graph, sizes);
  const Reader cache_only(std::make_shared<const Version>(allowed.version()), Blocking::kCacheOnly);
  for (int i = 0; i < 3; ++i) {
    LineageWalk walk(cache_only, LineageView(cache_only));
    EXPECT_TRUE(IsWouldBlock(walk.Run({LineageNode::Artifact(1)}, {})));
  }
  OracleQuestion question;
  question.starts = {{NodeKind::kArtifact, 1}};
  question.is_downstream = true;
  EXPECT_EQ(WalkDifference(allowed, LineageView(allowed), lineage, question), "");
}

// Each hop of a chain is less than a visit.
TEST(LineageWalk, SpendsTheReadersVisitsOnChains) {
  constexpr uint32_t kExecutions = 40'000;
  const GraphNodes nodes;
  EventGraph graph;
  for (uint32_t id = 1; id <= kExecutions; ++id) {
    graph.Append(2 * id - 1, {.artifact = id, .execution = id, .type = Event::INPUT}, 1);
    graph.Append(2 * id, {.artifact = id + 1, .execution = id, .type = Event::OUTPUT}, 1);
  }
  ReadLimits limits;
  limits.max_query_visits = 2'000;
  const Reader reader(
      nodes.VersionOf(graph, {kExecutions + 1, kExecutions, 2 * int64_t{kExecutions}}),
      Blocking::kAllowed, limits);
  reader.LimitQuery();
  LineageWalk walk(reader, LineageView(reader));
  EXPECT_TRUE(absl::IsResourceExhausted(
      walk.Run({LineageNode::Artifact(1)}, {.direction = LineageDirection::kDownstream})));
}

// Every `step`th graph, up to the first difference.
void CheckAll(const SmallGraphs& graphs, SmallLimits limits, uint64_t step) {
  const GraphNodes nodes;
  int64_t walks = 0;
  for (uint64_t code = 0; code < graphs.count(); code += step) {
    const OracleLineage lineage = graphs.Make(code);
    EventGraph graph;
    FillGraph(lineage, &graph);
    const Reader reader = nodes.ReaderOf(graph, graphs.SizesOf(lineage));
    const LineageView view(reader);
    graphs.VisitQuestions(limits, [&](const OracleQuestion& question) {
      ++walks;
      const std::string difference = WalkDifference(reader, view, lineage, question);
      if (!difference.empty()) ADD_FAILURE() << difference;
    });
    ASSERT_FALSE(testing::Test::HasFailure()) << "graph " << code;
  }
  std::cout << (graphs.count() + step - 1) / step << " graphs, " << walks << " walks" << std::endl;
}

TEST(LineageExhaustive, AllGraphsOfTwoAndTwoNodes) {
  CheckAll(SmallGraphs(2, 2), SmallLimits::kStopsAndLeftOut, 1);
}

TEST(LineageExhaustive, AllGraphsOfThreeAndTwoNodes) {
  CheckAll(SmallGraphs(3, 2), SmallLimits::kStops, kEverything ? 1 : 37);
}

}  // namespace
}  // namespace pedigree
