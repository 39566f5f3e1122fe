// Walks the graph of events breadth first: what is upstream or downstream of some nodes.
//
// The walk goes hop by hop. After each hop the caller may look at the nodes that it reached for the
// first time, and say from which it goes on; so a caller that must read their records reads them in
// batches. Ids and events alone touch no memory but the graph's.
// Threads: one walk, one thread; any number of walks at once.
//
//   LineageWalk walk(reader, LineageView(reader));
//   absl::Status status = walk.Run({LineageNode::Artifact(7)},
//                                  {.direction = LineageDirection::kUpstream, .max_hops = 10});
//   for (LineageNode node : walk.nodes()) ...
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "query/lineage_view.h"
#include "store/reader.h"

namespace pedigree {

// Bits by node, all 0 at first; as large as the largest id that was set.
class LineageNodeSet {
 public:
  bool Contains(LineageNode node) const {
    const std::vector<uint64_t>& words = words_[node.is_execution()];
    const size_t word = node.id() / 64;
    return word < words.size() && (words[word] >> (node.id() % 64) & 1) != 0;
  }
  // False if it was in.
  bool Insert(LineageNode node) {
    uint64_t& word = WordOf(node);
    const uint64_t bit = uint64_t{1} << (node.id() % 64);
    const bool is_new = (word & bit) == 0;
    word |= bit;
    return is_new;
  }
  // Calls visit(id) for the artifacts or executions in it, ascending.
  template <class Visit>
  void VisitIds(NodeKind kind, Visit visit) const {
    const std::vector<uint64_t>& words = words_[kind == NodeKind::kExecution];
    for (size_t i = 0; i < words.size(); ++i) {
      for (uint64_t word = words[i]; word != 0; word &= word - 1) {
        visit(static_cast<int64_t>(i * 64) + std::countr_zero(word));
      }
    }
  }
  void Erase(LineageNode node) { WordOf(node) &= ~(uint64_t{1} << (node.id() % 64)); }
  // Room for all nodes of a view, so that no Insert() grows it.
  void Reserve(const LineageView& view);
  void Prefetch(LineageNode node) const {
    const std::vector<uint64_t>& words = words_[node.is_execution()];
    __builtin_prefetch(words.data() + node.id() / 64);
  }

 private:
  // REQUIRES: Reserve() for a view that has the node.
  uint64_t& WordOf(LineageNode node) { return words_[node.is_execution()][node.id() / 64]; }

  std::vector<uint64_t> words_[2];  // Artifacts, executions.
};

inline constexpr int64_t kNoHopLimit = std::numeric_limits<int64_t>::max();
inline constexpr unsigned kAllEventTypes = ~0u;

struct LineageWalkOptions {
  LineageDirection direction = LineageDirection::kBoth;
  int64_t max_hops = kNoHopLimit;
  // Events of other types do not exist for the walk: bit t is for Event.Type t.
  unsigned event_types = kAllEventTypes;
};

// What becomes of a node that the walk has reached.
enum class LineageVerdict : uint8_t {
  kGoOn,      // It is reached, and the walk goes on from it.
  kStop,      // It is reached; the walk does not go on from it.
  kLeaveOut,  // It is not reached, whichever way leads to it.
};

class LineageWalk {
 public:
  LineageWalk(const Reader& reader, const LineageView& view);
  ~LineageWalk();
  LineageWalk(const LineageWalk&) = delete;
  LineageWalk& operator=(const LineageWalk&) = delete;

  // Gets the nodes that `hop` hops reach first, in no particular order, and as many verdicts, all
  // kGoOn, to change. Hop 0 are the starts.
  using OnHop = absl::FunctionRef<absl::Status(int64_t hop, absl::Span<const LineageNode> nodes,
                                               absl::Span<LineageVerdict> verdicts)>;

  // Walks from `starts`; those that the view does not have are passed over. Only once.
  // Errors: those of Reader::Spend(), for an eighth of a visit per event; those of `on_hop`. After
  // an error the walk is as if it had been cut by max_hops behind the last hop that it finished.
  absl::Status Run(absl::Span<const LineageNode> starts, const LineageWalkOptions& options,
                   OnHop on_hop);
  absl::Status Run(absl::Span<const LineageNode> starts, const LineageWalkOptions& options);

  // The nodes reached, by hops; within a hop in no particular order.
  const std::vector<LineageNode>& nodes() const { return nodes_; }
  // Appends the ids of the artifacts or executions among them, ascending.
  void AppendIds(NodeKind kind, std::vector<int64_t>* ids) const;
  // nodes()[hop_ends()[h - 1] .. hop_ends()[h]) are h hops away.
  const std::vector<size_t>& hop_ends() const { return hop_ends_; }
  bool IsReached(LineageNode node) const {
    return sets_->seen.Contains(node) && !(has_left_out_ && sets_->left_out.Contains(node));
  }
  // Whether the walk went on from the node: it has looked at all of its events in the direction.
  bool IsExpanded(LineageNode node) const {
    return IsReached(node) && !(has_boundary_ && sets_->boundary.Contains(node));
  }
  // Whether the walk ended at nodes that it would have gone on from if max_hops had let it.
  bool is_cut_by_hops() const { return is_cut_by_hops_; }
  const LineageView& view() const { return view_; }

 private:
  // The sets of a walk, cleared and used again: a walk of ten nodes must not pay for the size of
  // the store. Most walks only ever write to the first.
  struct Sets {
    LineageNodeSet seen;  // Reached, or left out.
    LineageNodeSet left_out;
    LineageNodeSet boundary;  // Reached, and not gone on from.
  };
  class Pool;

  // Appends what is reached first from nodes_[begin .. end) to nodes_.
  template <bool kAllTypes>
  absl::Status Expand(size_t begin, size_t end, const LineageWalkOptions& options);
  // Lets `on_hop` judge nodes_[begin ..): takes out what is left out, notes what stops.
  absl::Status Judge(int64_t hop, size_t begin, OnHop on_hop);
  void MarkBoundary(LineageNode node) {
    has_boundary_ = true;
    sets_->boundary.Insert(node);
  }
  bool IsBoundary(LineageNode node) const {
    return has_boundary_ && sets_->boundary.Contains(node);
  }
  absl::Status RunHops(const LineageWalkOptions& options, const OnHop* on_hop);
  // Gives up the nodes of a hop that is not finished.
  void CutToWholeHops();
  void TakeStarts(absl::Span<const LineageNode> starts);

  const Reader& reader_;
  const LineageView view_;
  std::unique_ptr<Sets> sets_;
  std::vector<LineageNode> nodes_;
  std::vector<LineageNode> left_out_;
  std::vector<size_t> hop_ends_;
  bool has_left_out_ = false;
  bool has_boundary_ = false;
  bool is_cut_by_hops_ = false;
  // Less than a visit. The next hop's come on top: those of a chain are never more on their own.
  int64_t unspent_events_ = 0;
};

}  // namespace pedigree
