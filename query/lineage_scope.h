// What a question about lineage looks at, and the judge who holds a walk to it.
//
//   max_hops, event types   the walk's own options: OptionsOf()
//   as_of                   the view: LineageView::AsOf(reader, scope.as_of_ms)
//   filters, stops          LineageJudge
//
// A filter leaves a node out as if it did not exist, but never a start. A stop answers a node and
// does not go on from it, and a start is no exception. Both see nodes as they are now.
//
//   auto judge = LineageJudge::Make(reader, scope);
//   status = walk.Run(starts, OptionsOf(scope, LineageDirection::kUpstream), *judge);
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "query/lineage_view.h"
#include "query/lineage_walk.h"
#include "store/reader.h"

namespace pedigree {

struct LineageScope {
  int64_t max_hops = kNoHopLimit;
  unsigned event_types = kAllEventTypes;  // Bit t is for Event.Type t.
  // Filters, as filter_query; "" says nothing.
  std::string artifact_filter;
  std::string execution_filter;
  std::string stop_artifacts;
  std::string stop_executions;
  int64_t as_of_ms = kNow;
};

inline LineageWalkOptions OptionsOf(const LineageScope& scope, LineageDirection direction) {
  return {.direction = direction, .max_hops = scope.max_hops, .event_types = scope.event_types};
}

// A scope's filters, as what LineageWalk asks after each hop. Without filters it reads nothing and
// changes nothing; with some it reads the records of the kinds that they are about, in batches.
// A value that may be moved; borrows the reader. Threads: one.
class LineageJudge {
 public:
  // InvalidArgument if a filter is wrong.
  static absl::StatusOr<LineageJudge> Make(const Reader& reader, const LineageScope& scope);

  LineageJudge(LineageJudge&&) noexcept;
  LineageJudge& operator=(LineageJudge&&) noexcept;
  ~LineageJudge();

  // LineageWalk::OnHop. The nodes of hop 0 are starts. Errors: as Reader.
  absl::Status operator()(int64_t hop, absl::Span<const LineageNode> nodes,
                          absl::Span<LineageVerdict> verdicts) const;

  // Whether there is any filter or stop, so that verdicts can differ from kGoOn.
  bool has_opinions() const;

 private:
  class Opinion;  // On the nodes of one kind.

  LineageJudge();

  std::unique_ptr<Opinion> artifacts_;   // Null if there is no filter or stop.
  std::unique_ptr<Opinion> executions_;  // As above.
};

}  // namespace pedigree
