// Nodes are drawn from left to right, and none upon another.
#include "cli/lineage/layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/cli/lineage/sample.h"

namespace pedigree::cli {
namespace {

using testing::Chain;
using testing::PlatformLineage;
using testing::SmallLineage;

void ExpectSound(const LineageGraph& graph) {
  const LineageLayout layout = LayOut(graph);
  ASSERT_EQ(layout.places.size(), graph.nodes().size());
  for (const GraphEdge& edge : graph.edges()) {
    if (edge.from > edge.to) continue;  // Closes a cycle.
    const auto& from = layout.places[edge.from];
    const auto& to = layout.places[edge.to];
    EXPECT_LT(from.column, to.column);
    EXPECT_LT(from.x + LineageLayout::kNodeWidth, to.x);
    EXPECT_EQ((to.column - from.column) % 2, 1) << "columns of both kinds take turns";
  }
  std::map<int, std::vector<int>> rows;
  for (const auto& place : layout.places) {
    EXPECT_GE(place.x, 0);
    EXPECT_GE(place.y, 0);
    rows[place.x].push_back(place.y);
  }
  for (auto& [x, ys] : rows) {
    std::sort(ys.begin(), ys.end());
    for (size_t i = 1; i < ys.size(); ++i) {
      EXPECT_GE(ys[i] - ys[i - 1], LineageLayout::kRow - 1) << "at x = " << x;
    }
  }
}

TEST(LayOut, PutsNothingUponAnother) {
  ExpectSound(SmallLineage(LineageWay::kUp));
  ExpectSound(SmallLineage(LineageWay::kBoth));
  ExpectSound(Chain(200));
  const char* given = std::getenv("PEDIGREE_SEED");
  const uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device()();
  std::printf("PEDIGREE_SEED=%llu\n", static_cast<unsigned long long>(seed));
  for (int i = 0; i < 20; ++i) {
    ExpectSound(PlatformLineage(static_cast<int64_t>(10 + (seed + 37u * i) % 700), seed + i));
  }
}

TEST(LayOut, FoldsWhatWouldBeMuchHigherThanWide) {
  const LineageGraph graph = PlatformLineage(5000, 1);
  int width = 0;
  int height = 0;
  for (const auto& place : LayOut(graph).places) {
    width = std::max(width, place.x);
    height = std::max(height, place.y);
  }
  EXPECT_LT(height, 2 * width);
  EXPECT_LT(width, 8 * height);
}

TEST(LayOut, IsTheSameEachTime) {
  const LineageGraph graph = PlatformLineage(500, 3);
  const LineageLayout first = LayOut(graph);
  const LineageLayout second = LayOut(graph);
  for (size_t i = 0; i < first.places.size(); ++i) {
    EXPECT_EQ(first.places[i].x, second.places[i].x);
    EXPECT_EQ(first.places[i].y, second.places[i].y);
  }
}

TEST(LayOut, ACycleEnds) {
  LineageGraph graph(LineageWay::kDown, {});
  v1::TraceResponse part;
  for (const v1::NodeKind kind : {v1::ARTIFACT, v1::EXECUTION}) {
    auto* node = part.add_nodes();
    node->mutable_ref()->set_kind(kind);
    node->mutable_ref()->set_id(1);
  }
  for (const auto type : {ml_metadata::Event::INPUT, ml_metadata::Event::OUTPUT}) {
    auto* event = part.add_events();
    event->set_artifact_id(1);
    event->set_execution_id(1);
    event->set_type(type);
  }
  graph.Add(v1::DOWNSTREAM, part);
  graph.Finish();
  ExpectSound(graph);
}

TEST(LayOut, NothingIsNothing) {
  LineageGraph graph(LineageWay::kDown, {});
  graph.Finish();
  EXPECT_TRUE(LayOut(graph).places.empty());
}

}  // namespace
}  // namespace pedigree::cli
