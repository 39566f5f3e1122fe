// Decides whether a node satisfies a filter (filter_ast.h has what a filter means).
//
// One pass over the node's wire bytes finds its fields and the properties that the filter names;
// neighbours are read only if those leave the question open, and each neighbour once. Whether some
// combination of neighbours satisfies the filter is asked part by part: an OR of each branch on its
// own, the operands of an AND together only where they share a neighbourhood. So the work is the
// sum of the neighbourhoods, and their product only for conditions that really join them.
// Threads: one; it keeps what it has read of neighbours.
//
//   FilterMatcher matcher(reader, filter);
//   absl::StatusOr<bool> matches = matcher.Matches(record);
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "query/filter_ast.h"
#include "store/lookup.h"
#include "store/property.h"
#include "store/reader.h"

namespace pedigree {

class FilterMatcher {
 public:
  // Both are borrowed.
  FilterMatcher(const Reader& reader, const Filter& filter);

  // `record` is of a node of the filter's kind. Errors: as Reader.
  absl::StatusOr<bool> Matches(const RecordView& record);

 private:
  // A value of the filter language; kOther is NULL.
  using Value = PropertyValue;

  // What a variable is bound to: a node, a property or an event.
  struct Row {
    NodePeek node;
    Value value;
    int64_t artifact_id = 0;
    int64_t execution_id = 0;
    int32_t event_type = 0;
    std::optional<int64_t> milliseconds;
  };
  // A list of literals of an IN, to be asked many times.
  struct Literals {
    absl::flat_hash_set<int64_t> ints;
    absl::flat_hash_set<absl::string_view> strings;
  };
  struct CachedNode {
    NodeRecord record;
    NodePeek peek;
  };

  void PrepareLists();
  bool BindNode(const RecordView& record);
  absl::Status LoadDomain(uint32_t variable, const RecordView& record);
  absl::Status LoadEvents(std::vector<Row>* rows);
  absl::StatusOr<bool> Bind(uint32_t variable, size_t row);
  absl::StatusOr<const CachedNode*> FindNode(NodeKind kind, int64_t id);

  bool IsBound(VariableSet variables) const { return (variables & ~bound_) == 0; }
  uint32_t SmallestDomain(VariableSet variables) const;
  absl::StatusOr<bool> Exists(const Predicate& predicate);
  absl::StatusOr<bool> ExistsAll(absl::Span<const uint32_t> predicates);
  absl::StatusOr<bool> ExistsTogether(const std::vector<uint32_t>& predicates);

  absl::StatusOr<bool> Holds(const Predicate& leaf);
  bool HoldsIn(const Predicate& leaf, const Value& value);
  Value Evaluate(const Scalar& scalar) const;
  Value Attribute(const Scalar& scalar) const;

  const Reader& reader_;
  const Filter& filter_;
  VariableSet property_variables_ = 0;
  VariableSet neighbour_variables_ = 0;
  VariableSet reads_record_ = 0;  // Of neighbours: more than the id is asked for.
  int64_t visits_per_node_ = 1;
  absl::flat_hash_map<const Predicate*, Literals> lists_;

  VariableSet bound_ = 0;
  // By variable: what it is bound to, and of neighbourhoods all that it can be bound to for the
  // node at hand, as ids or as events.
  std::vector<Row> rows_;
  std::vector<std::vector<int64_t>> ids_;
  std::vector<std::vector<Row>> events_;
  absl::flat_hash_map<std::pair<NodeKind, int64_t>, std::unique_ptr<const CachedNode>> neighbours_;
};

// Whether `text` is like the pattern of a LIKE. `steps` is increased by the work done.
bool IsLike(absl::string_view text, absl::string_view pattern, int64_t* steps);

// How two values that are not NULL compare: ints and doubles as the numbers they are; unordered for
// NaN and for values of kinds that do not compare.
std::partial_ordering CompareValues(const PropertyValue& a, const PropertyValue& b);

}  // namespace pedigree
