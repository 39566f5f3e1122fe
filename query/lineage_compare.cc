#include "query/lineage_compare.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "query/lineage_closure.h"
#include "query/lineage_links.h"

namespace pedigree {
namespace {

// Pairs whose bodies and events are in memory at the same time.
constexpr size_t kBatch = 256;
// Labels of a way at its start and at its end; between them, of a longer one, "...".
constexpr int64_t kWayLabels = 32;
constexpr size_t kMaxDifferenceBytes = size_t{1} << 30;

// A pair that the walk has come to, and from where.
struct Place {
  LineagePair pair;
  size_t before = 0;  // Of the start: itself.
  size_t early = 0;   // The place kWayLabels hops from the starts on this way, or nearer: itself.
  int64_t hops = 0;
  std::string label;
};

// The links of one node that have not been matched yet.
struct Candidate {
  const LineageLink* link;
  const LineageNodeFacts* facts;
};
using Candidates = std::vector<Candidate>;

// Matches candidates whose keys are equal, in id order, and keeps the others.
template <class KeyOf, class Match>
void MatchBy(KeyOf key_of, Candidates* a, Candidates* b, Match match) {
  const auto less = [&](const Candidate& x, const Candidate& y) {
    return std::pair(key_of(x), x.link->from) < std::pair(key_of(y), y.link->from);
  };
  std::sort(a->begin(), a->end(), less);
  std::sort(b->begin(), b->end(), less);
  Candidates rest_a;
  Candidates rest_b;
  auto it_a = a->begin();
  auto it_b = b->begin();
  while (it_a != a->end() && it_b != b->end()) {
    if (key_of(*it_a) < key_of(*it_b)) {
      rest_a.push_back(*it_a++);
    } else if (key_of(*it_b) < key_of(*it_a)) {
      rest_b.push_back(*it_b++);
    } else {
      match(*it_a++, *it_b++);
    }
  }
  rest_a.insert(rest_a.end(), it_a, a->end());
  rest_b.insert(rest_b.end(), it_b, b->end());
  *a = std::move(rest_a);
  *b = std::move(rest_b);
}

// Takes out the nodes that both have, whatever their ways and however many, and shares them.
template <class Share>
void TakeCommon(Candidates* a, Candidates* b, Share share) {
  absl::flat_hash_set<LineageNode> of_b;
  for (const Candidate& candidate : *b) of_b.insert(candidate.link->from);
  absl::flat_hash_set<LineageNode> common;
  for (const Candidate& candidate : *a) {
    if (of_b.contains(candidate.link->from)) common.insert(candidate.link->from);
  }
  for (Candidates* candidates : {a, b}) {
    candidates->erase(
        std::remove_if(candidates->begin(), candidates->end(),
                       [&](const Candidate& c) { return common.contains(c.link->from); }),
        candidates->end());
  }
  for (LineageNode node : common) share(node);
}

auto ByWayAndType(const Candidate& c) {
  return std::tuple(c.link->event_type, absl::string_view(c.link->path), c.facts->type);
}

class Comparer {
 public:
  Comparer(const Reader& reader, const LineageView& view, const LineageWalkOptions& options,
           LineageWalk::OnHop judge)
      : reader_(reader), options_(options), links_(reader, view, options, judge) {}

  absl::StatusOr<LineageComparison> Compare(const LineagePair& starts);

 private:
  using Singles = std::vector<LineageComparison::Single>;
  using NodeSet = absl::flat_hash_set<LineageNode>;

  // The places of a hop stand together: [begin, end).
  absl::Status GoThrough(size_t begin, size_t end);
  absl::Status FindDifferences(size_t begin, size_t end);
  absl::Status FindDifference(size_t place, absl::string_view message_a,
                              absl::string_view message_b);
  absl::Status Expand(size_t begin, size_t end);
  void Match(size_t place);
  bool IsStop(const Place& place) const {
    return links_.FactsOf(place.pair.a).verdict == LineageVerdict::kStop ||
           links_.FactsOf(place.pair.b).verdict == LineageVerdict::kStop;
  }

  void AddPair(size_t before, const Candidate& a, const Candidate& b);
  void AddSingles(size_t before, const Candidates& candidates, NodeSet* seen, Singles* singles);
  Candidates CandidatesOf(LineageNode node);
  std::string WayOf(size_t place) const;
  bool HasCycle() const;

  const Reader& reader_;
  const LineageWalkOptions& options_;
  LineageLinks links_;
  LineageComparison result_;
  std::vector<Place> places_;
  absl::flat_hash_set<LineagePair> seen_pairs_;
  NodeSet shared_;
  NodeSet seen_only_a_;
  NodeSet seen_only_b_;
  NodeSet expanded_;
  std::vector<std::pair<LineageNode, LineageNode>> edges_;  // What was looked at.
  size_t difference_bytes_ = 0;
};

absl::StatusOr<LineageComparison> Comparer::Compare(const LineagePair& starts) {
  if (starts.a == starts.b) {
    result_.shared_nodes = 1;
    return std::move(result_);
  }
  if (absl::Status status = links_.Learn(0, {starts.a, starts.b}); !status.ok()) return status;
  seen_pairs_.insert(starts);
  places_.push_back({starts, 0, 0, 0, ""});
  for (size_t begin = 0; begin < places_.size();) {
    const size_t end = places_.size();
    for (; begin < end; begin += kBatch) {
      absl::Status status = GoThrough(begin, std::min(begin + kBatch, end));
      if (!status.ok()) return status;
    }
    begin = end;
  }
  result_.shared_nodes = static_cast<int64_t>(shared_.size());
  result_.has_cycle = HasCycle();
  return std::move(result_);
}

absl::Status Comparer::GoThrough(size_t begin, size_t end) {
  if (absl::Status status = FindDifferences(begin, end); !status.ok()) return status;
  if (places_[begin].hops < options_.max_hops) return Expand(begin, end);
  for (size_t i = begin; i < end; ++i) {
    result_.is_cut_by_hops = result_.is_cut_by_hops || !IsStop(places_[i]);
  }
  return absl::OkStatus();
}

absl::Status Comparer::FindDifferences(size_t begin, size_t end) {
  absl::flat_hash_map<LineageNode, std::string> messages;
  for (NodeKind kind : {NodeKind::kArtifact, NodeKind::kExecution}) {
    std::vector<int64_t> ids;
    for (size_t i = begin; i < end; ++i) {
      for (LineageNode node : {places_[i].pair.a, places_[i].pair.b}) {
        if (node.kind() == kind) ids.push_back(node.id());
      }
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    if (ids.empty()) continue;
    absl::Status status =
        reader_.VisitRecords(kind, ids, [&](int64_t id, const RecordView& record) {
          messages[LineageNode::Of(kind, static_cast<uint32_t>(id))] =
              std::string(record.message());
        });
    if (!status.ok()) return status;
  }
  for (size_t i = begin; i < end; ++i) {
    const LineagePair& pair = places_[i].pair;
    if (absl::Status status = FindDifference(i, messages[pair.a], messages[pair.b]); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status Comparer::FindDifference(size_t place, absl::string_view message_a,
                                      absl::string_view message_b) {
  const auto& [pair, before, early, hops, label] = places_[place];
  auto differences = DifferencesOf(reader_.catalog(), pair.a.kind(), message_a, message_b);
  if (!differences.ok()) return differences.status();
  if (differences->empty()) {
    ++result_.equal_pairs;
    return absl::OkStatus();
  }
  result_.differing.push_back({pair.a, pair.b, WayOf(place), hops, *std::move(differences)});
  const LineageComparison::Pair& added = result_.differing.back();
  difference_bytes_ += sizeof(added) + added.way.size();
  for (const FieldDifference& field : added.differences) {
    difference_bytes_ += sizeof(field) + field.field.size() + field.a.value_or("").size() +
                         field.b.value_or("").size();
  }
  if (difference_bytes_ <= kMaxDifferenceBytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the differences up to ", hops, " hops take more than a GiB"));
}

absl::Status Comparer::Expand(size_t begin, size_t end) {
  std::vector<LineageNode> nodes;
  for (size_t i = begin; i < end; ++i) {
    if (!IsStop(places_[i])) {
      nodes.push_back(places_[i].pair.a);
      nodes.push_back(places_[i].pair.b);
    }
  }
  const int64_t hop = places_[begin].hops + 1;
  if (absl::Status status = links_.Load(hop, nodes); !status.ok()) return status;
  for (LineageNode node : nodes) {
    if (!expanded_.insert(node).second) continue;
    for (const LineageLink& link : links_.Of(node)) edges_.emplace_back(node, link.from);
  }
  for (size_t i = begin; i < end; ++i) {
    if (IsStop(places_[i])) continue;
    const size_t links = links_.Of(places_[i].pair.a).size() + links_.Of(places_[i].pair.b).size();
    absl::Status status = reader_.Spend(1 + static_cast<int64_t>(links));
    if (!status.ok()) return status;
    Match(i);
  }
  return absl::OkStatus();
}

Candidates Comparer::CandidatesOf(LineageNode node) {
  Candidates candidates;
  for (const LineageLink& link : links_.Of(node)) {
    candidates.push_back({&link, &links_.FactsOf(link.from)});
  }
  return candidates;
}

void Comparer::Match(size_t place) {
  Candidates a = CandidatesOf(places_[place].pair.a);
  Candidates b = CandidatesOf(places_[place].pair.b);
  const auto share = [&](LineageNode node) { shared_.insert(node); };
  const auto pair = [&](const Candidate& x, const Candidate& y) { AddPair(place, x, y); };
  MatchBy(
      [](const Candidate& c) {
        return std::tuple(c.link->event_type, absl::string_view(c.link->path), c.link->from);
      },
      &a, &b, [&](const Candidate& x, const Candidate&) { share(x.link->from); });
  // A node without a name has none in common: its key is its own.
  MatchBy(
      [](const Candidate& c) {
        const bool is_named = !c.facts->name.empty();
        return std::tuple_cat(ByWayAndType(c), std::tuple(absl::string_view(c.facts->name),
                                                          is_named ? LineageNode() : c.link->from));
      },
      &a, &b, pair);
  MatchBy([](const Candidate& c) { return ByWayAndType(c); }, &a, &b, pair);
  TakeCommon(&a, &b, share);
  AddSingles(place, a, &seen_only_a_, &result_.only_a);
  AddSingles(place, b, &seen_only_b_, &result_.only_b);
}

std::string LabelOf(const Candidate& candidate) {
  return candidate.link->path.empty() ? std::string(candidate.facts->type) : candidate.link->path;
}

void Comparer::AddPair(size_t before, const Candidate& a, const Candidate& b) {
  const LineagePair pair = {a.link->from, b.link->from};
  if (!seen_pairs_.insert(pair).second) return;
  const int64_t hops = places_[before].hops + 1;
  const size_t early = hops <= kWayLabels ? places_.size() : places_[before].early;
  places_.push_back({pair, before, early, hops, LabelOf(a)});
}

void Comparer::AddSingles(size_t before, const Candidates& candidates, NodeSet* seen,
                          Singles* singles) {
  const std::string way = candidates.empty() ? "" : WayOf(before);
  for (const Candidate& candidate : candidates) {
    const LineageNode node = candidate.link->from;
    if (!seen->insert(node).second) continue;
    singles->push_back({node, absl::StrCat(way, way.empty() ? "" : " / ", LabelOf(candidate)),
                        places_[before].hops + 1, candidate.facts->name,
                        std::string(candidate.facts->type)});
  }
}

std::string Comparer::WayOf(size_t place) const {
  std::vector<absl::string_view> labels;  // From the end on.
  const int64_t hops = places_[place].hops;
  while (places_[place].hops > std::max(int64_t{0}, hops - kWayLabels)) {
    labels.push_back(places_[place].label);
    place = places_[place].before;
  }
  if (places_[place].hops > kWayLabels) {
    labels.push_back("...");
    place = places_[place].early;
  }
  while (places_[place].hops > 0) {
    labels.push_back(places_[place].label);
    place = places_[place].before;
  }
  std::reverse(labels.begin(), labels.end());
  return absl::StrJoin(labels, " / ");
}

bool Comparer::HasCycle() const {
  std::vector<LineageNode> nodes;
  for (const auto& [from, to] : edges_) {
    nodes.push_back(from);
    nodes.push_back(to);
  }
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  const LineageNumbering numbering(std::move(nodes));
  std::vector<std::pair<uint32_t, uint32_t>> edges;
  for (const auto& [from, to] : edges_) {
    edges.emplace_back(numbering.NumberOf(from), numbering.NumberOf(to));
  }
  std::sort(edges.begin(), edges.end());
  const LineageClosure::Graph graph(boost::edges_are_sorted, edges.begin(), edges.end(),
                                    numbering.size());
  return ComponentsOf(graph).has_cycle();
}

}  // namespace

absl::StatusOr<LineageComparison> CompareLineages(const Reader& reader, const LineageView& view,
                                                  LineagePair starts,
                                                  const LineageWalkOptions& options,
                                                  LineageWalk::OnHop judge) {
  return Comparer(reader, view, options, judge).Compare(starts);
}

}  // namespace pedigree
