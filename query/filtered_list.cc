#include "query/filtered_list.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "query/filter_matcher.h"
#include "query/filter_parser.h"
#include "query/filter_plan.h"
#include "query/page_token.h"

namespace pedigree {
namespace {

// Candidates whose records are fetched at once.
constexpr size_t kMaxBatch = 256;
// Candidates of a list by time that are matched and sorted; if there are more, the list walks the
// index by time instead.
constexpr int64_t kMaxToSort = 65'536;

class FilteredList {
 public:
  using Visit = absl::FunctionRef<void(int64_t id, const RecordView& record)>;

  FilteredList(const Reader& reader, const ListQuery& query, const ListPage& page,
               const Filter& filter, Visit visit, ListExplanation* explanation)
      : reader_(reader),
        query_(query),
        page_(page),
        matcher_(reader, filter),
        visit_(visit),
        explanation_(*explanation) {}

  absl::StatusOr<std::string> Run(const Filter& filter) {
    auto plan = PlanFilter(reader_, filter, query_.scope);
    if (!plan.ok()) return plan.status();
    plan_ = *std::move(plan);
    explanation_.source = plan_.what;
    explanation_.estimated_rows = plan_.estimated_rows;
    explanation_.is_estimate_exact = plan_.is_estimate_exact;
    explanation_.missing_index = plan_.missing_index;
    absl::Status status = page_.order == ListOrder::kId ? RunById() : RunByTime();
    if (!status.ok()) return status;
    explanation_.rows = rows_ + (has_more_ ? 1 : 0);
    return has_more_ && !page_.is_last ? EncodePageToken(page_.list, last_) : "";
  }

 private:
  bool IsPlanned(int64_t id) const { return id >= plan_.first_id && id <= plan_.last_id; }

  // What the source is a superset of holds for the node: it is in the list, and it matches.
  absl::StatusOr<bool> Belongs(int64_t id, const RecordView& record) {
    ++explanation_.candidates;
    auto in_scope = IsInScope(id, record);
    if (!in_scope.ok() || !*in_scope) return in_scope;
    return matcher_.Matches(record);
  }

  absl::StatusOr<bool> IsInScope(int64_t id, const RecordView& record) const {
    const ListScope& scope = query_.scope;
    if (scope.of == ListScope::Of::kAll) return true;
    if (scope.of == ListScope::Of::kType) {
      return PeekTypeId(query_.kind, record.message()) == scope.id;
    }
    const std::vector<int64_t> near = record.NearLinks();
    if (std::binary_search(near.begin(), near.end(), scope.id)) return true;
    if (!record.HasFarLinks()) return false;
    auto links = reader_.Links(query_.kind, id);
    if (!links.ok()) return links.status();
    return std::binary_search(links->begin(), links->end(), scope.id);
  }

  // Answers the node if the page has room. False once it has none and another node is known.
  bool Take(TimeAndId place, const RecordView& record) {
    has_more_ = rows_ == page_.size;
    if (has_more_) return false;
    visit_(place.id, record);
    last_ = place;
    ++rows_;
    return true;
  }

  // Matches the records of a batch of places, which are in order; false once the page is full.
  absl::StatusOr<bool> TakeBatch(std::vector<TimeAndId>* places) {
    std::vector<int64_t> ids;
    ids.reserve(places->size());
    for (const TimeAndId& place : *places) ids.push_back(place.id);
    // Nodes that do not exist are passed over, so places are found by their ids.
    size_t next = 0;
    bool goes_on = true;
    absl::Status inner;
    absl::Status status =
        reader_.VisitRecords(query_.kind, ids, [&](int64_t id, const RecordView& record) {
          while ((*places)[next].id != id) ++next;
          if (!goes_on || !inner.ok()) return;
          auto belongs = Belongs(id, record);
          inner = belongs.status();
          if (inner.ok() && *belongs) goes_on = Take((*places)[next], record);
        });
    places->clear();
    if (!status.ok()) return status;
    if (!inner.ok()) return inner;
    return goes_on;
  }

  // Batches grow: a page that the first candidates fill costs no more than these.
  size_t BatchSize() const {
    const auto page = static_cast<size_t>(std::min<int64_t>(page_.size, kMaxBatch)) + 1;
    return std::min(kMaxBatch, page + static_cast<size_t>(explanation_.candidates));
  }

  absl::Status RunById() {
    const bool ascending = page_.direction == Direction::kAscending;
    const int64_t from = ascending ? std::max(page_.FirstId(), plan_.first_id)
                                   : std::min(page_.FirstId(), plan_.last_id);
    if (plan_.source == nullptr) return ScanById(from);
    std::vector<TimeAndId> batch;
    absl::StatusOr<bool> goes_on = true;
    absl::Status status = plan_.source->Visit(reader_, from, page_.direction, [&](int64_t id) {
      if (!IsPlanned(id)) return false;  // Beyond the last one.
      batch.push_back({0, id});
      if (batch.size() >= BatchSize()) goes_on = TakeBatch(&batch);
      return goes_on.ok() && *goes_on;
    });
    if (!status.ok()) return status;
    if (goes_on.ok() && *goes_on) goes_on = TakeBatch(&batch);
    return goes_on.status();
  }

  // All nodes: the records come with the scan.
  absl::Status ScanById(int64_t from) {
    absl::Status inner;
    absl::Status status = reader_.VisitNodes(query_.kind, from, page_.direction,
                                             [&](int64_t id, const RecordView& record) {
                                               if (!IsPlanned(id)) return false;
                                               auto belongs = Belongs(id, record);
                                               inner = belongs.status();
                                               if (!inner.ok()) return false;
                                               return !*belongs || Take({0, id}, record);
                                             });
    return status.ok() ? inner : status;
  }

  absl::Status RunByTime() {
    if (plan_.source != nullptr) {
      auto sorted = SortByTime();
      if (!sorted.ok() || *sorted) return sorted.status();
    }
    std::vector<TimeAndId> batch;
    absl::StatusOr<bool> goes_on = true;
    absl::Status status = VisitByTime(reader_, page_.order, query_.kind, page_.FirstPlace(),
                                      page_.direction, [&](TimeAndId place) {
                                        if (page_.IsDone(place) || !IsPlanned(place.id))
                                          return true;
                                        batch.push_back(place);
                                        if (batch.size() >= BatchSize())
                                          goes_on = TakeBatch(&batch);
                                        return goes_on.ok() && *goes_on;
                                      });
    if (!status.ok()) return status;
    if (goes_on.ok() && *goes_on) goes_on = TakeBatch(&batch);
    return goes_on.status();
  }

  // Matches all candidates and answers the first ones by time. False, and nothing answered, if
  // there are too many of them.
  absl::StatusOr<bool> SortByTime() {
    std::vector<int64_t> candidates;
    bool too_many = false;
    absl::Status status =
        plan_.source->Visit(reader_, plan_.first_id, Direction::kAscending, [&](int64_t id) {
          if (!IsPlanned(id)) return false;
          candidates.push_back(id);
          too_many = static_cast<int64_t>(candidates.size()) > kMaxToSort;
          return !too_many;
        });
    if (!status.ok()) return status;
    if (too_many) return false;
    std::vector<TimeAndId> places;
    absl::Status inner;
    status =
        reader_.VisitRecords(query_.kind, candidates, [&](int64_t id, const RecordView& record) {
          const auto peek = PeekNode(query_.kind, record.message());
          if (!inner.ok() || !peek.has_value()) return;
          const TimeAndId place = PlaceOf(page_.order, *peek);
          if (page_.IsDone(place)) return;
          auto belongs = Belongs(id, record);
          inner = belongs.status();
          if (inner.ok() && *belongs) places.push_back(place);
        });
    if (!status.ok()) return status;
    if (!inner.ok()) return inner;
    return AnswerFirst(std::move(places));
  }

  absl::StatusOr<bool> AnswerFirst(std::vector<TimeAndId> places) {
    const size_t kept =
        static_cast<size_t>(std::min(page_.size, static_cast<int64_t>(places.size())));
    has_more_ = places.size() > kept;
    std::partial_sort(places.begin(), places.begin() + static_cast<ptrdiff_t>(kept), places.end(),
                      [&](TimeAndId a, TimeAndId b) { return page_.IsBefore(a, b); });
    std::vector<int64_t> ids;
    for (size_t i = 0; i < kept; ++i) ids.push_back(places[i].id);
    if (kept > 0) last_ = places[kept - 1];
    rows_ = static_cast<int64_t>(kept);
    absl::Status status = reader_.VisitRecords(query_.kind, ids, visit_);
    if (!status.ok()) return status;
    return true;
  }

  const Reader& reader_;
  const ListQuery& query_;
  const ListPage& page_;
  FilterMatcher matcher_;
  Visit visit_;
  ListExplanation& explanation_;
  FilterPlan plan_;
  int64_t rows_ = 0;
  bool has_more_ = false;
  TimeAndId last_ = {};
};

absl::string_view NameOf(ListOrder order) {
  switch (order) {
    case ListOrder::kId:
      return "id";
    case ListOrder::kCreateTime:
      return "create_time";
    case ListOrder::kUpdateTime:
      break;
  }
  return "last_update_time";
}

// Says what would help against the work.
absl::Status TooMuchWork(const absl::Status& status, NodeKind kind,
                         const ListExplanation& explanation) {
  const std::string advice =
      explanation.missing_index.empty()
          ? "narrow it by a context, a type, a name, an indexed property or a range of ids"
          : absl::StrCat("an index would help: pedigree index add ", explanation.missing_index);
  return absl::ResourceExhaustedError(absl::StrCat(
      "the filter_query needs too much work: ", status.message(), ", ", explanation.candidates, " ",
      NameOf(kind), "s of ", explanation.source, "; ", advice));
}

}  // namespace

absl::StatusOr<std::string> ListFiltered(
    const Reader& reader, const ListQuery& query, const ListPage& page,
    absl::FunctionRef<void(int64_t id, const RecordView& record)> visit,
    ListExplanation* explanation) {
  auto filter = ParseFilter(query.kind, query.options->filter_query());
  if (!filter.ok()) return filter.status();
  ListExplanation unwanted;
  if (explanation == nullptr) {
    explanation = &unwanted;
  } else {
    explanation->filter = ToString(*filter);
    explanation->order =
        absl::StrCat("by ", NameOf(page.order), ", ",
                     page.direction == Direction::kAscending ? "ascending" : "descending");
  }
  reader.LimitQuery();
  auto token = FilteredList(reader, query, page, *filter, visit, explanation).Run(*filter);
  if (absl::IsResourceExhausted(token.status())) {
    return TooMuchWork(token.status(), query.kind, *explanation);
  }
  return token;
}

}  // namespace pedigree
