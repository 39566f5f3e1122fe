// What GetLineageSubgraph must answer about the executions of one client, whatever became of the
// server in between.
//
// Threads: one.
//
//   OwnLineage lineage;
//   lineage.Add(request, response);                       // of an acknowledged PutExecution
//   EXPECT_EQ(lineage.Check(&client, execution_id), "");  // before or after a restart
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/support/raw_client.h"

namespace pedigree::crash {

class OwnLineage {
 public:
  // An execution that only this client knows. Its artifacts are its own or read from others of
  // this client.
  void Add(const ml_metadata::PutExecutionRequest& request,
           const ml_metadata::PutExecutionResponse& response);

  // Asks for what is next to the execution, and for all that is upstream of it. "" or what is
  // wrong.
  std::string Check(testing::RawClient* client, int64_t execution) const;

 private:
  // (artifact, execution, Event.Type)
  using Events = std::set<std::tuple<int64_t, int64_t, int>>;

  struct Step {
    Events events;
    std::set<int64_t> contexts;
  };
  struct Graph {
    std::set<int64_t> artifacts;
    std::set<int64_t> executions;
    Events events;

    std::string ToString() const;
    friend bool operator==(const Graph&, const Graph&) = default;
  };

  static Graph GraphOf(const ml_metadata::LineageGraph& answer);
  Graph NextTo(int64_t execution) const;
  Graph Upstream(int64_t execution) const;
  std::string CheckContexts(const ml_metadata::LineageGraph& answer, int64_t execution) const;

  std::map<int64_t, Step> steps_;       // By execution.
  std::map<int64_t, int64_t> writers_;  // Of artifacts: executions.
};

}  // namespace pedigree::crash
