#include "query/lineage_walk.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace pedigree {
namespace {

// How far ahead of the walk memory is asked for: a node's own, then its events.
constexpr size_t kFetchAhead = 16;
constexpr size_t kFetchEventsAhead = 8;

// Events that count as one visit (reader.h): a key costs about a microsecond.
constexpr int64_t kEventsPerVisit = 8;
// Events between two calls of Reader::Spend().
constexpr int64_t kSlice = 4096;

}  // namespace

void LineageNodeSet::Reserve(const LineageView& view) {
  const auto grow = [](std::vector<uint64_t>* words, uint32_t last_id) {
    const size_t size = size_t{last_id} / 64 + 1;
    // A store grows all the time: not by a word for each walk.
    if (words->size() < size) words->resize(size + size / 8);
  };
  grow(&words_[0], view.last_artifact());
  grow(&words_[1], view.last_execution());
}

// Sets that no walk uses at the moment, all empty.
class LineageWalk::Pool {
 public:
  static Pool& Get() {
    static Pool* const pool = new Pool();
    return *pool;
  }
  std::unique_ptr<Sets> Take() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (free_.empty()) return std::make_unique<Sets>();
    std::unique_ptr<Sets> sets = std::move(free_.back());
    free_.pop_back();
    return sets;
  }
  void Return(std::unique_ptr<Sets> sets) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (free_.size() < kMostFree) free_.push_back(std::move(sets));
  }

 private:
  static constexpr size_t kMostFree = 8;

  std::mutex mutex_;
  std::vector<std::unique_ptr<Sets>> free_;  // Guarded by mutex_.
};

LineageWalk::LineageWalk(const Reader& reader, const LineageView& view)
    : reader_(reader), view_(view), sets_(Pool::Get().Take()) {
  sets_->seen.Reserve(view);
  sets_->reached.Reserve(view);
  sets_->expanded.Reserve(view);
}

void LineageWalk::AppendIds(NodeKind kind, std::vector<int64_t>* ids) const {
  // To sort a node costs about as much as to look at so many words of a set.
  constexpr size_t kWordsPerNode = 64;
  const uint32_t last =
      kind == NodeKind::kExecution ? view_.last_execution() : view_.last_artifact();
  if (nodes_.size() * kWordsPerNode > last / 64) {
    reached().VisitIds(kind, [&](int64_t id) { ids->push_back(id); });
    return;
  }
  const auto begin = static_cast<ptrdiff_t>(ids->size());
  for (LineageNode node : nodes_) {
    if (node.kind() == kind) ids->push_back(node.id());
  }
  std::sort(ids->begin() + begin, ids->end());
}

LineageWalk::~LineageWalk() {
  for (const std::vector<LineageNode>* nodes : {&nodes_, &left_out_}) {
    for (LineageNode node : *nodes) {
      sets_->seen.Erase(node);
      sets_->reached.Erase(node);
      sets_->expanded.Erase(node);
    }
  }
  Pool::Get().Return(std::move(sets_));
}

absl::Status LineageWalk::Run(absl::Span<const LineageNode> starts,
                              const LineageWalkOptions& options) {
  return Run(starts, options,
             [](int64_t, absl::Span<const LineageNode>, absl::Span<LineageVerdict>) {
               return absl::OkStatus();
             });
}

absl::Status LineageWalk::Run(absl::Span<const LineageNode> starts,
                              const LineageWalkOptions& options, OnHop on_hop) {
  std::vector<LineageNode> found;
  for (LineageNode start : starts) {
    if (view_.Has(start) && sets_->seen.Insert(start)) found.push_back(start);
  }
  std::vector<LineageNode> going_on;
  for (int64_t hop = 0; !found.empty(); ++hop) {
    if (absl::Status status = Judge(hop, found, on_hop, &going_on); !status.ok()) return status;
    found.clear();
    if (hop >= options.max_hops) {
      is_cut_by_hops_ = !going_on.empty();
      break;
    }
    absl::Status status = options.event_types == kAllEventTypes
                              ? Expand<true>(going_on, options, &found)
                              : Expand<false>(going_on, options, &found);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status LineageWalk::Judge(int64_t hop, const std::vector<LineageNode>& found, OnHop on_hop,
                                std::vector<LineageNode>* going_on) {
  std::vector<LineageVerdict> verdicts(found.size(), LineageVerdict::kGoOn);
  absl::Status status = on_hop(hop, found, absl::MakeSpan(verdicts));
  going_on->clear();
  for (size_t i = 0; i < found.size(); ++i) {
    if (!status.ok() || verdicts[i] == LineageVerdict::kLeaveOut) {
      left_out_.push_back(found[i]);  // Also after an error, so that the sets get cleared.
      continue;
    }
    nodes_.push_back(found[i]);
    sets_->reached.Insert(found[i]);
    if (verdicts[i] == LineageVerdict::kGoOn) going_on->push_back(found[i]);
  }
  hop_ends_.push_back(nodes_.size());
  return status;
}

template <bool kAllTypes>
absl::Status LineageWalk::Expand(absl::Span<const LineageNode> nodes,
                                 const LineageWalkOptions& options,
                                 std::vector<LineageNode>* next) {
  int64_t events = 0;
  absl::Status spent;
  for (size_t i = 0; i < nodes.size() && spent.ok(); ++i) {
    if (i + kFetchAhead < nodes.size()) view_.Fetch(nodes[i + kFetchAhead]);
    if (i + kFetchEventsAhead < nodes.size()) {
      view_.FetchEvents(nodes[i + kFetchEventsAhead], options.direction);
    }
    sets_->expanded.Insert(nodes[i]);
    view_.VisitNeighbours(nodes[i], options.direction, [&](uint32_t event, LineageNode to) {
      ++events;
      if constexpr (!kAllTypes) {
        if ((options.event_types >> view_.ends(event).type & 1) == 0) return;
      }
      if (sets_->seen.Insert(to)) next->push_back(to);
    });
    if (events >= kSlice) {
      spent = reader_.Spend(events / kEventsPerVisit);
      events %= kEventsPerVisit;
    }
  }
  if (spent.ok()) spent = reader_.Spend(events / kEventsPerVisit);
  // Seen, but in no list yet: the destructor must find them.
  if (!spent.ok()) left_out_.insert(left_out_.end(), next->begin(), next->end());
  return spent;
}

}  // namespace pedigree
