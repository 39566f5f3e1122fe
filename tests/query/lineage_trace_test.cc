// Traces: their order and their events against the definition on random graphs, long chains and
// cycles, and tokens.
#include "query/lineage_trace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "query/lineage_token.h"
#include "tests/query/compare_walk.h"
#include "tests/query/graph_nodes.h"
#include "tests/query/lineage_definitions.h"
#include "tests/query/lineage_oracle.h"
#include "tests/query/random_graph.h"
#include "tests/store/random.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using ml_metadata::Event;

constexpr int kGraphs = 10'000;

absl::StatusOr<LineageTrace> TraceOf(const Reader& reader, const LineageView& view,
                                     const OracleQuestion& question) {
  std::vector<LineageNode> starts;
  for (const OracleRef& start : question.starts) starts.push_back(NodeOf(start));
  const LineageWalkOptions options = OptionsOf(question);
  LineageWalk walk(reader, view);
  absl::Status status = walk.Run(
      starts, options,
      [&](int64_t, absl::Span<const LineageNode> nodes, absl::Span<LineageVerdict> verdicts) {
        for (size_t i = 0; i < nodes.size(); ++i) {
          if (question.stops.count(OracleRefOf(nodes[i])) > 0) verdicts[i] = LineageVerdict::kStop;
          if (question.left_out.count(OracleRefOf(nodes[i])) > 0)
            verdicts[i] = LineageVerdict::kLeaveOut;
        }
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  return LineageTrace::Of(reader, walk, options);
}

TEST(LineageTraceRandom, IsTheDefinitions) {
  const GraphNodes nodes;
  const uint64_t seed = Random().seed();
  int cycles = 0;
  for (uint64_t i = 0; i < kGraphs; ++i) {
    Random random(seed + i);
    RandomGraphs graphs(&random);
    const RandomGraph made = graphs.Make();
    EventGraph graph;
    FillGraph(made.lineage, &graph);
    const Reader reader = nodes.ReaderOf(graph, made.sizes);
    const OracleQuestion question = graphs.Ask(made);
    const std::string what = absl::StrCat("seed ", random.seed(), "\n", made.lineage.ToString(),
                                          "\n", question.ToString());
    const auto view = question.as_of_ms.has_value() ? LineageView::AsOf(reader, *question.as_of_ms)
                                                    : LineageView(reader);
    ASSERT_TRUE(IsOk(view));
    const auto trace = TraceOf(reader, *view, question);
    ASSERT_TRUE(IsOk(trace)) << what;
    const ExpectedTrace expected = TraceByDefinition(made.lineage, question);
    ASSERT_EQ(trace->size(), expected.nodes.size()) << what;
    bool has_cycle = false;
    for (size_t place = 0; place < trace->size(); ++place) {
      ASSERT_EQ(trace->node(place).node.bits(), expected.nodes[place].node.bits()) << place << "\n"
                                                                                   << what;
      ASSERT_TRUE(trace->node(place) == expected.nodes[place]) << place << "\n" << what;
      const auto events = trace->EventsOf(place);
      ASSERT_EQ(std::vector<uint32_t>(events.begin(), events.end()), expected.events[place])
          << place << "\n"
          << what;
      has_cycle = has_cycle || expected.nodes[place].in_cycle;
    }
    ASSERT_EQ(trace->has_cycle(), has_cycle) << what;
    cycles += has_cycle;
  }
  EXPECT_GT(cycles, kGraphs / 20) << "the graphs show little";
}

// artifact 1 -> execution 1 -> artifact 2 -> ..., and back to artifact 1 if it is a cycle.
enum class Shape { kChain, kCycle };
void FillLine(Shape shape, uint32_t executions, EventGraph* graph) {
  uint32_t number = 0;
  for (uint32_t id = 1; id <= executions; ++id) {
    graph->Append(++number, {.artifact = id, .execution = id, .type = Event::INPUT}, 1);
    const uint32_t next = shape == Shape::kCycle && id == executions ? 1 : id + 1;
    graph->Append(++number, {.artifact = next, .execution = id, .type = Event::OUTPUT}, 1);
  }
}

// Nothing recurs: a stack of 8 MiB would not do for a million nodes.
TEST(LineageTrace, OfAMillionNodesInARowNeedsNoStack) {
  constexpr uint32_t kExecutions = 500'000;
  const GraphNodes nodes;
  for (const Shape shape : {Shape::kChain, Shape::kCycle}) {
    EventGraph graph;
    FillLine(shape, kExecutions, &graph);
    const int64_t artifacts = kExecutions + (shape == Shape::kChain ? 1 : 0);
    const Reader reader = nodes.ReaderOf(
        graph, {.artifacts = artifacts, .executions = kExecutions, .events = 2 * kExecutions});
    OracleQuestion question;
    question.starts = {{NodeKind::kArtifact, 1}};
    question.is_downstream = true;
    const auto trace = TraceOf(reader, LineageView(reader), question);
    ASSERT_TRUE(IsOk(trace));
    ASSERT_EQ(trace->size(), static_cast<size_t>(artifacts + kExecutions));
    EXPECT_EQ(trace->has_cycle(), shape == Shape::kCycle);
    for (size_t place = 0; place < trace->size(); ++place) {
      ASSERT_EQ(trace->node(place).node.id(), place / 2 + 1);
      ASSERT_EQ(trace->node(place).in_cycle, shape == Shape::kCycle);
      ASSERT_EQ(trace->node(place).hops, place);
    }
  }
}

TEST(LineageToken, IsGoodForItsRequestAlone) {
  const LineageResume resume = {{7, 8, 9}, 123456789012, 0xfedcba9876543210};
  const std::string token = EncodeResumeToken("request", resume);
  const auto decoded = DecodeResumeToken("request", token);
  ASSERT_TRUE(IsOk(decoded));
  EXPECT_EQ(decoded->bounds.last_event, 7U);
  EXPECT_EQ(decoded->bounds.last_artifact, 8U);
  EXPECT_EQ(decoded->bounds.last_execution, 9U);
  EXPECT_EQ(decoded->place, resume.place);
  EXPECT_EQ(decoded->nodes_digest, resume.nodes_digest);
  EXPECT_TRUE(Fails(DecodeResumeToken("other", token), StatusCode::kInvalidArgument, "another"));
}

TEST(LineageToken, RefusesWhatNobodyMade) {
  const std::string token = EncodeResumeToken("request", {});
  for (size_t size = 0; size < token.size(); ++size) {
    EXPECT_TRUE(
        Fails(DecodeResumeToken("request", token.substr(0, size)), StatusCode::kInvalidArgument));
  }
  Random random;
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(
        Fails(DecodeResumeToken("request", random.Bytes(60)), StatusCode::kInvalidArgument));
  }
}

TEST(LineageView, WithinOlderBoundsIsWhatItWas) {
  const GraphNodes nodes;
  EventGraph graph;
  FillLine(Shape::kChain, 10, &graph);
  const Reader reader = nodes.ReaderOf(graph, {.artifacts = 11, .executions = 10, .events = 20});
  const auto view = LineageView::Within(reader, {4, 3, 2}, kNow);
  ASSERT_TRUE(IsOk(view));
  LineageWalk walk(reader, *view);
  ASSERT_TRUE(
      IsOk(walk.Run({LineageNode::Artifact(1)}, {.direction = LineageDirection::kDownstream})));
  EXPECT_EQ(walk.nodes().size(), 5U);
  for (const LineageBounds& beyond :
       {LineageBounds{21, 3, 2}, LineageBounds{4, 12, 2}, LineageBounds{4, 3, 11}}) {
    EXPECT_TRUE(Fails(LineageView::Within(reader, beyond, kNow), StatusCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace pedigree
