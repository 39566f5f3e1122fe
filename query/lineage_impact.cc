#include "query/lineage_impact.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace pedigree {
namespace {

// Records that are read together.
constexpr size_t kBatch = 1024;

// Counts nodes of both kinds by type and by context.
class Counter {
 public:
  explicit Counter(const Reader& reader) : reader_(reader) {}

  // REQUIRES: `ids` ascending.
  absl::Status Count(NodeKind kind, absl::Span<const int64_t> ids) {
    for (size_t begin = 0; begin < ids.size(); begin += kBatch) {
      absl::Status status = CountBatch(kind, ids.subspan(begin, kBatch));
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  std::vector<LineageImpact::TypeCount> Types() const;
  std::vector<LineageImpact::ContextCount> TopContexts(size_t most) const;
  size_t context_count() const { return contexts_.size(); }

 private:
  struct Members {
    int64_t artifacts = 0;
    int64_t executions = 0;
  };

  absl::Status CountBatch(NodeKind kind, absl::Span<const int64_t> ids);
  void AddTo(NodeKind kind, const std::vector<int64_t>& contexts) {
    for (int64_t context : contexts) {
      Members& members = contexts_[context];
      ++(kind == NodeKind::kArtifact ? members.artifacts : members.executions);
    }
  }

  const Reader& reader_;
  absl::flat_hash_map<std::pair<NodeKind, int64_t>, int64_t> types_;
  absl::flat_hash_map<int64_t, Members> contexts_;
};

absl::Status Counter::CountBatch(NodeKind kind, absl::Span<const int64_t> ids) {
  std::vector<int64_t> with_far_links;
  absl::Status status = reader_.VisitRecords(kind, ids, [&](int64_t id, const RecordView& record) {
    ++types_[{kind, PeekTypeId(kind, record.message())}];
    if (record.HasFarLinks()) {
      with_far_links.push_back(id);
    } else {
      AddTo(kind, record.NearLinks());
    }
  });
  for (int64_t id : with_far_links) {
    if (!status.ok()) return status;
    auto contexts = reader_.Links(kind, id);
    if (contexts.ok()) AddTo(kind, *contexts);
    status = contexts.status();
  }
  return status;
}

std::vector<LineageImpact::TypeCount> Counter::Types() const {
  std::vector<LineageImpact::TypeCount> types;
  for (const auto& [type, count] : types_) types.push_back({type.first, type.second, count});
  std::sort(types.begin(), types.end(), [](const auto& a, const auto& b) {
    return std::tuple(-a.count, a.kind, a.type_id) < std::tuple(-b.count, b.kind, b.type_id);
  });
  return types;
}

std::vector<LineageImpact::ContextCount> Counter::TopContexts(size_t most) const {
  std::vector<LineageImpact::ContextCount> contexts;
  contexts.reserve(contexts_.size());
  for (const auto& [id, members] : contexts_) {
    contexts.push_back({id, members.artifacts, members.executions});
  }
  const size_t kept = std::min(most, contexts.size());
  std::partial_sort(contexts.begin(), contexts.begin() + static_cast<ptrdiff_t>(kept),
                    contexts.end(), [](const auto& a, const auto& b) {
                      return std::pair(-a.nodes(), a.id) < std::pair(-b.nodes(), b.id);
                    });
  contexts.resize(kept);
  return contexts;
}

}  // namespace

absl::StatusOr<LineageImpact> CountImpact(const Reader& reader, const LineageWalk& walk,
                                          const LineageImpactOptions& options) {
  const std::vector<size_t>& hop_ends = walk.hop_ends();
  const size_t starts = hop_ends.empty() ? 0 : hop_ends[0];
  std::vector<int64_t> artifacts;
  std::vector<int64_t> executions;
  for (LineageNode node : absl::MakeConstSpan(walk.nodes()).subspan(starts)) {
    (node.is_execution() ? executions : artifacts).push_back(node.id());
  }
  std::sort(artifacts.begin(), artifacts.end());
  std::sort(executions.begin(), executions.end());

  Counter counter(reader);
  absl::Status status = counter.Count(NodeKind::kArtifact, artifacts);
  if (status.ok()) status = counter.Count(NodeKind::kExecution, executions);
  if (!status.ok()) return status;

  LineageImpact impact;
  impact.artifacts = static_cast<int64_t>(artifacts.size());
  impact.executions = static_cast<int64_t>(executions.size());
  // The walk may end with hops at which everything was left out.
  for (size_t hop = 1; hop < hop_ends.size(); ++hop) {
    if (hop_ends[hop] > hop_ends[hop - 1]) impact.max_hops = static_cast<int64_t>(hop);
  }
  impact.types = counter.Types();
  impact.contexts = counter.TopContexts(options.max_contexts);
  impact.contexts_in_all = static_cast<int64_t>(counter.context_count());
  return impact;
}

}  // namespace pedigree
