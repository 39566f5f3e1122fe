// Readers of any graph over nodes that exist: random tests try thousands of graphs a second, which
// no store could be filled with.
//
// One store is made, with kNodes artifacts and as many executions, two of each a millisecond, and
// each graph that a test fills is read as if it were that store's. Threads: as Reader.
//
//   GraphNodes nodes;
//   EventGraph graph;
//   graph.Append(1, {.artifact = 2, .execution = 3, .type = Event::OUTPUT}, time_ms);
//   Reader reader = nodes.ReaderOf(graph, {.artifacts = 2, .executions = 3, .events = 1});
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "store/reader.h"
#include "tests/store/test_store.h"

namespace pedigree {

class GraphNodes {
 public:
  static constexpr int64_t kNodes = 16;
  // Of the artifact and of the execution of this id.
  static constexpr int64_t CreateTimeOf(int64_t id) { return TestStore::kStartMs + (id + 1) / 2; }

  struct Sizes {
    int64_t artifacts = 0;
    int64_t executions = 0;
    int64_t events = 0;
  };

  GraphNodes() {
    const int64_t artifact_type = PutType<ml_metadata::Artifact>(store_, "Data");
    const int64_t execution_type = PutType<ml_metadata::Execution>(store_, "Train");
    for (int64_t id = 1; id <= kNodes; ++id) {
      store_.SetClock(CreateTimeOf(id));
      EXPECT_TRUE(IsOk(Insert(store_, NewNode<ml_metadata::Artifact>(artifact_type))));
      EXPECT_TRUE(IsOk(Insert(store_, NewNode<ml_metadata::Execution>(execution_type))));
    }
    EXPECT_TRUE(IsOk(store_->Read(Blocking::kAllowed, [&](const Reader& reader) {
      version_ = reader.version();
      return absl::OkStatus();
    })));
  }

  // REQUIRES: no more nodes than kNodes of a kind. `graph` is borrowed and outlives the reader.
  Reader ReaderOf(const EventGraph& graph, const Sizes& sizes) const {
    auto version = std::make_shared<Version>(*version_);
    version->graph = &graph;
    version->counters.last_node_id[IndexOf(NodeKind::kArtifact)] = sizes.artifacts;
    version->counters.last_node_id[IndexOf(NodeKind::kExecution)] = sizes.executions;
    version->counters.last_event_number = sizes.events;
    return Reader(std::move(version), Blocking::kAllowed);
  }

 private:
  TestStore store_;
  std::optional<Version> version_;  // Goes before the store that it looks at.
};

}  // namespace pedigree
