// A real store with artifacts, executions and events, made in a few words.
//
// Threads: one.
//
//   SmallLineage lineage;
//   const LineageNode data = lineage.AddArtifact();
//   const LineageNode step = lineage.AddExecution();
//   lineage.Connect(data, step);  // The step reads the data.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ml_metadata/proto/metadata_store.pb.h"
#include "query/lineage_view.h"
#include "query/lineage_walk.h"
#include "store/reader.h"
#include "tests/store/test_store.h"

namespace pedigree {

class SmallLineage {
 public:
  SmallLineage();

  TestStore& store() { return store_; }
  int64_t artifact_type() const { return artifact_type_; }
  int64_t execution_type() const { return execution_type_; }
  int64_t context_type() const { return context_type_; }

  LineageNode AddArtifact(const std::vector<int64_t>& contexts = {});
  LineageNode AddExecution(const std::vector<int64_t>& contexts = {});
  LineageNode Add(ml_metadata::Artifact artifact);
  LineageNode Add(ml_metadata::Execution execution);
  int64_t AddContext(const std::string& name);

  // Adds an event from one node to the other, of which one is an artifact: an OUTPUT or INPUT.
  // `path`: its one step, a key; "" for none.
  void Connect(LineageNode from, LineageNode to, const std::string& path = "");
  void AddEvent(LineageNode artifact, LineageNode execution, ml_metadata::Event::Type type,
                const std::string& path = "");
  // Adds an artifact, an execution that reads it, an artifact that this wrote ... `nodes` in all,
  // and answers them.
  std::vector<LineageNode> AddChain(size_t nodes);

  // Runs a walk over all there is and then `use`.
  void Walk(const std::vector<LineageNode>& starts, const LineageWalkOptions& options,
            std::function<void(const Reader&, const LineageWalk&)> use);

 private:
  TestStore store_;
  int64_t artifact_type_;
  int64_t execution_type_;
  int64_t context_type_;
};

}  // namespace pedigree
