// Origins of small graphs by hand, of random ones against brute force, and of long ones.
#include "query/lineage_origins.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <vector>

#include "query/lineage_closure.h"
#include "tests/query/small_lineage.h"
#include "tests/store/random.h"

namespace pedigree {
namespace {

using ml_metadata::Event;
using Nodes = std::vector<LineageNode>;

constexpr LineageWalkOptions kUpstream = {.direction = LineageDirection::kUpstream};

LineageOrigins OriginsOf(SmallLineage& lineage, const Nodes& starts,
                         const LineageWalkOptions& options = kUpstream) {
  LineageOrigins result;
  lineage.Walk(starts, options, [&](const Reader& reader, const LineageWalk& walk) {
    auto origins = FindOrigins(reader, walk, options);
    ASSERT_TRUE(IsOk(origins));
    result = *std::move(origins);
  });
  return result;
}

Nodes NodesOf(const std::vector<LineageOrigins::Node>& nodes) {
  Nodes bare;
  for (const LineageOrigins::Node& node : nodes) bare.push_back(node.node);
  return bare;
}

TEST(LineageOrigins, EndAtArtifactsWithoutArtifactsAbove) {
  SmallLineage lineage;
  const LineageNode importer = lineage.AddExecution();  // Reads nothing.
  const LineageNode imported = lineage.AddArtifact();
  const LineageNode given = lineage.AddArtifact();  // Nobody wrote it.
  const LineageNode step = lineage.AddExecution();
  const LineageNode model = lineage.AddArtifact();
  lineage.Connect(importer, imported);
  lineage.Connect(imported, step);
  lineage.Connect(given, step);
  lineage.Connect(step, model);

  const LineageOrigins origins = OriginsOf(lineage, {model});
  EXPECT_EQ(NodesOf(origins.sources), (Nodes{imported, given}));
  EXPECT_EQ(NodesOf(origins.dominators), Nodes{step});
  EXPECT_EQ(origins.artifacts, 2);
  EXPECT_EQ(origins.executions, 2);
  EXPECT_FALSE(origins.has_cycle);
  EXPECT_EQ(origins.sources[0].hops, 2);
  EXPECT_EQ(origins.dominators[0].hops, 1);
}

TEST(LineageOrigins, OfASourceAreItself) {
  SmallLineage lineage;
  const LineageNode data = lineage.AddArtifact();
  const LineageOrigins origins = OriginsOf(lineage, {data});
  EXPECT_EQ(NodesOf(origins.sources), Nodes{data});
  EXPECT_TRUE(origins.dominators.empty());
  EXPECT_EQ(origins.artifacts, 0);
}

TEST(LineageOrigins, OfAnExecutionWithoutInputsAreNone) {
  SmallLineage lineage;
  const LineageOrigins origins = OriginsOf(lineage, {lineage.AddExecution()});
  EXPECT_TRUE(origins.sources.empty());
  EXPECT_TRUE(origins.dominators.empty());
}

TEST(LineageOrigins, ASingleSourceIsOnEveryWay) {
  SmallLineage lineage;
  const Nodes chain = lineage.AddChain(5);
  const LineageOrigins origins = OriginsOf(lineage, {chain[4]});
  EXPECT_EQ(NodesOf(origins.sources), Nodes{chain[0]});
  EXPECT_EQ(NodesOf(origins.dominators), (Nodes{chain[3], chain[2], chain[1], chain[0]}));
}

TEST(LineageOrigins, AllArtifactsOfACycleAtTheTopAreSources) {
  SmallLineage lineage;
  const LineageNode a = lineage.AddArtifact();
  const LineageNode b = lineage.AddArtifact();
  const LineageNode a_to_b = lineage.AddExecution();
  const LineageNode b_to_a = lineage.AddExecution();
  const LineageNode train = lineage.AddExecution();
  const LineageNode model = lineage.AddArtifact();
  lineage.Connect(a, a_to_b);
  lineage.Connect(a_to_b, b);
  lineage.Connect(b, b_to_a);
  lineage.Connect(b_to_a, a);
  lineage.Connect(b, train);
  lineage.Connect(train, model);

  LineageOrigins origins = OriginsOf(lineage, {model});
  EXPECT_EQ(NodesOf(origins.sources), (Nodes{a, b}));
  EXPECT_TRUE(origins.has_cycle);
  EXPECT_TRUE(origins.sources[0].in_cycle);
  EXPECT_EQ(NodesOf(origins.dominators), (Nodes{train, b}));
  EXPECT_FALSE(origins.dominators[0].in_cycle);

  // Once something leads to the cycle from elsewhere, that is the source.
  const LineageNode raw = lineage.AddArtifact();
  lineage.Connect(raw, a_to_b);
  origins = OriginsOf(lineage, {model});
  EXPECT_EQ(NodesOf(origins.sources), Nodes{raw});
  EXPECT_EQ(NodesOf(origins.dominators), (Nodes{train, b, a_to_b, raw}));
}

TEST(LineageOrigins, AreThoseOfTheScope) {
  SmallLineage lineage;
  const Nodes chain = lineage.AddChain(7);
  const LineageOrigins origins =
      OriginsOf(lineage, {chain[6]}, {.direction = LineageDirection::kUpstream, .max_hops = 4});
  EXPECT_EQ(NodesOf(origins.sources), Nodes{chain[2]});
  EXPECT_TRUE(origins.sources[0].is_boundary);
  EXPECT_EQ(origins.artifacts, 2);
}

// What brute force knows of a random graph: edges from every node up to those that lead to it.
class BruteForce {
 public:
  BruteForce(const LineageWalk& walk, const LineageWalkOptions& options, const Nodes& starts)
      : starts_(starts.begin(), starts.end()) {
    for (LineageNode node : walk.nodes()) {
      std::set<LineageNode>& up = up_[node];
      VisitTraversed(walk, options, node, [&](uint32_t, LineageNode to) { up.insert(to); });
    }
  }

  std::set<LineageNode> Above(LineageNode node, LineageNode without = {}) const {
    std::set<LineageNode> reached;
    Nodes queue = {node};
    while (!queue.empty()) {
      const LineageNode next = queue.back();
      queue.pop_back();
      for (LineageNode to : up_.at(next)) {
        if (to != without && reached.insert(to).second) queue.push_back(to);
      }
    }
    return reached;
  }
  Nodes Sources() const {
    Nodes sources;
    for (const auto& [node, up] : up_) {
      if (!node.is_execution() && IsSource(node)) sources.push_back(node);
    }
    return sources;
  }
  std::set<LineageNode> Dominators() const {
    const Nodes sources = Sources();
    std::set<LineageNode> dominators;
    if (!HasWay(sources, {})) return dominators;
    for (const auto& [node, up] : up_) {
      if (starts_.count(node) == 0 && !HasWay(sources, node)) dominators.insert(node);
    }
    return dominators;
  }
  bool InCycle(LineageNode node) const { return Above(node).count(node) != 0; }
  bool HasCycle() const {
    return std::any_of(up_.begin(), up_.end(), [&](const auto& it) { return InCycle(it.first); });
  }

 private:
  bool IsSource(LineageNode artifact) const {
    const std::set<LineageNode> above = Above(artifact);
    return std::all_of(above.begin(), above.end(), [&](LineageNode other) {
      return other.is_execution() || other == artifact || Above(other).count(artifact) != 0;
    });
  }
  bool HasWay(const Nodes& sources, LineageNode without) const {
    for (LineageNode start : starts_) {
      if (up_.count(start) == 0) continue;
      std::set<LineageNode> reached = Above(start, without);
      reached.insert(start);
      for (LineageNode source : sources) {
        if (source != without && reached.count(source) != 0) return true;
      }
    }
    return false;
  }

  std::set<LineageNode> starts_;
  std::map<LineageNode, std::set<LineageNode>> up_;
};

class RandomLineage {
 public:
  explicit RandomLineage(Random& random) : random_(random) {
    const int64_t artifacts = random.Between(1, 12);
    const int64_t executions = random.Between(1, 10);
    for (int64_t i = 0; i < artifacts; ++i) artifacts_.push_back(lineage_.AddArtifact());
    for (int64_t i = 0; i < executions; ++i) executions_.push_back(lineage_.AddExecution());
    // Half of the graphs are without cycles, unless an order comes about by chance anyway.
    const bool may_cycle = random.OneIn(2);
    std::set<std::tuple<LineageNode, LineageNode, int>> events;
    for (int64_t i = random.Between(0, 40); i > 0; --i) {
      const LineageNode artifact = random.Pick(artifacts_);
      const LineageNode execution = random.Pick(executions_);
      auto type = static_cast<Event::Type>(random.Between(1, 7));
      if (!may_cycle && (artifact.id() > execution.id()) != EventEnds::IsOutput(type)) continue;
      if (!events.insert({artifact, execution, type}).second) continue;
      lineage_.AddEvent(artifact, execution, type);
    }
  }

  SmallLineage& lineage() { return lineage_; }
  LineageNode AnyNode() {
    return random_.OneIn(3) ? random_.Pick(executions_) : random_.Pick(artifacts_);
  }

 private:
  Random& random_;
  SmallLineage lineage_;
  Nodes artifacts_;
  Nodes executions_;
};

TEST(LineageOrigins, AreThoseOfBruteForce) {
  Random random;
  int64_t with_cycle = 0;
  int64_t dominators = 0;
  for (int round = 0; round < 60; ++round) {
    RandomLineage random_lineage(random);
    for (int question = 0; question < 20; ++question) {
      Nodes starts = {random_lineage.AnyNode()};
      while (random.OneIn(3)) starts.push_back(random_lineage.AnyNode());
      LineageWalkOptions options = kUpstream;
      if (random.OneIn(4)) options.max_hops = random.Between(0, 6);
      if (random.OneIn(4)) options.event_types = static_cast<unsigned>(random.Between(0, 255));
      random_lineage.lineage().Walk(
          starts, options, [&](const Reader& reader, const LineageWalk& walk) {
            const BruteForce expected(walk, options, starts);
            auto origins = FindOrigins(reader, walk, options);
            ASSERT_TRUE(IsOk(origins));
            EXPECT_EQ(NodesOf(origins->sources), expected.Sources());
            const Nodes found = NodesOf(origins->dominators);
            EXPECT_EQ(std::set<LineageNode>(found.begin(), found.end()), expected.Dominators());
            EXPECT_EQ(origins->has_cycle, expected.HasCycle());
            for (const LineageOrigins::Node& node : origins->sources) {
              EXPECT_EQ(node.in_cycle, expected.InCycle(node.node));
            }
            // On a shortest way every hop is one farther.
            for (size_t i = 1; i < found.size(); ++i) {
              EXPECT_LT(origins->dominators[i - 1].hops, origins->dominators[i].hops);
            }
            with_cycle += origins->has_cycle ? 1 : 0;
            dominators += static_cast<int64_t>(found.size());
          });
      if (HasFailure()) return;
    }
  }
  // The random graphs are worth asking.
  EXPECT_GT(with_cycle, 0);
  EXPECT_GT(dominators, 0);
}

TEST(LineageClosure, FindsCyclesInWalksAnyWay) {
  Random random;
  int64_t with_cycle = 0;
  for (int round = 0; round < 100; ++round) {
    RandomLineage random_lineage(random);
    for (LineageDirection direction :
         {LineageDirection::kUpstream, LineageDirection::kDownstream, LineageDirection::kBoth}) {
      LineageWalkOptions options = {.direction = direction};
      if (random.OneIn(2)) options.max_hops = random.Between(0, 6);
      if (random.OneIn(4)) options.event_types = static_cast<unsigned>(random.Between(0, 255));
      random_lineage.lineage().Walk(
          {random_lineage.AnyNode()}, options, [&](const Reader& reader, const LineageWalk& walk) {
            const bool expected = BruteForce(walk, options, {}).HasCycle();
            with_cycle += expected ? 1 : 0;
            auto has_cycle = HasCycle(reader, walk, options);
            ASSERT_TRUE(IsOk(has_cycle));
            EXPECT_EQ(*has_cycle, expected);
          });
    }
  }
  EXPECT_GT(with_cycle, 0);
}

TEST(LineageClosure, HasAllEventsThatTheWalkWentAlong) {
  SmallLineage lineage;
  const Nodes chain = lineage.AddChain(4);
  lineage.AddEvent(chain[2], chain[1], Event::DECLARED_OUTPUT);  // Parallel.
  lineage.Walk({chain[3]}, kUpstream, [&](const Reader& reader, const LineageWalk& walk) {
    auto closure = LineageClosure::Of(reader, walk, kUpstream);
    ASSERT_TRUE(IsOk(closure));
    EXPECT_EQ(num_vertices(closure->graph()), 4u);
    EXPECT_EQ(num_edges(closure->graph()), 4u);
    for (uint32_t i = 0; i < 4; ++i) {
      EXPECT_EQ(closure->numbering().NumberOf(closure->numbering().node(i)), i);
    }
  });
}

TEST(LineageNumbering, FindsEveryNode) {
  Random random;
  for (int round = 0; round < 200; ++round) {
    std::set<LineageNode> nodes;
    for (int64_t i = random.Between(1, 200); i > 0; --i) {
      // Dense in places, far apart in others.
      const auto id = static_cast<uint32_t>(random.Skewed() & 0xfffffffe);
      nodes.insert(random.OneIn(2) ? LineageNode::Artifact(id) : LineageNode::Execution(id));
    }
    Nodes shuffled(nodes.begin(), nodes.end());
    std::reverse(shuffled.begin(), shuffled.end());
    const LineageNumbering numbering(shuffled);
    uint32_t number = 0;
    for (LineageNode node : nodes) {
      ASSERT_EQ(numbering.NumberOf(node), number);
      ASSERT_EQ(numbering.node(number), node);
      ++number;
    }
  }
}

// Algorithms that recurse overflow the stack here, most with the chain, others with the two arms.
TEST(LineageOrigins, OfLongLineageNeedNoDeepStack) {
  constexpr size_t kLength = 200'000;
  SmallLineage lineage;
  const Nodes arm = lineage.AddChain(kLength);  // Ends with an execution.
  const LineageNode model = lineage.AddArtifact();
  lineage.Connect(arm.back(), model);
  LineageOrigins origins = OriginsOf(lineage, {model});
  EXPECT_EQ(NodesOf(origins.sources), Nodes{arm[0]});
  EXPECT_EQ(origins.dominators.size(), kLength);

  const Nodes other_arm = lineage.AddChain(kLength);
  lineage.Connect(arm[1], other_arm[0]);  // The two arms of a diamond...
  lineage.Connect(other_arm.back(), model);
  origins = OriginsOf(lineage, {model});
  EXPECT_EQ(NodesOf(origins.sources), Nodes{arm[0]});
  EXPECT_EQ(NodesOf(origins.dominators), (Nodes{arm[1], arm[0]}));
  EXPECT_FALSE(origins.has_cycle);

  lineage.Connect(arm.back(), arm[0]);  // ...and a cycle as long.
  origins = OriginsOf(lineage, {model});
  EXPECT_EQ(origins.sources.size(), kLength / 2);
  EXPECT_TRUE(origins.has_cycle);
  lineage.Walk({model}, kUpstream, [&](const Reader& reader, const LineageWalk& walk) {
    auto has_cycle = HasCycle(reader, walk, kUpstream);
    ASSERT_TRUE(IsOk(has_cycle));
    EXPECT_TRUE(*has_cycle);
  });
}

}  // namespace
}  // namespace pedigree
