#include "tests/query/lineage_compare_oracle.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/event_graph.h"
#include "tests/query/lineage_definitions.h"

namespace pedigree {
namespace {

using ml_metadata::Event;
using Found = ExpectedComparison::Found;
using Pair = std::pair<OracleRef, OracleRef>;

// An event that leads to a node, and what matching asks of the node that it leads from.
struct Link {
  Event::Type event_type;
  std::string path;
  OracleRef from;
  std::string type;
  std::string name;

  std::string Label() const { return path.empty() ? type : path; }
};
using Links = std::vector<Link>;

std::string TextOf(const Event::Path& path) {
  std::string text;
  for (const Event::Path::Step& step : path.steps()) {
    if (step.has_index()) {
      absl::StrAppend(&text, "[", step.index(), "]");
    } else {
      absl::StrAppend(&text, text.empty() ? "" : ".", step.key());
    }
  }
  return text;
}

struct Matching {
  std::vector<std::pair<Link, Link>> pairs;
  std::set<OracleRef> shared;
  Links only_a;
  Links only_b;
};

class Matcher {
 public:
  Matcher(Links a, Links b) : a_(std::move(a)), b_(std::move(b)) {}

  Matching Match() {
    MatchFirst([](const Link& x, const Link& y) { return IsSameWay(x, y) && x.from == y.from; },
               [this](const Link& x, const Link&) { matching_.shared.insert(x.from); });
    const auto pair = [this](const Link& x, const Link& y) { matching_.pairs.emplace_back(x, y); };
    MatchFirst([](const Link& x,
                  const Link& y) { return IsAlike(x, y) && !x.name.empty() && x.name == y.name; },
               pair);
    MatchFirst(IsAlike, pair);
    std::set<OracleRef> both;
    for (const Link& x : a_) {
      for (const Link& y : b_) {
        if (x.from == y.from) both.insert(x.from);
      }
    }
    matching_.shared.insert(both.begin(), both.end());
    for (const Link& x : a_) {
      if (both.count(x.from) == 0) matching_.only_a.push_back(x);
    }
    for (const Link& y : b_) {
      if (both.count(y.from) == 0) matching_.only_b.push_back(y);
    }
    return matching_;
  }

 private:
  static bool IsSameWay(const Link& x, const Link& y) {
    return x.event_type == y.event_type && x.path == y.path;
  }
  static bool IsAlike(const Link& x, const Link& y) { return IsSameWay(x, y) && x.type == y.type; }

  // Matches each link of a with the first of b that fits. Both are in id order.
  template <class Fits, class Use>
  void MatchFirst(Fits fits, Use use) {
    Links rest;
    for (const Link& x : a_) {
      const auto y =
          std::find_if(b_.begin(), b_.end(), [&](const Link& link) { return fits(x, link); });
      if (y == b_.end()) {
        rest.push_back(x);
      } else {
        use(x, *y);
        b_.erase(y);
      }
    }
    a_ = rest;
  }

  Links a_;
  Links b_;
  Matching matching_;
};

class ComparisonOracle {
 public:
  ComparisonOracle(const GraphNodes& nodes, const OracleLineage& lineage,
                   const OracleQuestion& question)
      : nodes_(nodes), lineage_(lineage), question_(question) {}

  ExpectedComparison Compare(OracleRef a, OracleRef b) {
    if (a == b) {
      result_.shared.insert(a);
      return result_;
    }
    std::map<Pair, Found> at_hop = {{{a, b}, {0, {""}}}};
    for (int64_t hop = 0; !at_hop.empty(); ++hop) {
      result_.pairs.insert(at_hop.begin(), at_hop.end());
      next_.clear();
      for (const auto& [pair, found] : at_hop) GoOn(pair, found);
      at_hop = next_;
    }
    CloseTransitively(&edges_);
    result_.has_cycle = std::any_of(edges_.begin(), edges_.end(),
                                    [](const Pair& edge) { return edge.first == edge.second; });
    return result_;
  }

 private:
  void GoOn(const Pair& pair, const Found& found) {
    if (question_.stops.count(pair.first) > 0 || question_.stops.count(pair.second) > 0) return;
    if (question_.max_hops.has_value() && found.hops >= *question_.max_hops) {
      result_.is_cut_by_hops = true;
      return;
    }
    const Matching matching = Matcher(LinksOf(pair.first), LinksOf(pair.second)).Match();
    result_.shared.insert(matching.shared.begin(), matching.shared.end());
    for (const auto& [x, y] : matching.pairs) {
      const Pair next = {x.from, y.from};
      if (result_.pairs.count(next) == 0) Add(found, x.Label(), &next_[next]);
    }
    for (const Link& link : matching.only_a) {
      Add(found, link.Label(), &result_.only_a[link.from]);
    }
    for (const Link& link : matching.only_b) {
      Add(found, link.Label(), &result_.only_b[link.from]);
    }
  }

  // What is found `behind` the label, unless it was found nearer.
  static void Add(const Found& behind, const std::string& label, Found* found) {
    if (!found->ways.empty() && found->hops < behind.hops + 1) return;
    found->hops = behind.hops + 1;
    for (const std::string& way : behind.ways) {
      found->ways.insert(way.empty() ? label : absl::StrCat(way, " / ", label));
    }
  }

  Links LinksOf(OracleRef node) {
    Links links;
    for (const OracleEvent& event : lineage_.events) {
      OracleRef from = {NodeKind::kArtifact, event.artifact};
      OracleRef to = {NodeKind::kExecution, event.execution};
      if (EventEnds::IsOutput(static_cast<uint8_t>(event.type))) std::swap(from, to);
      if (to != node || question_.left_out.count(from) > 0 ||
          !ExistsByDefinition(lineage_, question_, event)) {
        continue;
      }
      edges_.insert({node, from});
      links.push_back({event.type, TextOf(nodes_.event(event).path()), from, "", ""});
      const bool is_artifact = from.first == NodeKind::kArtifact;
      links.back().type =
          is_artifact ? nodes_.artifact(from.second).type() : nodes_.execution(from.second).type();
      links.back().name =
          is_artifact ? nodes_.artifact(from.second).name() : nodes_.execution(from.second).name();
    }
    std::sort(links.begin(), links.end(),
              [](const Link& x, const Link& y) { return x.from < y.from; });
    return links;
  }

  const GraphNodes& nodes_;
  const OracleLineage& lineage_;
  const OracleQuestion& question_;
  std::map<Pair, Found> next_;
  std::set<Pair> edges_;  // What was looked at.
  ExpectedComparison result_;
};

}  // namespace

ExpectedComparison ComparisonByDefinition(const GraphNodes& nodes, const OracleLineage& lineage,
                                          const OracleQuestion& question, OracleRef a,
                                          OracleRef b) {
  return ComparisonOracle(nodes, lineage, question).Compare(a, b);
}

}  // namespace pedigree
