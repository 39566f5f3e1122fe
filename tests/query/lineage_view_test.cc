// The view as Boost.Graph sees it: its concepts, its edges against a look through all events, one
// of Boost's algorithms against the product's own walk, and what existed at a time.
#include "query/lineage_view.h"

#include <gtest/gtest.h>

#include <boost/concept/assert.hpp>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/graph_concepts.hpp>
#include <boost/graph/reverse_graph.hpp>
#include <boost/pending/queue.hpp>
#include <boost/property_map/property_map.hpp>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include "query/lineage_walk.h"
#include "tests/query/compare_walk.h"
#include "tests/query/graph_nodes.h"
#include "tests/query/random_graph.h"
#include "tests/store/random.h"

namespace pedigree {
namespace {

using ml_metadata::Event;
using Nodes = std::vector<LineageNode>;
using EventNumbers = std::multiset<uint32_t>;

BOOST_CONCEPT_ASSERT((boost::IncidenceGraphConcept<LineageView>));
BOOST_CONCEPT_ASSERT((boost::BidirectionalGraphConcept<LineageView>));
BOOST_CONCEPT_ASSERT((boost::VertexListGraphConcept<LineageView>));
BOOST_CONCEPT_ASSERT((boost::ReadablePropertyMapConcept<LineageIndexMap, LineageNode>));
BOOST_CONCEPT_ASSERT((boost::ReadablePropertyMapConcept<LineageKindMap, LineageNode>));
BOOST_CONCEPT_ASSERT((boost::ReadablePropertyMapConcept<LineageIdMap, LineageNode>));
BOOST_CONCEPT_ASSERT((boost::ReadablePropertyMapConcept<LineageTypeMap, LineageEdge>));

// Calls check(random, graph, reader) for random graphs, until one fails.
template <class Check>
void ForRandomGraphs(int count, const Check& check) {
  const GraphNodes nodes;
  const uint64_t seed = Random().seed();
  for (int i = 0; i < count && !testing::Test::HasFailure(); ++i) {
    Random random(seed + static_cast<uint64_t>(i));
    const RandomGraph made = RandomGraphs(&random).Make();
    EventGraph graph;
    FillGraph(made.lineage, &graph);
    SCOPED_TRACE(made.lineage.ToString());
    check(random, made, nodes.ReaderOf(graph, made.sizes));
  }
}

LineageNode TailOf(const OracleEvent& event) {
  const OracleRef artifact = {NodeKind::kArtifact, event.artifact};
  const OracleRef execution = {NodeKind::kExecution, event.execution};
  return NodeOf(EventEnds::IsOutput(static_cast<uint8_t>(event.type)) ? execution : artifact);
}

LineageNode HeadOf(const OracleEvent& event) {
  const OracleRef artifact = {NodeKind::kArtifact, event.artifact};
  const OracleRef execution = {NodeKind::kExecution, event.execution};
  return NodeOf(EventEnds::IsOutput(static_cast<uint8_t>(event.type)) ? artifact : execution);
}

// Numbers of the events that satisfy a condition, by a look through all.
template <class Matches>
EventNumbers Where(const OracleLineage& lineage, const Matches& matches) {
  EventNumbers numbers;
  for (uint32_t i = 0; i < lineage.events.size(); ++i) {
    if (matches(lineage.events[i])) numbers.insert(i + 1);
  }
  return numbers;
}

template <class Edges>
EventNumbers NumbersOf(Edges edges) {
  EventNumbers numbers;
  for (auto edge = edges.first; edge != edges.second; ++edge) numbers.insert((*edge).event);
  return numbers;
}

Nodes VerticesOf(const LineageView& view) {
  const auto [begin, end] = vertices(view);
  return Nodes(begin, end);
}

TEST(LineageView, HasAllNodesAsVertices) {
  const GraphNodes nodes;
  const EventGraph graph;
  const Reader reader = nodes.ReaderOf(graph, {.artifacts = 3, .executions = 2});
  const LineageView view(reader);
  EXPECT_EQ(VerticesOf(view),
            (Nodes{LineageNode::Artifact(1), LineageNode::Artifact(2), LineageNode::Artifact(3),
                   LineageNode::Execution(1), LineageNode::Execution(2)}));
  EXPECT_EQ(num_vertices(view), 5u);
  uint64_t index = 0;
  for (const LineageNode node : VerticesOf(view)) {
    EXPECT_TRUE(view.Has(node));
    EXPECT_EQ(get(get(boost::vertex_index, view), node), index++);
    EXPECT_EQ(get(get(node_kind_t(), view), node), node.kind());
    EXPECT_EQ(get(get(node_id_t(), view), node), node.id());
  }
  for (const LineageNode node : {LineageNode(), LineageNode::Artifact(4), LineageNode::Execution(3),
                                 LineageNode::Execution(0)}) {
    EXPECT_FALSE(view.Has(node)) << node.bits();
  }
  const LineageView empty(nodes.ReaderOf(graph, {}));
  EXPECT_EQ(VerticesOf(empty), Nodes());
}

TEST(LineageView, EdgesAreTheEventsOfEachNode) {
  ForRandomGraphs(500, [](Random&, const RandomGraph& made, const Reader& reader) {
    const LineageView view(reader);
    size_t out = 0;
    size_t in = 0;
    for (const LineageNode node : VerticesOf(view)) {
      const EventNumbers leaving =
          Where(made.lineage, [&](const OracleEvent& event) { return TailOf(event) == node; });
      const EventNumbers coming =
          Where(made.lineage, [&](const OracleEvent& event) { return HeadOf(event) == node; });
      EXPECT_EQ(NumbersOf(out_edges(node, view)), leaving);
      EXPECT_EQ(NumbersOf(in_edges(node, view)), coming);
      EXPECT_EQ(out_degree(node, view), leaving.size());
      EXPECT_EQ(in_degree(node, view), coming.size());
      EXPECT_EQ(degree(node, view), leaving.size() + coming.size());
      out += leaving.size();
      in += coming.size();
    }
    EXPECT_EQ(out, made.lineage.events.size());
    EXPECT_EQ(in, made.lineage.events.size());
  });
}

TEST(LineageView, AnEdgeKnowsItsEndsAndType) {
  ForRandomGraphs(100, [](Random&, const RandomGraph& made, const Reader& reader) {
    const LineageView view(reader);
    for (uint32_t number = 1; number <= made.lineage.events.size(); ++number) {
      const OracleEvent& event = made.lineage.events[number - 1];
      const LineageEdge edge = {number};
      EXPECT_EQ(source(edge, view), TailOf(event));
      EXPECT_EQ(target(edge, view), HeadOf(event));
      EXPECT_EQ(get(get(event_type_t(), view), edge), event.type);
      EXPECT_EQ(view.time_ms(number), event.time_ms);
    }
  });
}

TEST(LineageView, EdgesAreNotOfNodesThatDoNotExist) {
  const GraphNodes nodes;
  EventGraph graph;
  graph.Append(1, {2, 2, Event::OUTPUT}, 0);
  graph.Append(2, {2, 1, Event::INPUT}, 0);
  // A version that knows the event but not its execution is none; a view of a time may be.
  const Reader reader = nodes.ReaderOf(graph, {.artifacts = 2, .executions = 1, .events = 2});
  const LineageView view(reader);
  EXPECT_EQ(NumbersOf(in_edges(LineageNode::Artifact(2), view)), EventNumbers());
  EXPECT_EQ(NumbersOf(out_edges(LineageNode::Artifact(2), view)), EventNumbers{2});
  EXPECT_EQ(NumbersOf(out_edges(LineageNode::Artifact(9), view)), EventNumbers());
}

// Notes what an algorithm of Boost comes to.
class Discoverer : public boost::default_bfs_visitor {
 public:
  explicit Discoverer(std::set<OracleRef>* discovered) : discovered_(*discovered) {}
  template <class Graph>
  void discover_vertex(LineageNode node, const Graph&) {
    EXPECT_TRUE(discovered_.insert(OracleRefOf(node)).second);
  }

 private:
  std::set<OracleRef>& discovered_;
};

// Works for the view, and for Boost's reversal of it.
template <class Graph>
std::set<OracleRef> ReachedByBoost(const Graph& graph, LineageNode start) {
  std::set<OracleRef> discovered;
  std::map<LineageNode, boost::default_color_type> colors;
  boost::queue<LineageNode> queue;
  boost::breadth_first_visit(graph, start, queue, Discoverer(&discovered),
                             boost::make_assoc_property_map(colors));
  return discovered;
}

std::set<OracleRef> ReachedByWalk(const Reader& reader, LineageNode start,
                                  LineageDirection direction) {
  LineageWalk walk(reader, LineageView(reader));
  EXPECT_TRUE(IsOk(walk.Run({start}, {.direction = direction})));
  std::set<OracleRef> reached;
  for (const LineageNode node : walk.nodes()) reached.insert(OracleRefOf(node));
  return reached;
}

TEST(LineageView, BoostsSearchReachesWhatAWalkReaches) {
  ForRandomGraphs(300, [](Random&, const RandomGraph&, const Reader& reader) {
    const LineageView view(reader);
    const auto reversed = boost::make_reverse_graph(view);
    for (const LineageNode start : VerticesOf(view)) {
      EXPECT_EQ(ReachedByBoost(view, start),
                ReachedByWalk(reader, start, LineageDirection::kDownstream));
      EXPECT_EQ(ReachedByBoost(reversed, start),
                ReachedByWalk(reader, start, LineageDirection::kUpstream));
    }
  });
}

TEST(LineageView, ShowsWhatExistedAtATime) {
  ForRandomGraphs(300, [](Random& random, const RandomGraph& made, const Reader& reader) {
    const int64_t time_ms = random.OneIn(10)
                                ? static_cast<int64_t>(random.Skewed())
                                : TestStore::kStartMs + random.Between(-1, GraphNodes::kNodes);
    const auto view = LineageView::AsOf(reader, time_ms);
    ASSERT_TRUE(IsOk(view));
    const auto exists = [&](LineageNode node) {
      return made.lineage.nodes.at(OracleRefOf(node)) <= time_ms;
    };
    for (const LineageNode node : VerticesOf(LineageView(reader))) {
      EXPECT_EQ(view->Has(node), exists(node)) << "as of " << time_ms;
      if (!exists(node)) continue;
      EXPECT_EQ(NumbersOf(out_edges(node, *view)),
                Where(made.lineage, [&](const OracleEvent& event) {
                  return TailOf(event) == node && exists(HeadOf(event)) && event.time_ms <= time_ms;
                }));
      EXPECT_EQ(NumbersOf(in_edges(node, *view)),
                Where(made.lineage, [&](const OracleEvent& event) {
                  return HeadOf(event) == node && exists(TailOf(event)) && event.time_ms <= time_ms;
                }));
    }
  });
}

TEST(LineageView, AsOfTheEndsOfTimeShowsNothingOrEverything) {
  const GraphNodes nodes;
  EventGraph graph;
  graph.Append(1, {1, 1, Event::OUTPUT}, std::numeric_limits<int64_t>::min());
  graph.Append(2, {1, 1, Event::INPUT}, std::numeric_limits<int64_t>::max());
  const Reader reader = nodes.ReaderOf(graph, {.artifacts = 4, .executions = 4, .events = 2});
  const auto never = LineageView::AsOf(reader, std::numeric_limits<int64_t>::min());
  EXPECT_EQ(num_vertices(*never), 0u);
  const auto always = LineageView::AsOf(reader, kNow);
  EXPECT_EQ(num_vertices(*always), 8u);
  EXPECT_EQ(degree(LineageNode::Artifact(1), *always), 2u);
  const auto almost = LineageView::AsOf(reader, kNow - 1);
  EXPECT_EQ(num_vertices(*almost), 8u);
  EXPECT_EQ(degree(LineageNode::Artifact(1), *almost), 1u);
  const auto of_nothing = LineageView::AsOf(nodes.ReaderOf(graph, {}), TestStore::kStartMs);
  EXPECT_EQ(num_vertices(*of_nothing), 0u);
}

}  // namespace
}  // namespace pedigree
