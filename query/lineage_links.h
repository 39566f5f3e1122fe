// What leads to some nodes, with what the memory graph has not: paths of events, types and names.
//
// Threads: as the Reader. Reads in batches; keeps what it has learnt of nodes, and the events of
// the last batch.
//
//   LineageLinks links(reader, view, options, judge);
//   absl::Status status = links.Load(hop, nodes);
//   for (const LineageLink& link : links.Of(nodes[0])) ...
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "query/lineage_view.h"
#include "query/lineage_walk.h"
#include "store/reader.h"

namespace pedigree {

// An event that leads to a node.
struct LineageLink {
  LineageNode from;
  uint8_t event_type = 0;
  std::string path;  // As text; "" for none.
};

// What matching asks of a node.
struct LineageNodeFacts {
  LineageVerdict verdict = LineageVerdict::kGoOn;
  int64_t type_id = 0;
  absl::string_view type;  // Of the catalog, which outlives this.
  std::string name;        // "" for none.
};

class LineageLinks {
 public:
  // All are borrowed.
  LineageLinks(const Reader& reader, const LineageView& view, const LineageWalkOptions& options,
               LineageWalk::OnHop judge)
      : reader_(reader), view_(view), options_(options), judge_(judge) {}

  // Learns facts of nodes that it has none of yet. Errors: as Reader and the judge.
  absl::Status Learn(int64_t hop, std::vector<LineageNode> nodes);
  // Reads what leads to the nodes, but for what the judge leaves out, and learns of it. `hop` is
  // that of the nodes found. Errors: as Learn.
  absl::Status Load(int64_t hop, absl::Span<const LineageNode> nodes);

  // REQUIRES: the node was in the last Load().
  const std::vector<LineageLink>& Of(LineageNode node) const { return links_.at(node); }
  // REQUIRES: learnt.
  const LineageNodeFacts& FactsOf(LineageNode node) const { return facts_.at(node); }

 private:
  // (artifact, execution, type) of an event, which is unique.
  using EventKey = std::tuple<uint32_t, uint32_t, uint8_t>;

  static EventKey KeyOf(LineageNode node, const LineageLink& link);
  absl::Status FindLinks(absl::Span<const LineageNode> nodes);
  void DropLeftOut();
  absl::Status ReadPaths();
  absl::Status ReadFacts(NodeKind kind, const std::vector<LineageNode>& nodes);

  const Reader& reader_;
  const LineageView& view_;
  const LineageWalkOptions& options_;
  const LineageWalk::OnHop judge_;
  absl::flat_hash_map<LineageNode, LineageNodeFacts> facts_;
  absl::flat_hash_map<LineageNode, std::vector<LineageLink>> links_;
  absl::flat_hash_map<EventKey, std::string> paths_;  // Of the events of links_.
};

}  // namespace pedigree
