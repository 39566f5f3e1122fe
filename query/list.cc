#include "query/list.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "query/filtered_list.h"
#include "query/list_page.h"
#include "query/page_token.h"

namespace pedigree {
namespace {

// Up to this many members, a list by time reads the times of all; beyond, it walks the time index.
constexpr size_t kMaxMembersToSort = 4096;

absl::Status VisitMembers(const Reader& reader, const ListQuery& query, int64_t from,
                          Direction direction, Reader::VisitId visit) {
  if (query.scope.of == ListScope::Of::kType) {
    return reader.VisitTypeMembers(query.kind, query.scope.id, from, direction, visit);
  }
  return reader.VisitContextMembers(query.scope.id, query.kind, from, direction, visit);
}

// One more than the page holds, to know whether another follows.
using Places = std::vector<TimeAndId>;
bool IsFull(const Places& places, const ListPage& page) {
  return static_cast<int64_t>(places.size()) > page.size;
}

absl::StatusOr<Places> PlacesById(const Reader& reader, const ListQuery& query,
                                  const ListPage& page) {
  Places places;
  absl::Status status =
      VisitMembers(reader, query, page.FirstId(), page.direction, [&](int64_t id) {
        places.push_back({0, id});
        return !IsFull(places, page);
      });
  if (!status.ok()) return status;
  return places;
}

// Walks the index by time; `members`, if not null, says which ids belong to the list.
absl::StatusOr<Places> PlacesByTimeIndex(const Reader& reader, const ListQuery& query,
                                         const ListPage& page,
                                         const std::vector<int64_t>* members) {
  Places places;
  absl::Status status = VisitByTime(
      reader, page.order, query.kind, page.FirstPlace(), page.direction, [&](TimeAndId place) {
        if (page.IsDone(place)) return true;
        if (members == nullptr || std::binary_search(members->begin(), members->end(), place.id)) {
          places.push_back(place);
        }
        return !IsFull(places, page);
      });
  if (!status.ok()) return status;
  return places;
}

absl::StatusOr<Places> PlacesBySorting(const Reader& reader, const ListQuery& query,
                                       const ListPage& page, const std::vector<int64_t>& members) {
  Places places;
  absl::Status status =
      reader.VisitRecords(query.kind, members, [&](int64_t, const RecordView& record) {
        const auto node = PeekNode(query.kind, record.message());
        if (!node.has_value()) return;
        const TimeAndId place = PlaceOf(page.order, *node);
        if (page.IsDone(place)) return;
        places.push_back(place);
      });
  if (!status.ok()) return status;
  const size_t kept = std::min(places.size(), static_cast<size_t>(page.size) + 1);
  std::partial_sort(places.begin(), places.begin() + static_cast<ptrdiff_t>(kept), places.end(),
                    [&](TimeAndId a, TimeAndId b) { return page.IsBefore(a, b); });
  places.resize(kept);
  return places;
}

absl::StatusOr<Places> PlacesByTime(const Reader& reader, const ListQuery& query,
                                    const ListPage& page) {
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
                                        const ListPage& page,
                                        absl::FunctionRef<void(int64_t, const RecordView&)> visit) {
  int64_t visited = 0;
  int64_t last_id = 0;
  bool more = false;
  absl::Status status = reader.VisitNodes(query.kind, page.FirstId(), page.direction,
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
  auto page = ReadListPage(reader.catalog(), query);
  if (!page.ok()) return page.status();
  if (query.options != nullptr && !query.options->filter_query().empty()) {
    return ListFiltered(reader, query, *page, visit, nullptr);
  }
  const bool by_id = page->order == ListOrder::kId;
  if (query.scope.of == ListScope::Of::kAll && by_id) {
    return ListAllById(reader, query, *page, visit);
  }
  auto places = by_id ? PlacesById(reader, query, *page) : PlacesByTime(reader, query, *page);
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
