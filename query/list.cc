#include "query/list.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "query/page_token.h"

namespace pedigree {
namespace {

using Options = ml_metadata::ListOperationOptions;
using OrderBy = Options::OrderByField;

// Up to this many members, a list by time reads the times of all; beyond, it walks the time index.
constexpr size_t kMaxMembersToSort = 4096;

// The options, read and checked. Nodes are created in id order (an invariant of the store), so
// order by create time is order by id.
struct Page {
  bool by_update_time = false;
  Direction direction = Direction::kAscending;
  int64_t size = kLastId;          // kLastId: everything.
  bool is_last = false;            // No token, whatever follows.
  std::optional<TimeAndId> after;  // The last node of the page before.
  std::string list;                // What tokens are bound to.
};

absl::StatusOr<Page> ReadOptions(const ListQuery& query) {
  Page page;
  if (query.options == nullptr) return page;
  const Options& options = *query.options;
  if (options.max_result_size() <= 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_result_size is ", options.max_result_size(), "; it must be at least 1"));
  }
  const OrderBy& order = options.order_by_field();
  if (order.field() == OrderBy::FIELD_UNSPECIFIED || !order.unknown_fields().empty()) {
    return absl::InvalidArgumentError(
        "order_by_field.field must be ID, CREATE_TIME or LAST_UPDATE_TIME");
  }
  if (!options.filter_query().empty()) {
    return absl::UnimplementedError("filter_query is not implemented yet");
  }
  page.by_update_time = order.field() == OrderBy::LAST_UPDATE_TIME;
  page.direction = order.is_asc() ? Direction::kAscending : Direction::kDescending;
  page.size = options.max_result_size();
  if (page.size > kMaxPageSize) {
    page.size = kMaxPageSize + 1;
    page.is_last = true;
  }
  page.list = absl::StrCat(query.rpc, "\n", static_cast<int>(query.scope.of), " ", query.scope.id,
                           "\n", static_cast<int>(order.field()), order.is_asc() ? " up" : " down",
                           "\n", options.filter_query());
  if (options.next_page_token().empty()) return page;
  auto after = DecodePageToken(page.list, options.next_page_token());
  if (!after.ok()) return after.status();
  page.after = *after;
  return page;
}

bool IsBefore(TimeAndId a, TimeAndId b, Direction direction) {
  const auto pair_a = std::make_pair(a.time_ms, a.id);
  const auto pair_b = std::make_pair(b.time_ms, b.id);
  return direction == Direction::kAscending ? pair_a < pair_b : pair_b < pair_a;
}

// The first id that can stand on the page.
int64_t FirstIdOf(const Page& page) {
  const bool ascending = page.direction == Direction::kAscending;
  if (!page.after.has_value()) return ascending ? kFirstId : kLastId;
  return ascending ? page.after->id + 1 : page.after->id - 1;
}

absl::Status VisitMembers(const Reader& reader, const ListQuery& query, int64_t from,
                          Direction direction, Reader::VisitId visit) {
  if (query.scope.of == ListScope::Of::kType) {
    return reader.VisitTypeMembers(query.kind, query.scope.id, from, direction, visit);
  }
  return reader.VisitContextMembers(query.scope.id, query.kind, from, direction, visit);
}

// One more than the page holds, to know whether another follows.
using Places = std::vector<TimeAndId>;
bool IsFull(const Places& places, const Page& page) {
  return static_cast<int64_t>(places.size()) > page.size;
}

absl::StatusOr<Places> PlacesById(const Reader& reader, const ListQuery& query, const Page& page) {
  Places places;
  absl::Status status =
      VisitMembers(reader, query, FirstIdOf(page), page.direction, [&](int64_t id) {
        places.push_back({0, id});
        return !IsFull(places, page);
      });
  if (!status.ok()) return status;
  return places;
}

// Walks the index by update time; `members`, if not null, says which ids belong to the list.
absl::StatusOr<Places> PlacesByTimeIndex(const Reader& reader, const ListQuery& query,
                                         const Page& page, const std::vector<int64_t>* members) {
  Places places;
  TimeAndId from = {std::numeric_limits<int64_t>::min(), kFirstId};
  if (page.direction == Direction::kDescending) from = {kLastId, kLastId};
  if (page.after.has_value()) from = *page.after;
  absl::Status status =
      reader.VisitByUpdateTime(query.kind, from, page.direction, [&](TimeAndId place) {
        if (page.after.has_value() && place.id == page.after->id &&
            place.time_ms == page.after->time_ms) {
          return true;
        }
        if (members == nullptr || std::binary_search(members->begin(), members->end(), place.id)) {
          places.push_back(place);
        }
        return !IsFull(places, page);
      });
  if (!status.ok()) return status;
  return places;
}

absl::StatusOr<Places> PlacesBySorting(const Reader& reader, const ListQuery& query,
                                       const Page& page, const std::vector<int64_t>& members) {
  Places places;
  absl::Status status =
      reader.VisitRecords(query.kind, members, [&](int64_t id, const RecordView& record) {
        const auto node = PeekNode(query.kind, record.message());
        if (!node.has_value()) return;
        const TimeAndId place = {node->last_update_time_ms, id};
        if (page.after.has_value() && !IsBefore(*page.after, place, page.direction)) return;
        places.push_back(place);
      });
  if (!status.ok()) return status;
  const size_t kept = std::min(places.size(), static_cast<size_t>(page.size) + 1);
  std::partial_sort(places.begin(), places.begin() + static_cast<ptrdiff_t>(kept), places.end(),
                    [&](TimeAndId a, TimeAndId b) { return IsBefore(a, b, page.direction); });
  places.resize(kept);
  return places;
}

absl::StatusOr<Places> PlacesByTime(const Reader& reader, const ListQuery& query,
                                    const Page& page) {
  if (query.scope.of == ListScope::Of::kAll) {
    return PlacesByTimeIndex(reader, query, page, nullptr);
  }
  std::vector<int64_t> members;
  absl::Status status =
      VisitMembers(reader, query, kFirstId, Direction::kAscending, [&](int64_t id) {
        members.push_back(id);
        return true;
      });
  if (!status.ok()) return status;
  if (members.size() <= kMaxMembersToSort) return PlacesBySorting(reader, query, page, members);
  return PlacesByTimeIndex(reader, query, page, &members);
}

// All nodes of a kind in id order: the records come with the scan.
absl::StatusOr<std::string> ListAllById(const Reader& reader, const ListQuery& query,
                                        const Page& page,
                                        absl::FunctionRef<void(int64_t, const RecordView&)> visit) {
  int64_t visited = 0;
  int64_t last_id = 0;
  bool more = false;
  absl::Status status = reader.VisitNodes(query.kind, FirstIdOf(page), page.direction,
                                          [&](int64_t id, const RecordView& record) {
                                            more = visited == page.size;
                                            if (more) return false;
                                            visit(id, record);
                                            last_id = id;
                                            ++visited;
                                            return true;
                                          });
  if (!status.ok()) return status;
  return more && !page.is_last ? EncodePageToken(page.list, {0, last_id}) : "";
}

}  // namespace

absl::StatusOr<std::string> ListNodes(
    const Reader& reader, const ListQuery& query,
    absl::FunctionRef<void(int64_t id, const RecordView& record)> visit) {
  auto page = ReadOptions(query);
  if (!page.ok()) return page.status();
  if (query.scope.of == ListScope::Of::kAll && !page->by_update_time) {
    return ListAllById(reader, query, *page, visit);
  }
  auto places =
      page->by_update_time ? PlacesByTime(reader, query, *page) : PlacesById(reader, query, *page);
  if (!places.ok()) return places.status();
  const bool more = IsFull(*places, *page);
  if (more) places->pop_back();
  std::vector<int64_t> ids;
  ids.reserve(places->size());
  for (const TimeAndId& place : *places) ids.push_back(place.id);
  absl::Status status = reader.VisitRecords(query.kind, ids, visit);
  if (!status.ok()) return status;
  return more && !page->is_last ? EncodePageToken(page->list, places->back()) : "";
}

}  // namespace pedigree
