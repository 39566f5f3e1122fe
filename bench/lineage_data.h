// A history of pipelines to walk in: what it is made of, a store filled with it, and the yardstick,
// a compressed sparse row graph of the same events.
//
// 200 pipelines take turns, each in runs of 20 steps. A step reads 3 artifacts and writes 2: of its
// inputs, 1 % come from another pipeline, 8 % from the run before, the others from steps before it
// in its run. Execution e writes the artifacts 2e - 1 and 2e.
// Threads: one, unless said otherwise.
//
//   LineageData data(1'000'000);
//   absl::Status status = FillStore(data, store);
//   CsrGraph upstream(data, LineageDirection::kUpstream);
//   CsrWalk walk(upstream);  walk.Run(start, max_hops);
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "query/lineage_view.h"
#include "store/store.h"

namespace pedigree::bench {

class LineageData {
 public:
  static constexpr int64_t kInputs = 3;
  static constexpr int64_t kOutputs = 2;

  explicit LineageData(int64_t executions);

  int64_t executions() const { return static_cast<int64_t>(inputs_.size()); }
  int64_t artifacts() const { return executions() * kOutputs; }
  int64_t events() const { return events_; }
  // The artifacts that execution `e` reads, from 1 on; 0 where it reads fewer.
  const std::array<uint32_t, kInputs>& inputs(int64_t e) const {
    return inputs_[static_cast<size_t>(e - 1)];
  }
  // The number of its pipeline's run, over all pipelines, from 0 on.
  static int64_t RunOf(int64_t e);

 private:
  std::vector<std::array<uint32_t, kInputs>> inputs_;
  int64_t events_ = 0;
};

// Writes all of it as KFP would: each node in the contexts of its run and its pipeline, with bodies
// of about 300 bytes, events with paths.
absl::Status FillStore(const LineageData& data, Store& store);

// Vertices: artifact a is a - 1, execution e is artifacts + e - 1.
class CsrGraph {
 public:
  CsrGraph(const LineageData& data, LineageDirection direction);

  uint32_t vertices() const { return static_cast<uint32_t>(offsets_.size() - 1); }
  uint32_t VertexOf(LineageNode node) const {
    return node.is_execution() ? artifacts_ + node.id() - 1 : node.id() - 1;
  }
  const uint32_t* begin(uint32_t vertex) const { return targets_.data() + offsets_[vertex]; }
  const uint32_t* end(uint32_t vertex) const { return targets_.data() + offsets_[vertex + 1]; }

 private:
  uint32_t artifacts_;
  std::vector<uint64_t> offsets_;
  std::vector<uint32_t> targets_;
};

// The plain breadth-first walk: a queue, and a bit for each vertex.
class CsrWalk {
 public:
  explicit CsrWalk(const CsrGraph& graph);

  // The number of vertices that `max_hops` hops reach.
  size_t Run(uint32_t start, int64_t max_hops);

 private:
  const CsrGraph& graph_;
  std::vector<uint64_t> seen_;
  std::vector<uint32_t> queue_;
};

}  // namespace pedigree::bench
