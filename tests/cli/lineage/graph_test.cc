// A lineage is put together from the parts of its traces.
#include "cli/lineage/graph.h"

#include <gtest/gtest.h>

#include "tests/cli/lineage/sample.h"

namespace pedigree::cli {
namespace {

using testing::SmallLineage;

std::vector<std::string> RefsOf(const LineageGraph& graph) {
  std::vector<std::string> refs;
  for (const GraphNode& node : graph.nodes()) refs.push_back(node.ref());
  return refs;
}

TEST(LineageGraph, StandsInDownstreamOrderWhateverTheWay) {
  using Refs = std::vector<std::string>;
  EXPECT_EQ(RefsOf(SmallLineage(LineageWay::kUp)),
            (Refs{"execution:1", "artifact:1", "artifact:2", "execution:2", "artifact:4"}));
  EXPECT_EQ(RefsOf(SmallLineage(LineageWay::kDown)),
            (Refs{"artifact:4", "execution:3", "artifact:5"}));
  EXPECT_EQ(RefsOf(SmallLineage(LineageWay::kBoth)),
            (Refs{"execution:1", "artifact:1", "artifact:2", "execution:2", "artifact:4",
                  "execution:3", "artifact:5"}));
}

TEST(LineageGraph, EdgesLeadDownstream) {
  const LineageGraph graph = SmallLineage(LineageWay::kBoth);
  ASSERT_EQ(graph.edges().size(), 7u);
  for (const GraphEdge& edge : graph.edges()) EXPECT_LT(edge.from, edge.to);
  EXPECT_EQ(graph.in(3).size(), 2u);
  EXPECT_EQ(graph.out(4).size(), 1u);
  EXPECT_EQ(graph.artifacts(), 4);
  EXPECT_EQ(graph.executions(), 3);
}

TEST(LineageGraph, TheStartOfBothWaysIsOneNode) {
  const LineageGraph graph = SmallLineage(LineageWay::kBoth);
  int starts = 0;
  for (const GraphNode& node : graph.nodes()) starts += node.is_start ? 1 : 0;
  EXPECT_EQ(starts, 1);
  EXPECT_TRUE(graph.nodes()[4].is_start);
}

TEST(LineageGraph, AnEventOfBothWaysIsOneEdge) {
  v1::NodeRef start;
  start.set_kind(v1::ARTIFACT);
  start.set_id(1);
  LineageGraph graph(LineageWay::kBoth, {start});
  // An execution that updates what it reads: a cycle, which both ways tell.
  v1::TraceResponse part;
  *part.add_nodes()->mutable_ref() = start;
  part.mutable_nodes(0)->mutable_artifact()->set_id(1);
  auto* execution = part.add_nodes();
  execution->mutable_ref()->set_kind(v1::EXECUTION);
  execution->mutable_ref()->set_id(1);
  execution->mutable_execution()->set_id(1);
  for (const auto type : {ml_metadata::Event::INPUT, ml_metadata::Event::OUTPUT}) {
    auto* event = part.add_events();
    event->set_artifact_id(1);
    event->set_execution_id(1);
    event->set_type(type);
  }
  graph.Add(v1::UPSTREAM, part);
  graph.Add(v1::DOWNSTREAM, part);
  graph.Finish();
  EXPECT_EQ(graph.nodes().size(), 2u);
  EXPECT_EQ(graph.edges().size(), 2u);
}

TEST(LineageGraph, IsAsCompleteAsItsLeastCompleteWay) {
  EXPECT_TRUE(SmallLineage(LineageWay::kUp).completeness().complete());
  const LineageGraph both = SmallLineage(LineageWay::kBoth);
  EXPECT_FALSE(both.completeness().complete());
  EXPECT_EQ(both.completeness().reason(), "max_nodes");
}

TEST(GraphNode, IsCalledWhatPeopleCallIt) {
  v1::TraceResponse::Node told;
  told.mutable_ref()->set_kind(v1::ARTIFACT);
  told.mutable_ref()->set_id(7);
  told.mutable_artifact()->set_id(7);
  EXPECT_EQ(GraphNode(told).label(), "artifact:7");
  told.mutable_artifact()->set_uri("s3://models/fraud/v7/");
  EXPECT_EQ(GraphNode(told).label(), "v7");
  told.mutable_artifact()->set_name("named");
  EXPECT_EQ(GraphNode(told).label(), "named");
  (*told.mutable_artifact()->mutable_custom_properties())["display_name"].set_string_value("shown");
  EXPECT_EQ(GraphNode(told).label(), "shown");
}

}  // namespace
}  // namespace pedigree::cli
