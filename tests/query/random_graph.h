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

class RandomGraphs {
 public:
  // `random` is borrowed and outlives this.
  explicit RandomGraphs(Random* random) : random_(*random) {}

  RandomGraph Make() {
    RandomGraph made;
    made.sizes.artifacts = random_.Between(1, 12);
    made.sizes.executions = random_.Between(1, 12);
    for (int64_t id = 1; id <= made.sizes.artifacts; ++id) {
      made.lineage.nodes[{NodeKind::kArtifact, id}] = GraphNodes::CreateTimeOf(id);
    }
    for (int64_t id = 1; id <= made.sizes.executions; ++id) {
      made.lineage.nodes[{NodeKind::kExecution, id}] = GraphNodes::CreateTimeOf(id);
    }
    const int64_t events = random_.Between(0, 30);
    while (made.sizes.events < events) AddEvent(&made);
    return made;
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
    graph->lineage.events.push_back(event);
    ++graph->sizes.events;
  }

  std::set<OracleRef> SomeNodes(const RandomGraph& graph, int64_t count) {
    std::set<OracleRef> nodes;
    for (; count > 0; --count) {
      if (random_.OneIn(2)) {
        nodes.insert({NodeKind::kArtifact, random_.Between(1, graph.sizes.artifacts)});
      } else {
        nodes.insert({NodeKind::kExecution, random_.Between(1, graph.sizes.executions)});
      }
    }
    return nodes;
  }

  Random& random_;
};

}  // namespace pedigree
