// What is counted of a walk, by hand and against the store's own lists.
#include "query/lineage_impact.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "tests/query/small_lineage.h"
#include "tests/store/random.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using Nodes = std::vector<LineageNode>;

constexpr LineageWalkOptions kDownstream = {.direction = LineageDirection::kDownstream};

LineageImpact ImpactOf(SmallLineage& lineage, const Nodes& starts,
                       const LineageWalkOptions& options = kDownstream,
                       const LineageImpactOptions& impact_options = {}) {
  LineageImpact result;
  lineage.Walk(starts, options, [&](const Reader& reader, const LineageWalk& walk) {
    auto impact = CountImpact(reader, walk, impact_options);
    ASSERT_TRUE(IsOk(impact));
    result = *std::move(impact);
  });
  return result;
}

TEST(LineageImpact, CountsWhatIsReachedButNotTheStart) {
  SmallLineage lineage;
  const int64_t run_1 = lineage.AddContext("run-1");
  const int64_t run_2 = lineage.AddContext("run-2");
  const int64_t run_3 = lineage.AddContext("run-3");
  const int64_t model_type = PutType<Artifact>(lineage.store(), "model");
  const LineageNode data = lineage.AddArtifact({run_1, run_3});
  const LineageNode train_1 = lineage.AddExecution({run_1});
  const LineageNode train_2 = lineage.AddExecution({run_2});
  Artifact model;
  model.set_type_id(model_type);
  const LineageNode model_1 = lineage.Add(model);
  const LineageNode model_2 = lineage.Add(model);
  const LineageNode report = lineage.AddArtifact({run_2});
  lineage.Connect(data, train_1);
  lineage.Connect(data, train_2);
  lineage.Connect(train_1, model_1);
  lineage.Connect(train_2, model_2);
  lineage.Connect(train_2, report);

  const LineageImpact impact = ImpactOf(lineage, {data});
  EXPECT_EQ(impact.artifacts, 3);
  EXPECT_EQ(impact.executions, 2);
  EXPECT_EQ(impact.max_hops, 2);
  ASSERT_EQ(impact.types.size(), 3u);
  EXPECT_EQ(impact.types[0].type_id, model_type) << "of the same count, artifacts come first";
  EXPECT_EQ(impact.types[0].count, 2);
  EXPECT_EQ(impact.types[1].type_id, lineage.execution_type());
  EXPECT_EQ(impact.types[1].kind, NodeKind::kExecution);
  EXPECT_EQ(impact.types[2].count, 1);
  ASSERT_EQ(impact.contexts.size(), 2u);
  EXPECT_EQ(impact.contexts[0].id, run_2);
  EXPECT_EQ(impact.contexts[0].artifacts, 1);
  EXPECT_EQ(impact.contexts[0].executions, 1);
  EXPECT_EQ(impact.contexts[1].id, run_1);
  EXPECT_EQ(impact.contexts[1].executions, 1);
  EXPECT_EQ(impact.contexts_in_all, 2);
}

TEST(LineageImpact, OfNothingIsNothing) {
  SmallLineage lineage;
  const LineageImpact impact = ImpactOf(lineage, {lineage.AddArtifact()});
  EXPECT_EQ(impact.artifacts + impact.executions + impact.max_hops, 0);
  EXPECT_TRUE(impact.types.empty());
  EXPECT_TRUE(impact.contexts.empty());
}

TEST(LineageImpact, KeepsTheTopContextsAndCountsAll) {
  SmallLineage lineage;
  const LineageNode data = lineage.AddArtifact();
  std::vector<int64_t> contexts;
  for (int i = 0; i < 30; ++i) contexts.push_back(lineage.AddContext(std::to_string(i)));
  for (int i = 0; i < 30; ++i) {
    // Context i has i / 10 + 1 of them.
    for (int j = 0; j <= i / 10; ++j) {
      lineage.Connect(data, lineage.AddExecution({contexts[static_cast<size_t>(i)]}));
    }
  }
  const LineageImpact impact = ImpactOf(lineage, {data}, kDownstream, {.max_contexts = 12});
  EXPECT_EQ(impact.contexts_in_all, 30);
  ASSERT_EQ(impact.contexts.size(), 12u);
  for (size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(impact.contexts[i].id, contexts[20 + i]);
    EXPECT_EQ(impact.contexts[i].executions, 3);
  }
  EXPECT_EQ(impact.contexts[10].id, contexts[10]);
  EXPECT_EQ(impact.contexts[11].id, contexts[11]);
}

TEST(LineageImpact, SeesContextsThatDoNotFitIntoTheRecord) {
  SmallLineage lineage;
  std::vector<int64_t> contexts;
  for (size_t i = 0; i < kMaxNearLinks + 20; ++i) {
    contexts.push_back(lineage.AddContext(std::to_string(i)));
  }
  const LineageNode data = lineage.AddArtifact();
  const LineageNode near = lineage.AddExecution({contexts[0]});
  const LineageNode far = lineage.AddExecution(contexts);
  lineage.Connect(data, near);
  lineage.Connect(data, far);
  const LineageImpact impact = ImpactOf(lineage, {data});
  EXPECT_EQ(impact.contexts_in_all, static_cast<int64_t>(contexts.size()));
  EXPECT_EQ(impact.contexts[0].id, contexts[0]);
  EXPECT_EQ(impact.contexts[0].executions, 2);
}

TEST(LineageImpact, IsTheSumOfTheNodes) {
  Random random;
  SmallLineage lineage;
  std::vector<int64_t> contexts;
  for (int i = 0; i < 10; ++i) contexts.push_back(lineage.AddContext(std::to_string(i)));
  const auto some_contexts = [&] {
    std::set<int64_t> some;
    while (random.OneIn(2)) some.insert(random.Pick(contexts));
    return std::vector<int64_t>(some.begin(), some.end());
  };
  Nodes artifacts;
  Nodes executions;
  for (int i = 0; i < 60; ++i) {
    artifacts.push_back(lineage.AddArtifact(some_contexts()));
    executions.push_back(lineage.AddExecution(some_contexts()));
  }
  std::set<std::pair<LineageNode, LineageNode>> events;
  for (int i = 0; i < 150; ++i) {
    const LineageNode artifact = random.Pick(artifacts);
    const LineageNode execution = random.Pick(executions);
    const auto event =
        random.OneIn(2) ? std::pair(artifact, execution) : std::pair(execution, artifact);
    if (events.insert(event).second) lineage.Connect(event.first, event.second);
  }
  for (int question = 0; question < 50; ++question) {
    const LineageWalkOptions options = {
        .direction = static_cast<LineageDirection>(random.Between(1, 3)),
        .max_hops = random.Between(0, 8)};
    const Nodes starts = {random.Pick(artifacts), random.Pick(executions)};
    Nodes reached;
    lineage.Walk(starts, options, [&](const Reader&, const LineageWalk& walk) {
      reached.assign(walk.nodes().begin() + 2, walk.nodes().end());
    });
    std::map<int64_t, int64_t> by_context;
    for (LineageNode node : reached) {
      for (int64_t context : Links(lineage.store(), node.kind(), node.id())) ++by_context[context];
    }
    const LineageImpact impact = ImpactOf(lineage, starts, options);
    EXPECT_EQ(impact.artifacts + impact.executions, static_cast<int64_t>(reached.size()));
    std::map<int64_t, int64_t> counted;
    for (const auto& context : impact.contexts) counted[context.id] = context.nodes();
    EXPECT_EQ(counted, by_context);
    int64_t of_types = 0;
    for (const auto& type : impact.types) of_types += type.count;
    EXPECT_EQ(of_types, static_cast<int64_t>(reached.size()));
  }
}

}  // namespace
}  // namespace pedigree
