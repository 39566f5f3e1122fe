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

// Nodes are created in id order (an invariant of the store), so order by create time is order by
// id.
struct ListPage {
  bool by_update_time = false;
  Direction direction = Direction::kAscending;
  int64_t size = kLastId;          // kLastId: everything.
  bool is_last = false;            // No token, whatever follows.
  std::optional<TimeAndId> after;  // The last node of the page before.
  std::string list;                // What tokens are bound to.

  // The first id that can stand on the page, in an order by id.
  int64_t FirstId() const;
  // The place from which to look in an order by update time; `after` itself may be it.
  TimeAndId FirstPlace() const;
  bool IsBefore(TimeAndId a, TimeAndId b) const;
  // Whether the page before ended with this place or behind it.
  bool IsDone(TimeAndId place) const { return after.has_value() && !IsBefore(*after, place); }
};

// InvalidArgument if the options are wrong or the token is not this list's.
absl::StatusOr<ListPage> ReadListPage(const ListQuery& query);

}  // namespace pedigree
