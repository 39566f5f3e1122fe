// Readers of any graph over nodes that exist: random tests try thousands of graphs a second, which
// no store could be filled with.
//
// One store is made, with kNodes artifacts and as many executions, two of each a millisecond, in
// some contexts, and with every event that there can be between them. Each graph that a test fills
// is read as if it were that store's: what the graph has not, no lineage call looks at. Types,
// names, values and the paths of events vary with the seed. Threads: as Reader.
//
//   GraphNodes nodes;
//   EventGraph graph;
//   graph.Append(1, {.artifact = 2, .execution = 3, .type = Event::OUTPUT}, time_ms);
//   Reader reader = nodes.ReaderOf(graph, {.artifacts = 2, .executions = 3, .events = 1});
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "ml_metadata/proto/metadata_store.pb.h"
#include "store/reader.h"
#include "tests/query/lineage_oracle.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"

namespace pedigree {

class GraphNodes {
 public:
  static constexpr int64_t kNodes = 16;
  // More than a record holds, so that some nodes have lists of them.
  static constexpr int64_t kContexts = static_cast<int64_t>(kMaxNearLinks) + 4;
  // Of the artifact and of the execution of this id.
  static constexpr int64_t CreateTimeOf(int64_t id) { return TestStore::kStartMs + (id + 1) / 2; }

  struct Sizes {
    int64_t artifacts = 0;
    int64_t executions = 0;
    int64_t events = 0;
  };

  explicit GraphNodes(uint64_t seed = 1);

  // REQUIRES: no more nodes than kNodes of a kind. `graph` is borrowed and outlives the reader.
  Reader ReaderOf(const EventGraph& graph, const Sizes& sizes) const {
    return Reader(VersionOf(graph, sizes), Blocking::kAllowed);
  }
  // The same, for a reader with limits of its own.
  std::shared_ptr<const Version> VersionOf(const EventGraph& graph, const Sizes& sizes) const;

  // As calls answer them. REQUIRES: there is such a one.
  const ml_metadata::Artifact& artifact(int64_t id) const { return artifacts_.at(id); }
  const ml_metadata::Execution& execution(int64_t id) const { return executions_.at(id); }
  const ml_metadata::Context& context(int64_t id) const { return contexts_.at(id); }
  const ml_metadata::Event& event(const OracleEvent& event) const {
    return events_.at({event.artifact, event.execution, event.type});
  }
  const std::vector<int64_t>& ContextsOf(OracleRef node) const { return contexts_of_.at(node); }
  // "" for none.
  const std::string& TypeVersionOf(int64_t type_id) const { return type_versions_.at(type_id); }

 private:
  template <class Node>
  int64_t AddType(const std::string& name, const std::string& version = "");
  template <class Node>
  void AddNode(const std::vector<int64_t>& types, int64_t id, std::map<int64_t, Node>* nodes);
  template <class Node>
  void ReadNodes(std::map<int64_t, Node>* nodes);
  std::vector<int64_t> SomeContexts();
  void AddEvents();

  Random random_;
  TestStore store_;
  std::map<int64_t, ml_metadata::Artifact> artifacts_;
  std::map<int64_t, ml_metadata::Execution> executions_;
  std::map<int64_t, ml_metadata::Context> contexts_;
  std::map<std::tuple<int64_t, int64_t, ml_metadata::Event::Type>, ml_metadata::Event> events_;
  std::map<OracleRef, std::vector<int64_t>> contexts_of_;
  std::map<int64_t, std::string> type_names_;
  std::map<int64_t, std::string> type_versions_;
  std::optional<Version> version_;  // Goes before the store that it looks at.
};

}  // namespace pedigree
