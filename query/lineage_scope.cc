#include "query/lineage_scope.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "query/filter_matcher.h"
#include "query/filter_parser.h"

namespace pedigree {
namespace {

// A parsed filter and what matches it. Does not move: the matcher borrows the filter.
class Condition {
 public:
  Condition(const Reader& reader, Filter filter)
      : filter_(std::move(filter)), matcher_(reader, filter_) {}
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  absl::StatusOr<bool> Holds(const RecordView& record) { return matcher_.Matches(record); }

 private:
  const Filter filter_;
  FilterMatcher matcher_;
};

// Null for no text. `field` is for error texts.
absl::StatusOr<std::unique_ptr<Condition>> MakeCondition(const Reader& reader, NodeKind kind,
                                                         absl::string_view field,
                                                         const std::string& text) {
  if (text.empty()) return nullptr;
  auto filter = ParseFilter(kind, text);
  if (!filter.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("scope.", field, ": ", filter.status().message()));
  }
  return std::make_unique<Condition>(reader, *std::move(filter));
}

}  // namespace

class LineageJudge::Opinion {
 public:
  Opinion(const Reader& reader, NodeKind kind, std::unique_ptr<Condition> filter,
          std::unique_ptr<Condition> stop)
      : reader_(reader), kind_(kind), filter_(std::move(filter)), stop_(std::move(stop)) {}

  absl::Status Judge(int64_t hop, absl::Span<const LineageNode> nodes,
                     absl::Span<LineageVerdict> verdicts) {
    const bool filters = filter_ != nullptr && hop > 0;
    if (!filters && stop_ == nullptr) return absl::OkStatus();
    std::vector<Place> places = PlacesOf(nodes);
    std::vector<int64_t> ids;
    ids.reserve(places.size());
    for (const Place& place : places) ids.push_back(place.id);
    absl::Status inner;
    auto next = places.begin();
    absl::Status status =
        reader_.VisitRecords(kind_, ids, [&](int64_t id, const RecordView& record) {
          while (next->id != id) ++next;  // Nodes that do not exist are passed over.
          next->is_read = true;
          if (!inner.ok()) return;
          auto verdict = JudgeOne(filters, record);
          inner = verdict.status();
          if (inner.ok()) verdicts[next->position] = *verdict;
        });
    if (!status.ok()) return status;
    // No record satisfies no filter.
    for (const Place& place : places) {
      if (filters && !place.is_read) verdicts[place.position] = LineageVerdict::kLeaveOut;
    }
    return inner;
  }

 private:
  struct Place {
    int64_t id;
    size_t position;
    bool is_read;
  };

  std::vector<Place> PlacesOf(absl::Span<const LineageNode> nodes) const {
    std::vector<Place> places;
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (nodes[i].kind() == kind_) places.push_back({nodes[i].id(), i, false});
    }
    std::sort(places.begin(), places.end(),
              [](const Place& a, const Place& b) { return a.id < b.id; });
    return places;
  }

  absl::StatusOr<LineageVerdict> JudgeOne(bool filters, const RecordView& record) {
    if (filters) {
      auto holds = filter_->Holds(record);
      if (!holds.ok()) return holds.status();
      if (!*holds) return LineageVerdict::kLeaveOut;
    }
    if (stop_ != nullptr) {
      auto holds = stop_->Holds(record);
      if (!holds.ok()) return holds.status();
      if (*holds) return LineageVerdict::kStop;
    }
    return LineageVerdict::kGoOn;
  }

  const Reader& reader_;
  const NodeKind kind_;
  const std::unique_ptr<Condition> filter_;  // Null if there is none.
  const std::unique_ptr<Condition> stop_;    // As above.
};

LineageJudge::LineageJudge() = default;
LineageJudge::LineageJudge(LineageJudge&&) noexcept = default;
LineageJudge& LineageJudge::operator=(LineageJudge&&) noexcept = default;
LineageJudge::~LineageJudge() = default;

absl::StatusOr<LineageJudge> LineageJudge::Make(const Reader& reader, const LineageScope& scope) {
  const auto make = [&](NodeKind kind, absl::string_view filter_field, const std::string& filter,
                        absl::string_view stop_field,
                        const std::string& stop) -> absl::StatusOr<std::unique_ptr<Opinion>> {
    auto must = MakeCondition(reader, kind, filter_field, filter);
    if (!must.ok()) return must.status();
    auto ends = MakeCondition(reader, kind, stop_field, stop);
    if (!ends.ok()) return ends.status();
    if (*must == nullptr && *ends == nullptr) return nullptr;
    return std::make_unique<Opinion>(reader, kind, *std::move(must), *std::move(ends));
  };
  LineageJudge judge;
  auto artifacts = make(NodeKind::kArtifact, "artifact_filter", scope.artifact_filter,
                        "stop_artifacts", scope.stop_artifacts);
  if (!artifacts.ok()) return artifacts.status();
  auto executions = make(NodeKind::kExecution, "execution_filter", scope.execution_filter,
                         "stop_executions", scope.stop_executions);
  if (!executions.ok()) return executions.status();
  judge.artifacts_ = *std::move(artifacts);
  judge.executions_ = *std::move(executions);
  return judge;
}

absl::Status LineageJudge::operator()(int64_t hop, absl::Span<const LineageNode> nodes,
                                      absl::Span<LineageVerdict> verdicts) const {
  for (const auto& opinion : {artifacts_.get(), executions_.get()}) {
    if (opinion == nullptr) continue;
    if (absl::Status status = opinion->Judge(hop, nodes, verdicts); !status.ok()) return status;
  }
  return absl::OkStatus();
}

bool LineageJudge::has_opinions() const { return artifacts_ != nullptr || executions_ != nullptr; }

}  // namespace pedigree
