// Random small graphs of events, and random questions about them.
//
// Whatever a walk could get wrong is there: cycles, parallel events of several types, nodes without
// events, executions whose events have no consecutive numbers, and times of events that lie before
// and after the create times of nodes. Threads: one each.
//
//   RandomGraphs graphs(&random);
//   RandomGraph made = graphs.Make();
//   OracleQuestion question = graphs.Ask(made);
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>

#include "ml_metadata/proto/metadata_store.pb.h"
#include "tests/query/graph_nodes.h"
#include "tests/query/lineage_oracle.h"
#include "tests/store/random.h"

namespace pedigree {

struct RandomGraph {
  OracleLineage lineage;
  GraphNodes::Sizes sizes;
};

// Whether there may be several events of one type between two nodes, which a graph can hold and a
// store does not take.
enum class ParallelEvents : uint8_t { kOfAnyType, kOfOtherTypes };

class RandomGraphs {
 public:
  // `random` is borrowed and outlives this.
  explicit RandomGraphs(Random* random, ParallelEvents parallel = ParallelEvents::kOfAnyType)
      : random_(*random), parallel_(parallel) {}

  RandomGraph Make() {
    RandomGraph made;
    AddNodes(&made, random_.Between(1, 12), random_.Between(1, 12));
    for (int64_t tries = random_.Between(0, 30); tries > 0; --tries) AddEvent(&made);
    return made;
  }
  // Adds some nodes and events.
  void Grow(RandomGraph* graph) {
    const int64_t artifacts = random_.Between(graph->sizes.artifacts, GraphNodes::kNodes);
    const int64_t executions = random_.Between(graph->sizes.executions, GraphNodes::kNodes);
    AddNodes(graph, artifacts, executions);
    for (int64_t tries = random_.Between(0, 10); tries > 0; --tries) AddEvent(graph);
  }

  OracleRef AnyNode(const RandomGraph& graph) {
    if (random_.OneIn(2)) return {NodeKind::kArtifact, random_.Between(1, graph.sizes.artifacts)};
    return {NodeKind::kExecution, random_.Between(1, graph.sizes.executions)};
  }

  OracleQuestion Ask(const RandomGraph& graph) {
    OracleQuestion question;
    const int64_t direction = random_.Between(1, 3);
    question.is_upstream = direction != 2;
    question.is_downstream = direction != 1;
    question.starts = SomeNodes(graph, random_.OneIn(3) ? random_.Between(2, 5) : 1);
    if (random_.OneIn(20)) question.starts.insert({NodeKind::kArtifact, 15});  // Never there.
    if (random_.OneIn(2)) question.max_hops = random_.Between(0, 7);
    if (random_.OneIn(50)) question.max_hops = std::numeric_limits<int64_t>::max();
    if (random_.OneIn(3)) {
      question.event_types.emplace();
      for (int type = 0; type <= ml_metadata::Event::Type_MAX; ++type) {
        if (random_.OneIn(2)) question.event_types->insert(type);
      }
    }
    if (random_.OneIn(2)) question.stops = SomeNodes(graph, random_.Between(1, 4));
    if (random_.OneIn(3)) question.left_out = SomeNodes(graph, random_.Between(1, 4));
    if (random_.OneIn(4)) {
      question.as_of_ms = random_.Between(TestStore::kStartMs - 1,
                                          GraphNodes::CreateTimeOf(GraphNodes::kNodes) + 3);
    }
    return question;
  }

 private:
  // `artifacts` and `executions`: how many there are then.
  static void AddNodes(RandomGraph* graph, int64_t artifacts, int64_t executions) {
    const auto add = [&](NodeKind kind, int64_t last, int64_t* size) {
      while (*size < last) {
        const int64_t id = ++*size;
        graph->lineage.nodes[{kind, id}] = GraphNodes::CreateTimeOf(id);
      }
    };
    add(NodeKind::kArtifact, artifacts, &graph->sizes.artifacts);
    add(NodeKind::kExecution, executions, &graph->sizes.executions);
  }

  // In the order that a store would give them: mostly several of one execution at once.
  void AddEvent(RandomGraph* graph) {
    OracleEvent event;
    const auto& events = graph->lineage.events;
    event.artifact = random_.Between(1, graph->sizes.artifacts);
    event.execution = random_.Between(1, graph->sizes.executions);
    if (!events.empty() && random_.OneIn(2)) event.execution = events.back().execution;
    if (!events.empty() && random_.OneIn(5)) event = random_.Pick(events);  // A parallel one.
    event.type =
        static_cast<ml_metadata::Event::Type>(random_.Between(0, ml_metadata::Event::Type_MAX));
    event.time_ms = random_.OneIn(20)
                        ? random_.Between(-5, 5)
                        : TestStore::kStartMs + random_.Between(0, GraphNodes::kNodes / 2 + 2);
    const bool is_there = std::any_of(events.begin(), events.end(), [&](const OracleEvent& other) {
      return event.artifact == other.artifact && event.execution == other.execution &&
             event.type == other.type;
    });
    if (is_there && parallel_ == ParallelEvents::kOfOtherTypes) return;
    graph->lineage.events.push_back(event);
    ++graph->sizes.events;
  }

  std::set<OracleRef> SomeNodes(const RandomGraph& graph, int64_t count) {
    std::set<OracleRef> nodes;
    for (; count > 0; --count) nodes.insert(AnyNode(graph));
    return nodes;
  }

  Random& random_;
  const ParallelEvents parallel_;
};

}  // namespace pedigree
