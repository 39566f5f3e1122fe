// All small graphs of events, and all small questions about them: what a random test may never
// meet, an exhaustive one does.
//
// Between every two nodes there is an input, an output, both or nothing. Threads: a value.
//
//   const SmallGraphs graphs(2, 2);
//   for (uint64_t code = 0; code < graphs.count(); ++code) {
//     const OracleLineage lineage = graphs.Make(code);
//     graphs.VisitQuestions(SmallLimits::kStops, [&](const OracleQuestion& question) { ... });
//   }
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "ml_metadata/proto/metadata_store.pb.h"
#include "tests/query/graph_nodes.h"
#include "tests/query/lineage_oracle.h"

namespace pedigree {

// What questions are limited by: hops; also single stops; also single nodes that are left out.
enum class SmallLimits : uint8_t { kHops, kStops, kStopsAndLeftOut };

class SmallGraphs {
 public:
  SmallGraphs(int64_t artifacts, int64_t executions)
      : artifacts_(artifacts), executions_(executions) {
    for (int64_t id = 1; id <= artifacts; ++id) nodes_.push_back({NodeKind::kArtifact, id});
    for (int64_t id = 1; id <= executions; ++id) nodes_.push_back({NodeKind::kExecution, id});
  }

  uint64_t count() const { return uint64_t{1} << (2 * artifacts_ * executions_); }
  const std::vector<OracleRef>& nodes() const { return nodes_; }

  // REQUIRES: code < count(). Two bits of it for each pair: bit 0 is an input, bit 1 an output.
  OracleLineage Make(uint64_t code) const {
    using ml_metadata::Event;
    OracleLineage lineage;
    for (const OracleRef& node : nodes_) {
      lineage.nodes[node] = GraphNodes::CreateTimeOf(node.second);
    }
    for (int64_t execution = 1; execution <= executions_; ++execution) {
      for (int64_t artifact = 1; artifact <= artifacts_; ++artifact, code >>= 2) {
        if ((code & 1) != 0) lineage.events.push_back({artifact, execution, Event::INPUT, 0});
        if ((code & 2) != 0) lineage.events.push_back({artifact, execution, Event::OUTPUT, 0});
      }
    }
    return lineage;
  }
  GraphNodes::Sizes SizesOf(const OracleLineage& lineage) const {
    return {artifacts_, executions_, static_cast<int64_t>(lineage.events.size())};
  }

  // Calls visit(question) for the question with all such limits, and without.
  template <class Visit>
  void VisitLimits(OracleQuestion question, SmallLimits limits, Visit visit) const {
    const auto longest = static_cast<int64_t>(nodes_.size());  // No way has so many hops.
    for (int64_t hops = 0; hops <= longest; ++hops) {
      question.max_hops.reset();
      if (hops < longest) question.max_hops = hops;
      const size_t first_stop = limits == SmallLimits::kHops ? nodes_.size() : 0;
      for (size_t stop = first_stop; stop <= nodes_.size(); ++stop) {
        question.stops = OneOrNone(stop);
        const size_t first_out = limits == SmallLimits::kStopsAndLeftOut ? 0 : nodes_.size();
        for (size_t out = first_out; out <= nodes_.size(); ++out) {
          question.left_out = OneOrNone(out);
          visit(question);
        }
      }
    }
  }
  // The same for all single starts and all directions.
  template <class Visit>
  void VisitQuestions(SmallLimits limits, Visit visit) const {
    for (const OracleRef& start : nodes_) {
      for (int direction = 1; direction <= 3; ++direction) {
        OracleQuestion question;
        question.starts = {start};
        question.is_upstream = direction != 2;
        question.is_downstream = direction != 1;
        VisitLimits(question, limits, visit);
      }
    }
  }

 private:
  std::set<OracleRef> OneOrNone(size_t i) const {
    return i < nodes_.size() ? std::set<OracleRef>{nodes_[i]} : std::set<OracleRef>();
  }

  const int64_t artifacts_;
  const int64_t executions_;
  std::vector<OracleRef> nodes_;
};

}  // namespace pedigree
