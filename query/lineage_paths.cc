#include "query/lineage_paths.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "query/lineage_closure.h"

namespace pedigree {
namespace {

using Graph = LineageClosure::Graph;
// Vertices of a closure, which are numbered in id order.
using Vertices = std::vector<uint32_t>;

// As lineage_walk.cc.
constexpr int64_t kEventsPerVisit = 8;

// The vertices that lead to each, each once.
class Predecessors {
 public:
  explicit Predecessors(const Graph& graph) : begins_(num_vertices(graph) + 1, 0) {
    VisitEdges(graph, [this](uint32_t, uint32_t to) { ++begins_[to + 1]; });
    for (size_t i = 1; i < begins_.size(); ++i) begins_[i] += begins_[i - 1];
    vertices_.resize(begins_.back());
    std::vector<size_t> next(begins_.begin(), begins_.end() - 1);
    VisitEdges(graph, [&](uint32_t from, uint32_t to) { vertices_[next[to]++] = from; });
  }

  absl::Span<const uint32_t> Of(uint32_t vertex) const {
    return absl::MakeConstSpan(vertices_).subspan(begins_[vertex],
                                                  begins_[vertex + 1] - begins_[vertex]);
  }

 private:
  // Parallel edges stand side by side, and count once.
  template <class Visit>
  static void VisitEdges(const Graph& graph, Visit visit) {
    for (uint32_t from = 0; from < num_vertices(graph); ++from) {
      const auto [begin, end] = adjacent_vertices(from, graph);
      std::optional<uint32_t> last;
      for (auto it = begin; it != end; ++it) {
        if (last != *it) visit(from, *it);
        last = *it;
      }
    }
  }

  std::vector<size_t> begins_;
  Vertices vertices_;
};

// Finds the best way on from the end of a path that is given. Of ways of the same length the one
// whose vertices are lower, the first difference deciding, is better.
class WayFinder {
 public:
  WayFinder(const Reader& reader, const Graph& graph, uint32_t to)
      : reader_(reader),
        graph_(graph),
        to_(to),
        predecessors_(graph),
        is_on_root_(num_vertices(graph), false),
        hops_(num_vertices(graph), kUnknown) {}

  // The root is the beginning of the ways to come: no way visits a vertex of it again. It is made
  // longer vertex by vertex, since marking it anew for every place of a path would take the square
  // of the path's length.
  void ExtendRoot(uint32_t vertex) {
    root_.push_back(vertex);
    is_on_root_[vertex] = true;
  }
  void ClearRoot() {
    for (uint32_t vertex : root_) is_on_root_[vertex] = false;
    root_.clear();
  }

  // What follows the root, without going to one of `banned` first: at most `max_hops` vertices, the
  // last of them `to`. Nullopt if there is no such way.
  // REQUIRES: there is a root. Errors: those of Reader::Spend().
  absl::StatusOr<std::optional<Vertices>> Find(const absl::flat_hash_set<uint32_t>& banned,
                                               int64_t max_hops) {
    auto way = FindBehindRoot(root_.back(), banned, max_hops);
    for (uint32_t vertex : seen_) hops_[vertex] = kUnknown;
    seen_.clear();
    return way;
  }

 private:
  static constexpr uint32_t kUnknown = ~0u;

  absl::StatusOr<std::optional<Vertices>> FindBehindRoot(
      uint32_t end_of_root, const absl::flat_hash_set<uint32_t>& banned, int64_t max_hops) {
    absl::flat_hash_set<uint32_t> firsts;
    const auto [begin, end] = adjacent_vertices(end_of_root, graph_);
    for (auto it = begin; it != end; ++it) {
      if (!is_on_root_[*it] && !banned.contains(*it)) firsts.insert(*it);
    }
    absl::Status spent = reader_.Spend((end - begin) / kEventsPerVisit + 1);
    if (!spent.ok()) return spent;
    if (firsts.empty()) return std::nullopt;  // Chains are made of such places.
    auto first = FindNearest(firsts, max_hops - 1);
    if (!first.ok()) return first.status();
    if (!first->has_value()) return std::nullopt;
    Vertices way = {**first};
    while (way.back() != to_) way.push_back(NextOf(way.back()));
    return way;
  }

  // Goes backwards from `to` hop by hop until it meets some of `firsts`, and answers the lowest of
  // those that it meets first. Notes the hops to `to` of all that is nearer.
  absl::StatusOr<std::optional<uint32_t>> FindNearest(const absl::flat_hash_set<uint32_t>& firsts,
                                                      int64_t max_hops) {
    std::optional<uint32_t> nearest;
    const auto see = [&](uint32_t vertex, uint32_t hops) {
      hops_[vertex] = hops;
      seen_.push_back(vertex);
      if (firsts.contains(vertex) && (!nearest.has_value() || vertex < *nearest)) nearest = vertex;
    };
    if (max_hops < 0) return nearest;
    see(to_, 0);
    size_t begin = 0;
    for (uint32_t hops = 1; !nearest.has_value() && begin < seen_.size() && hops <= max_hops;
         ++hops) {
      const size_t end = seen_.size();
      int64_t edges = 0;
      for (; begin < end; ++begin) {
        for (uint32_t vertex : predecessors_.Of(seen_[begin])) {
          ++edges;
          if (hops_[vertex] == kUnknown && !is_on_root_[vertex]) see(vertex, hops);
        }
      }
      absl::Status spent = reader_.Spend(edges / kEventsPerVisit + 1);
      if (!spent.ok()) return spent;
    }
    return nearest;
  }

  // The lowest vertex behind this one that is one hop nearer. Out-edges are in order.
  uint32_t NextOf(uint32_t vertex) const {
    const auto [begin, end] = adjacent_vertices(vertex, graph_);
    return *std::find_if(begin, end, [&](uint32_t next) {
      return hops_[next] != kUnknown && hops_[next] + 1 == hops_[vertex];
    });
  }

  const Reader& reader_;
  const Graph& graph_;
  const uint32_t to_;
  const Predecessors predecessors_;
  Vertices root_;
  std::vector<bool> is_on_root_;  // By vertex.
  Vertices hops_;                 // By vertex: to `to`; kUnknown if it has not been seen.
  Vertices seen_;
};

// A path, and the place of the last vertex that it has in common with the path it was made from.
struct Candidate {
  Vertices vertices;
  size_t leaves_at = 0;

  friend bool operator<(const Candidate& a, const Candidate& b) {
    if (a.vertices.size() != b.vertices.size()) return a.vertices.size() < b.vertices.size();
    return a.vertices < b.vertices;
  }
};

// Yen's algorithm.
class ShortestPaths {
 public:
  ShortestPaths(const Reader& reader, const Graph& graph, uint32_t to, int64_t max_hops,
                size_t count)
      : finder_(reader, graph, to), max_hops_(max_hops), count_(count) {}

  // Finds up to `count` paths, the best first. After an error found() has the best so far.
  absl::Status Find(uint32_t from) {
    absl::Status status = AddFirst(from);
    while (status.ok() && !candidates_.empty()) {
      found_.push_back(std::move(candidates_.extract(candidates_.begin()).value()));
      if (found_.size() == count_) break;
      status = AddFollowers();
    }
    return status;
  }
  const std::vector<Candidate>& found() const { return found_; }

 private:
  absl::Status AddFirst(uint32_t from) {
    const Vertices root = {from};
    finder_.ExtendRoot(from);
    absl::Status status = AddCandidate(root, {});
    finder_.ClearRoot();
    return status;
  }

  // Adds the best path that begins with `root`, which is the finder's, if there is one.
  absl::Status AddCandidate(absl::Span<const uint32_t> root,
                            const absl::flat_hash_set<uint32_t>& banned) {
    const size_t place = root.size() - 1;
    auto way = finder_.Find(banned, max_hops_ - static_cast<int64_t>(place));
    if (!way.ok()) return way.status();
    if (!way->has_value()) return absl::OkStatus();
    Candidate candidate = {Vertices(root.begin(), root.end()), place};
    candidate.vertices.insert(candidate.vertices.end(), (*way)->begin(), (*way)->end());
    candidates_.insert(std::move(candidate));
    // The others can not be among the best any more. A long path has as many followers as places,
    // each as long as itself: they must not all be in memory.
    if (candidates_.size() > count_ - found_.size())
      candidates_.erase(std::prev(candidates_.end()));
    return absl::OkStatus();
  }

  // Adds the best paths that leave the last one found, at each of its places.
  absl::Status AddFollowers() {
    const Candidate& last = found_.back();
    std::vector<size_t> shared;  // With each path found, its beginning.
    for (const Candidate& path : found_) {
      const auto [a, b] = std::mismatch(last.vertices.begin(), last.vertices.end(),
                                        path.vertices.begin(), path.vertices.end());
      shared.push_back(static_cast<size_t>(a - last.vertices.begin()));
    }
    absl::Status status;
    for (size_t place = 0; status.ok() && place + 1 < last.vertices.size(); ++place) {
      finder_.ExtendRoot(last.vertices[place]);
      if (place < last.leaves_at) continue;
      absl::flat_hash_set<uint32_t> banned;
      for (size_t i = 0; i < found_.size(); ++i) {
        if (shared[i] > place) banned.insert(found_[i].vertices[place + 1]);
      }
      status = AddCandidate(absl::MakeConstSpan(last.vertices).first(place + 1), banned);
    }
    finder_.ClearRoot();
    return status;
  }

  WayFinder finder_;
  const int64_t max_hops_;
  const size_t count_;
  std::vector<Candidate> found_;
  std::set<Candidate> candidates_;
};

// A walk downstream from `from` over what leads to `to`, held to a scope.
class Between {
 public:
  Between(const Reader& reader, const LineageView& view, const LineageScope& scope)
      : upstream_(reader, view), walk_(reader, view), scope_(scope) {}

  // First upstream, without filters: what leads to a node mostly is less than what follows from
  // one, and the filters then read the records of nodes that are between the two alone.
  absl::Status Run(LineageNode from, LineageNode to, const LineageJudge& judge) {
    absl::Status status = upstream_.Run({to}, OptionsOf(scope_, LineageDirection::kUpstream));
    if (!status.ok() || !upstream_.IsReached(from)) return status;
    return walk_.Run(
        {from}, options(),
        [&](int64_t hop, absl::Span<const LineageNode> nodes, absl::Span<LineageVerdict> verdicts) {
          return Judge(judge, hop, nodes, verdicts);
        });
  }

  const LineageWalk& walk() const { return walk_; }
  LineageWalkOptions options() const { return OptionsOf(scope_, LineageDirection::kDownstream); }

 private:
  absl::Status Judge(const LineageJudge& judge, int64_t hop, absl::Span<const LineageNode> nodes,
                     absl::Span<LineageVerdict> verdicts) const {
    std::vector<LineageNode> between;
    for (LineageNode node : nodes) {
      if (upstream_.IsReached(node)) between.push_back(node);
    }
    std::vector<LineageVerdict> judged(between.size(), LineageVerdict::kGoOn);
    absl::Status status = judge(hop, between, absl::MakeSpan(judged));
    if (!status.ok()) return status;
    size_t next = 0;
    for (size_t i = 0; i < nodes.size(); ++i) {
      verdicts[i] = upstream_.IsReached(nodes[i]) ? judged[next++] : LineageVerdict::kLeaveOut;
    }
    return absl::OkStatus();
  }

  LineageWalk upstream_;
  LineageWalk walk_;
  const LineageScope& scope_;
};

// Fills in what the answer says of a path beyond its vertices.
class PathTeller {
 public:
  PathTeller(const Reader& reader, const Between& between, const LineageNumbering& numbering,
             const LineageComponents& components)
      : reader_(reader),
        walk_(between.walk()),
        options_(between.options()),
        numbering_(numbering),
        components_(components) {
    uint32_t hop = 0;
    for (size_t i = 0; i < walk_.nodes().size(); ++i) {
      while (i == walk_.hop_ends()[hop]) ++hop;
      hops_[walk_.nodes()[i]] = hop;
    }
  }

  absl::StatusOr<LineagePath> Tell(const Vertices& vertices) {
    LineagePath path;
    for (size_t i = 0; i < vertices.size(); ++i) {
      const LineageNode node = numbering_.node(vertices[i]);
      path.nodes.push_back(
          {node, hops_[node], components_.InCycle(vertices[i]), !walk_.IsExpanded(node)});
      if (i == 0) continue;
      auto event = FirstEvent(path.nodes[i - 1].node, node);
      if (!event.ok()) return event.status();
      path.events.push_back(*event);
    }
    return path;
  }

 private:
  absl::StatusOr<uint32_t> FirstEvent(LineageNode from, LineageNode to) {
    uint32_t& first = first_events_[{from, to}];  // Paths share most of their events.
    if (first != 0) return first;
    const int64_t events =
        VisitTraversed(walk_, options_, from, [&](uint32_t event, LineageNode target) {
          if (target == to && (first == 0 || event < first)) first = event;
        });
    absl::Status spent = reader_.Spend(events / kEventsPerVisit);
    if (!spent.ok()) return spent;
    return first;
  }

  const Reader& reader_;
  const LineageWalk& walk_;
  const LineageWalkOptions options_;
  const LineageNumbering& numbering_;
  const LineageComponents& components_;
  absl::flat_hash_map<LineageNode, uint32_t> hops_;
  absl::flat_hash_map<std::pair<LineageNode, LineageNode>, uint32_t> first_events_;
};

absl::Status CheckExists(const Reader& reader, const LineageView& view, absl::string_view field,
                         LineageNode node) {
  auto exists = view.Exists(reader, node);
  if (!exists.ok()) return exists.status();
  if (*exists) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat(field, ": there is no ", NameOf(node.kind()), " with id ",
                                          node.id(), " in what is looked at"));
}

absl::StatusOr<LineagePaths> PathsBetween(const Reader& reader, const Between& between,
                                          LineageNode from, LineageNode to, int64_t max_hops,
                                          size_t max_paths) {
  auto closure = LineageClosure::Of(reader, between.walk(), between.options());
  if (!closure.ok()) return closure.status();
  const LineageNumbering& numbering = closure->numbering();
  const LineageComponents components = ComponentsOf(closure->graph());
  // One more than asked for, to know whether there are more.
  ShortestPaths shortest(reader, closure->graph(), numbering.NumberOf(to), max_hops, max_paths + 1);
  absl::Status status = shortest.Find(numbering.NumberOf(from));
  const bool is_exhausted = absl::IsResourceExhausted(status) && !shortest.found().empty();
  if (!status.ok() && !is_exhausted) return status;
  LineagePaths answer;
  answer.has_cycle = components.has_cycle();
  if (is_exhausted) {
    answer.why_incomplete = absl::StrCat("the search for more paths ended: ", status.message());
    reader.LiftQueryLimit();  // To tell what was found must not fail: finding took all it may.
  } else if (shortest.found().size() > max_paths) {
    answer.why_incomplete = "max_paths: there are more";
  }
  PathTeller teller(reader, between, numbering, components);
  for (const Candidate& candidate : shortest.found()) {
    if (answer.paths.size() == max_paths) break;
    auto path = teller.Tell(candidate.vertices);
    if (!path.ok()) return path.status();
    answer.paths.push_back(*std::move(path));
  }
  return answer;
}

}  // namespace

absl::StatusOr<LineagePaths> FindLineagePaths(const Reader& reader, const LineageView& view,
                                              LineageNode from, LineageNode to,
                                              const LineageScope& scope, size_t max_paths) {
  for (const auto& [field, node] : {std::pair("from", from), std::pair("to", to)}) {
    if (absl::Status status = CheckExists(reader, view, field, node); !status.ok()) return status;
  }
  auto judge = LineageJudge::Make(reader, scope);
  if (!judge.ok()) return judge.status();
  if (from == to) {
    LineagePaths answer;
    answer.paths.push_back({{{.node = from}}, {}});
    return answer;
  }
  reader.LimitQuery();
  Between between(reader, view, scope);
  if (absl::Status status = between.Run(from, to, *judge); !status.ok()) return status;
  if (!between.walk().IsReached(to)) return LineagePaths();
  return PathsBetween(reader, between, from, to, scope.max_hops, max_paths);
}

}  // namespace pedigree
