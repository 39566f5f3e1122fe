// Paths between two nodes: against all paths by brute force on random graphs, and by hand.
#include "query/lineage_paths.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/query/compare_walk.h"
#include "tests/query/graph_nodes.h"
#include "tests/query/lineage_definitions.h"
#include "tests/query/random_graph.h"
#include "tests/store/random.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using ml_metadata::Event;
using Nodes = std::vector<LineageNode>;

constexpr int kGraphs = 10'000;

std::string IdsOf(const std::set<OracleRef>& nodes, NodeKind kind) {
  std::vector<int64_t> ids;
  for (const auto& [node_kind, id] : nodes) {
    if (node_kind == kind) ids.push_back(id);
  }
  return absl::StrJoin(ids, ", ");
}

std::string Filter(absl::string_view op, const std::string& ids) {
  return ids.empty() ? "" : absl::StrCat("id ", op, " (", ids, ")");
}

LineageScope ScopeOf(const OracleQuestion& question) {
  LineageScope scope;
  scope.max_hops = question.max_hops.value_or(kNoHopLimit);
  scope.event_types = OptionsOf(question).event_types;
  scope.artifact_filter = Filter("NOT IN", IdsOf(question.left_out, NodeKind::kArtifact));
  scope.execution_filter = Filter("NOT IN", IdsOf(question.left_out, NodeKind::kExecution));
  scope.stop_artifacts = Filter("IN", IdsOf(question.stops, NodeKind::kArtifact));
  scope.stop_executions = Filter("IN", IdsOf(question.stops, NodeKind::kExecution));
  scope.as_of_ms = question.as_of_ms.value_or(kNow);
  return scope;
}

std::string Text(const ExpectedPath& path) {
  std::string text;
  for (LineageNode node : path.nodes) {
    absl::StrAppend(&text, node.is_execution() ? " e" : " a", node.id());
  }
  return absl::StrCat(text, " over ", absl::StrJoin(path.events, ","));
}

ExpectedPath Bare(const LineagePath& path) {
  ExpectedPath bare = {{}, path.events};
  for (const LineageTraceNode& node : path.nodes) bare.nodes.push_back(node.node);
  return bare;
}

TEST(LineagePathsRandom, AreTheShortestOfAll) {
  const GraphNodes nodes;
  const uint64_t seed = Random().seed();
  int64_t found_in_all = 0;
  for (uint64_t i = 0; i < kGraphs; ++i) {
    Random random(seed + i);
    RandomGraphs graphs(&random);
    const RandomGraph made = graphs.Make();
    EventGraph graph;
    FillGraph(made.lineage, &graph);
    const Reader reader = nodes.ReaderOf(graph, made.sizes);
    for (int j = 0; j < 6; ++j) {
      OracleQuestion question = graphs.Ask(made);
      if (j % 2 == 0) question = {};  // More paths.
      question.is_downstream = true;
      const auto some = [&] {
        const bool is_artifact = random.OneIn(2);
        return OracleRef{
            is_artifact ? NodeKind::kArtifact : NodeKind::kExecution,
            random.Between(1, is_artifact ? made.sizes.artifacts : made.sizes.executions)};
      };
      const OracleRef from = some();
      const OracleRef to = some();
      question.starts = {from};
      const size_t max_paths = random.OneIn(3) ? 100 : 1 + random.Index(6);
      const LineageScope scope = ScopeOf(question);
      const auto view = LineageView::AsOf(reader, scope.as_of_ms);
      ASSERT_TRUE(IsOk(view));
      const std::string what =
          absl::StrCat("seed ", random.seed(), "\n", made.lineage.ToString(), "\n",
                       question.ToString(), "\nto ", NameOf(to.first), " ", to.second);
      const auto found =
          FindLineagePaths(reader, *view, NodeOf(from), NodeOf(to), scope, max_paths);
      if (!view->Has(NodeOf(from)) || !view->Has(NodeOf(to))) {
        EXPECT_TRUE(Fails(found, StatusCode::kNotFound)) << what;
        continue;
      }
      ASSERT_TRUE(IsOk(found)) << what;
      const auto expected = PathsByDefinition(made.lineage, question, to);
      ASSERT_EQ(found->paths.size(), std::min(expected.size(), max_paths)) << what;
      for (size_t k = 0; k < found->paths.size(); ++k) {
        ASSERT_EQ(Text(Bare(found->paths[k])), Text(expected[k])) << k << "\n" << what;
      }
      ASSERT_EQ(found->why_incomplete.empty(), expected.size() <= max_paths) << what;
      found_in_all += static_cast<int64_t>(found->paths.size());
    }
  }
  EXPECT_GT(found_in_all, kGraphs) << "the graphs show little";
}

TEST(LineagePaths, OfAMillionHopsIsFound) {
  constexpr uint32_t kExecutions = 500'000;
  const GraphNodes nodes;
  EventGraph graph;
  uint32_t number = 0;
  for (uint32_t id = 1; id <= kExecutions; ++id) {
    graph.Append(++number, {.artifact = id, .execution = id, .type = Event::INPUT}, 1);
    graph.Append(++number, {.artifact = id + 1, .execution = id, .type = Event::OUTPUT}, 1);
  }
  const Reader reader = nodes.ReaderOf(
      graph, {.artifacts = kExecutions + 1, .executions = kExecutions, .events = 2 * kExecutions});
  const auto found = FindLineagePaths(reader, LineageView(reader), LineageNode::Artifact(1),
                                      LineageNode::Artifact(kExecutions + 1), {}, 100);
  ASSERT_TRUE(IsOk(found));
  ASSERT_EQ(found->paths.size(), 1U);
  EXPECT_EQ(found->paths[0].nodes.size(), 2 * kExecutions + 1);
  EXPECT_EQ(found->why_incomplete, "");
}

// 2^20 ways through 20 places with two each.
TEST(LineagePaths, AreBoundedByWork) {
  constexpr uint32_t kPlaces = 20;
  const GraphNodes nodes;
  EventGraph graph;
  uint32_t number = 0;
  for (uint32_t place = 1; place <= kPlaces; ++place) {
    for (const uint32_t execution : {2 * place - 1, 2 * place}) {
      graph.Append(++number, {place, execution, Event::INPUT}, 1);
      graph.Append(++number, {place + 1, execution, Event::OUTPUT}, 1);
    }
  }
  const GraphNodes::Sizes sizes = {kPlaces + 1, 2 * kPlaces, number};
  const auto find = [&](int64_t visits) {
    ReadLimits limits;
    limits.max_query_visits = visits;
    const Reader reader(nodes.VersionOf(graph, sizes), Blocking::kAllowed, limits);
    return FindLineagePaths(reader, LineageView(reader), LineageNode::Artifact(1),
                            LineageNode::Artifact(kPlaces + 1), {}, 100);
  };
  const auto all = find(1'000'000);
  ASSERT_TRUE(IsOk(all));
  ASSERT_EQ(all->paths.size(), 100U);
  EXPECT_EQ(all->why_incomplete, "max_paths: there are more");
  // The first 100 of the same length: the lower executions at the early places.
  for (size_t i = 1; i < all->paths.size(); ++i) {
    EXPECT_TRUE(Bare(all->paths[i - 1]) < Bare(all->paths[i]));
  }
  const auto some = find(1000);
  ASSERT_TRUE(IsOk(some));
  EXPECT_LT(some->paths.size(), 100U);
  EXPECT_TRUE(absl::StrContains(some->why_incomplete, "steps")) << some->why_incomplete;
  for (size_t i = 0; i < some->paths.size(); ++i) {
    EXPECT_EQ(Text(Bare(some->paths[i])), Text(Bare(all->paths[i])));
  }
  EXPECT_TRUE(Fails(find(1), StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace pedigree
