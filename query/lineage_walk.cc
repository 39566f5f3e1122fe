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
  sets_->left_out.Reserve(view);
  sets_->boundary.Reserve(view);
}

void LineageWalk::AppendIds(NodeKind kind, std::vector<int64_t>* ids) const {
  // To sort a node costs about as much as to look at so many words of a set.
  constexpr size_t kWordsPerNode = 64;
  const uint32_t last =
      kind == NodeKind::kExecution ? view_.last_execution() : view_.last_artifact();
  if (nodes_.size() * kWordsPerNode > last / 64) {
    sets_->seen.VisitIds(kind, [&](int64_t id) {
      const LineageNode node = LineageNode::Of(kind, static_cast<uint32_t>(id));
      if (IsReached(node)) ids->push_back(id);
    });
    return;
  }
  const auto begin = static_cast<ptrdiff_t>(ids->size());
  for (LineageNode node : nodes_) {
    if (node.kind() == kind) ids->push_back(node.id());
  }
  std::sort(ids->begin() + begin, ids->end());
}

LineageWalk::~LineageWalk() {
  for (LineageNode node : nodes_) {
    sets_->seen.Erase(node);
    if (has_boundary_) sets_->boundary.Erase(node);
  }
  for (LineageNode node : left_out_) {
    sets_->seen.Erase(node);
    sets_->left_out.Erase(node);
  }
  Pool::Get().Return(std::move(sets_));
}

void LineageWalk::TakeStarts(absl::Span<const LineageNode> starts) {
  for (LineageNode start : starts) {
    if (view_.Has(start) && sets_->seen.Insert(start)) nodes_.push_back(start);
  }
}

absl::Status LineageWalk::Run(absl::Span<const LineageNode> starts,
                              const LineageWalkOptions& options) {
  TakeStarts(starts);
  absl::Status status = RunHops(options, nullptr);
  if (!status.ok()) CutToWholeHops();
  return status;
}

absl::Status LineageWalk::Run(absl::Span<const LineageNode> starts,
                              const LineageWalkOptions& options, OnHop on_hop) {
  TakeStarts(starts);
  absl::Status status = RunHops(options, &on_hop);
  if (!status.ok()) CutToWholeHops();
  return status;
}

absl::Status LineageWalk::RunHops(const LineageWalkOptions& options, const OnHop* on_hop) {
  size_t begin = 0;
  for (int64_t hop = 0; begin < nodes_.size(); ++hop) {
    if (on_hop != nullptr) {
      if (absl::Status status = Judge(hop, begin, *on_hop); !status.ok()) return status;
    }
    const size_t end = nodes_.size();
    hop_ends_.push_back(end);
    if (hop >= options.max_hops) {
      for (size_t i = begin; i < end; ++i) {
        if (IsBoundary(nodes_[i])) continue;
        is_cut_by_hops_ = true;
        MarkBoundary(nodes_[i]);
      }
      break;
    }
    absl::Status status = options.event_types == kAllEventTypes
                              ? Expand<true>(begin, end, options)
                              : Expand<false>(begin, end, options);
    if (!status.ok()) return status;
    begin = end;
  }
  return absl::OkStatus();
}

void LineageWalk::CutToWholeHops() {
  const size_t hops = hop_ends_.size();
  const size_t end = hops == 0 ? 0 : hop_ends_[hops - 1];
  for (size_t i = end; i < nodes_.size(); ++i) {
    has_left_out_ = true;
    sets_->left_out.Insert(nodes_[i]);
    left_out_.push_back(nodes_[i]);
  }
  nodes_.resize(end);
  for (size_t i = hops < 2 ? 0 : hop_ends_[hops - 2]; i < end; ++i) MarkBoundary(nodes_[i]);
}

absl::Status LineageWalk::Judge(int64_t hop, size_t begin, OnHop on_hop) {
  const auto found = absl::MakeConstSpan(nodes_).subspan(begin);
  std::vector<LineageVerdict> verdicts(found.size(), LineageVerdict::kGoOn);
  if (absl::Status status = on_hop(hop, found, absl::MakeSpan(verdicts)); !status.ok()) {
    return status;
  }
  size_t kept = begin;
  for (size_t i = 0; i < verdicts.size(); ++i) {
    const LineageNode node = nodes_[begin + i];
    if (verdicts[i] == LineageVerdict::kLeaveOut) {
      has_left_out_ = true;
      sets_->left_out.Insert(node);
      left_out_.push_back(node);
      continue;
    }
    if (verdicts[i] == LineageVerdict::kStop) MarkBoundary(node);
    nodes_[kept++] = node;
  }
  nodes_.resize(kept);
  return absl::OkStatus();
}

template <bool kAllTypes>
absl::Status LineageWalk::Expand(size_t begin, size_t end, const LineageWalkOptions& options) {
  int64_t events = unspent_events_;
  for (size_t i = begin; i < end; ++i) {
    if (i + kFetchAhead < end) view_.Fetch(nodes_[i + kFetchAhead]);
    if (i + kFetchEventsAhead < end) {
      view_.FetchEvents(nodes_[i + kFetchEventsAhead], options.direction);
    }
    if (IsBoundary(nodes_[i])) continue;
    view_.VisitNeighbours(nodes_[i], options.direction, [&](uint32_t event, LineageNode to) {
      ++events;
      if constexpr (!kAllTypes) {
        if ((options.event_types >> view_.ends(event).type & 1) == 0) return;
      }
      if (sets_->seen.Insert(to)) nodes_.push_back(to);
    });
    if (events >= kSlice) {
      if (absl::Status spent = reader_.Spend(events / kEventsPerVisit); !spent.ok()) return spent;
      events %= kEventsPerVisit;
    }
  }
  unspent_events_ = events % kEventsPerVisit;
  return reader_.Spend(events / kEventsPerVisit);
}

}  // namespace pedigree
