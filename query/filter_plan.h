// Which nodes a filter has to look at: the plan of a filtered list.
//
// A plan is a source of candidates in id order, a superset of the answer that FilterMatcher then
// goes through. The planner looks at what every match must satisfy (the operands of the filter's
// top AND, and what the list is over) and takes the first of these that there is:
//
//   1. unique look-ups           id, external_id, name with the type: at most one node each
//   2. a complete short list     an index probed to its end within kProbe nodes: a property, a uri,
//                                events, contexts, a type, also all branches of an OR
//   3. an index in id order      one value of a property, a uri, an artifact's events: streamed
//   4. posting lists             of contexts and types, intersected block by block of 256 ids
//   5. a range of ids            of id itself and of create time, which follows it
//   6. every node
//
// Everything that a plan skips cannot match, whatever else the filter says: an OR without an index
// for each branch, a negation, or a leaf that NULL matches never narrows a plan.
// Pure functions over a Reader; threads as the Reader.
//
//   auto plan = PlanFilter(reader, filter, scope);
//   plan->source->Visit(reader, kFirstId, Direction::kAscending, [&](int64_t id) { ... });
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "query/filter_ast.h"
#include "query/list.h"
#include "store/reader.h"

namespace pedigree {

// Nodes looked at to find out whether a list is short.
inline constexpr size_t kProbe = 128;

// Ids of nodes, in id order, each once.
class IdSource {
 public:
  virtual ~IdSource() = default;
  // Visits them from id `from` on, until the visitor answers false. Errors: as Reader.
  virtual absl::Status Visit(const Reader& reader, int64_t from, Direction direction,
                             Reader::VisitId visit) const = 0;
};

struct FilterPlan {
  std::unique_ptr<const IdSource> source;  // Null: every node of the kind.
  // Bounds of the candidates' ids, both included.
  int64_t first_id = kFirstId;
  int64_t last_id = kLastId;
  // What the source is, for people: "index on custom_properties.run_id".
  std::string what;
  // Nodes that the source was seen to hold while planning. If the source was not seen to its end,
  // there are at least so many.
  int64_t estimated_rows = 0;
  bool is_estimate_exact = false;
  // "execution custom_properties.run_id", an index that would serve this filter; "" if none would.
  std::string missing_index;
};

// Errors: as Reader.
absl::StatusOr<FilterPlan> PlanFilter(const Reader& reader, const Filter& filter,
                                      const ListScope& scope);

}  // namespace pedigree
