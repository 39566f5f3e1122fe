#include "query/list_page.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "query/page_token.h"

namespace pedigree {

using Options = ml_metadata::ListOperationOptions;
using OrderBy = Options::OrderByField;

int64_t ListPage::FirstId() const {
  const bool ascending = direction == Direction::kAscending;
  if (!after.has_value()) return ascending ? kFirstId : kLastId;
  // A forged token may name any place.
  return ascending ? std::min(after->id, kLastId - 1) + 1 : std::max<int64_t>(after->id, 1) - 1;
}

TimeAndId ListPage::FirstPlace() const {
  if (after.has_value()) return *after;
  if (direction == Direction::kDescending) return {kLastId, kLastId};
  return {std::numeric_limits<int64_t>::min(), kFirstId};
}

bool ListPage::IsBefore(TimeAndId a, TimeAndId b) const {
  const auto pair_a = std::make_pair(a.time_ms, a.id);
  const auto pair_b = std::make_pair(b.time_ms, b.id);
  return direction == Direction::kAscending ? pair_a < pair_b : pair_b < pair_a;
}

TimeAndId PlaceOf(ListOrder order, const NodePeek& node) {
  return {order == ListOrder::kCreateTime ? node.create_time_ms : node.last_update_time_ms,
          node.id};
}

absl::Status VisitByTime(const Reader& reader, ListOrder order, NodeKind kind, TimeAndId from,
                         Direction direction, absl::FunctionRef<bool(TimeAndId)> visit) {
  return order == ListOrder::kCreateTime ? reader.VisitByCreateTime(kind, from, direction, visit)
                                         : reader.VisitByUpdateTime(kind, from, direction, visit);
}

absl::StatusOr<ListPage> ReadListPage(const Catalog& catalog, const ListQuery& query) {
  ListPage page;
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
  if (order.field() == OrderBy::LAST_UPDATE_TIME) page.order = ListOrder::kUpdateTime;
  if (order.field() == OrderBy::CREATE_TIME && !catalog.IsCreatedInOrder(query.kind)) {
    page.order = ListOrder::kCreateTime;
  }
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

}  // namespace pedigree
