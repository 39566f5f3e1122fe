#include "query/filter_matches.h"

#include <optional>
#include <vector>

#include "query/filter_matcher.h"
#include "query/filter_plan.h"
#include "query/list.h"

namespace pedigree {
namespace {

// Candidates whose records are fetched at once.
constexpr size_t kBatch = 256;
// A matcher remembers the neighbours of all that it has seen, so it is replaced after so many.
constexpr int64_t kNodesPerMatcher = 4096;

class Matches {
 public:
  using Visit = absl::FunctionRef<void(int64_t id, const RecordView& record)>;

  Matches(const Reader& reader, NodeKind kind, const Filter& filter, Visit visit)
      : reader_(reader), kind_(kind), filter_(filter), visit_(visit) {}

  absl::Status Run() {
    const auto plan = PlanFilter(reader_, filter_, ListScope::All());
    if (!plan.ok()) return plan.status();
    return plan->source == nullptr ? Scan(*plan) : Follow(*plan);
  }

 private:
  // Every node: the records come with the scan.
  absl::Status Scan(const FilterPlan& plan) {
    absl::Status inner;
    absl::Status status = reader_.VisitNodes(kind_, plan.first_id, Direction::kAscending,
                                             [&](int64_t id, const RecordView& record) {
                                               if (id > plan.last_id) return false;
                                               inner = Decide(id, record);
                                               return inner.ok();
                                             });
    return status.ok() ? inner : status;
  }

  absl::Status Follow(const FilterPlan& plan) {
    std::vector<int64_t> batch;
    absl::Status inner;
    absl::Status status =
        plan.source->Visit(reader_, plan.first_id, Direction::kAscending, [&](int64_t id) {
          if (id > plan.last_id) return false;
          batch.push_back(id);
          if (batch.size() == kBatch) inner = DecideAll(&batch);
          return inner.ok();
        });
    if (status.ok()) status = inner;
    return status.ok() ? DecideAll(&batch) : status;
  }

  absl::Status DecideAll(std::vector<int64_t>* ids) {
    absl::Status inner;
    absl::Status status =
        reader_.VisitRecords(kind_, *ids, [&](int64_t id, const RecordView& record) {
          if (inner.ok()) inner = Decide(id, record);
        });
    ids->clear();
    return status.ok() ? inner : status;
  }

  absl::Status Decide(int64_t id, const RecordView& record) {
    if (nodes_++ % kNodesPerMatcher == 0) matcher_.emplace(reader_, filter_);
    const auto matches = matcher_->Matches(record);
    if (matches.ok() && *matches) visit_(id, record);
    return matches.status();
  }

  const Reader& reader_;
  const NodeKind kind_;
  const Filter& filter_;
  const Visit visit_;
  std::optional<FilterMatcher> matcher_;
  int64_t nodes_ = 0;
};

}  // namespace

absl::Status VisitMatches(const Reader& reader, NodeKind kind, const Filter& filter,
                          absl::FunctionRef<void(int64_t id, const RecordView& record)> visit) {
  return Matches(reader, kind, filter, visit).Run();
}

}  // namespace pedigree
