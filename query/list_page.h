// The options of a list, read and checked: what list.cc and filtered_list.cc share.
//
// Value types, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "query/list.h"
#include "store/reader.h"

namespace pedigree {

// What a list is sorted by; ties stand in id order.
enum class ListOrder : uint8_t {
  kId,
  kCreateTime,  // Only where it is not order by id (Catalog::IsCreatedInOrder).
  kUpdateTime,
};

struct ListPage {
  ListOrder order = ListOrder::kId;
  Direction direction = Direction::kAscending;
  int64_t size = kLastId;          // kLastId: everything.
  bool is_last = false;            // No token, whatever follows.
  std::optional<TimeAndId> after;  // The last node of the page before.
  std::string list;                // What tokens are bound to.

  // The first id that can stand on the page, in an order by id.
  int64_t FirstId() const;
  // The place from which to look in an order by time; `after` itself may be it.
  TimeAndId FirstPlace() const;
  bool IsBefore(TimeAndId a, TimeAndId b) const;
  // Whether the page before ended with this place or behind it.
  bool IsDone(TimeAndId place) const { return after.has_value() && !IsBefore(*after, place); }
};

// InvalidArgument if the options are wrong or the token is not this list's.
absl::StatusOr<ListPage> ReadListPage(const Catalog& catalog, const ListQuery& query);

// The node's place in an order by time.
TimeAndId PlaceOf(ListOrder order, const NodePeek& node);

// Visits all nodes of the kind in an order by time, from `from` on. Errors: as Reader.
absl::Status VisitByTime(const Reader& reader, ListOrder order, NodeKind kind, TimeAndId from,
                         Direction direction, absl::FunctionRef<bool(TimeAndId)> visit);

}  // namespace pedigree
