// The graph of events as one reader sees it: one version of the store, as of a time or now.
//
// A model of Boost.Graph's IncidenceGraph, BidirectionalGraph and VertexListGraph, so that its
// algorithms run on it: a vertex is an artifact or an execution, an edge is an event and points the
// way the data goes, from an execution to an artifact it wrote and from an artifact to an execution
// that read it. So out-edges lead downstream and in-edges upstream. Events may be parallel, and
// there may be cycles.
// A value type that borrows the store's graph; any thread.
//
//   LineageView view(reader);
//   view.VisitNeighbours(LineageNode::Artifact(7), LineageDirection::kUpstream,
//                        [&](uint32_t event, LineageNode execution) { ... });
//   auto [edge, end] = out_edges(LineageNode::Artifact(7), view);
#pragma once

#include <boost/graph/graph_traits.hpp>
#include <boost/graph/properties.hpp>
#include <boost/iterator/iterator_facade.hpp>
#include <boost/property_map/property_map.hpp>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "store/event_graph.h"
#include "store/reader.h"
#include "store/traits.h"

namespace pedigree {

// An artifact or an execution.
class LineageNode {
 public:
  constexpr LineageNode() = default;
  static constexpr LineageNode Artifact(uint32_t id) { return LineageNode(uint64_t{id} << 1); }
  static constexpr LineageNode Execution(uint32_t id) { return LineageNode(uint64_t{id} << 1 | 1); }
  static constexpr LineageNode Of(NodeKind kind, uint32_t id) {
    return kind == NodeKind::kExecution ? Execution(id) : Artifact(id);
  }

  constexpr bool is_execution() const { return (bits_ & 1) != 0; }
  constexpr NodeKind kind() const {
    return is_execution() ? NodeKind::kExecution : NodeKind::kArtifact;
  }
  constexpr uint32_t id() const { return static_cast<uint32_t>(bits_ >> 1); }
  // Distinct for distinct nodes; ascending with ids, an artifact before the execution of its id.
  constexpr uint64_t bits() const { return bits_; }

  friend constexpr auto operator<=>(const LineageNode&, const LineageNode&) = default;
  template <class H>
  friend H AbslHashValue(H h, LineageNode node) {
    return H::combine(std::move(h), node.bits_);
  }

 private:
  explicit constexpr LineageNode(uint64_t bits) : bits_(bits) {}

  uint64_t bits_ = 0;  // id << 1, + 1 for executions. No node has id 0.
};

// Which way to walk; a set of bits.
enum class LineageDirection : uint8_t { kUpstream = 1, kDownstream = 2, kBoth = 3 };
constexpr bool Includes(LineageDirection direction, LineageDirection part) {
  return (static_cast<uint8_t>(direction) & static_cast<uint8_t>(part)) != 0;
}
constexpr LineageDirection Reversed(LineageDirection direction) {
  switch (direction) {
    case LineageDirection::kUpstream:
      return LineageDirection::kDownstream;
    case LineageDirection::kDownstream:
      return LineageDirection::kUpstream;
    case LineageDirection::kBoth:
      break;
  }
  return LineageDirection::kBoth;
}

inline constexpr int64_t kNow = std::numeric_limits<int64_t>::max();

// Ids of artifacts and executions that a view does not show although they are within its bounds.
class HiddenNodes {
 public:
  void Insert(NodeKind kind, int64_t id) {
    std::vector<bool>& ids = ids_[IndexOf(kind)];
    const auto place = static_cast<size_t>(id);
    if (place >= ids.size()) ids.resize(place + place / 2 + 64);
    ids[place] = true;
  }
  bool Contains(NodeKind kind, uint32_t id) const {
    const std::vector<bool>& ids = ids_[IndexOf(kind)];
    return id < ids.size() && ids[id];
  }

 private:
  std::vector<bool> ids_[3];  // By IndexOf(kind).
};

// Where a view ends.
struct LineageBounds {
  uint32_t last_event = 0;
  uint32_t last_artifact = 0;
  uint32_t last_execution = 0;
};

class LineageView {
 public:
  // Everything in the reader's version. Borrows the store's graph, which outlives every reader.
  explicit LineageView(const Reader& reader);
  // What existed at a time, in ms since the epoch: nodes created and events that happened until
  // then, the time included. Looks for the last nodes created by then in the store (20 reads);
  // where ids do not follow create times (Catalog::IsCreatedInOrder), for all that were created
  // later.
  // Errors: as Reader.
  static absl::StatusOr<LineageView> AsOf(const Reader& reader, int64_t time_ms);

  // What an older view showed: `bounds` are of a view of this store, and `as_of_ms` is its time.
  // The graph only grows, so it is all still there. InvalidArgument if it reaches beyond the
  // reader's version.
  static absl::StatusOr<LineageView> Within(const Reader& reader, const LineageBounds& bounds,
                                            int64_t as_of_ms);
  LineageBounds bounds() const { return {last_event_, last_artifact_, last_execution_}; }

  // Whether a node of this id can exist in this view. There may be none where ids have gaps, which
  // they have in stores that were imported.
  bool Has(LineageNode node) const {
    return node.id() >= 1 &&
           (node.is_execution() ? HasExecution(node.id()) : HasArtifact(node.id()));
  }
  // Whether it does. `reader` is the view's. Errors: as Reader.
  absl::StatusOr<bool> Exists(const Reader& reader, LineageNode node) const;
  // As Has(), of an id that is at least 1.
  bool HasArtifact(uint32_t id) const {
    return id <= last_artifact_ &&
           (hidden_ == nullptr || !hidden_->Contains(NodeKind::kArtifact, id));
  }
  bool HasExecution(uint32_t id) const {
    return id <= last_execution_ &&
           (hidden_ == nullptr || !hidden_->Contains(NodeKind::kExecution, id));
  }
  uint32_t last_artifact() const { return last_artifact_; }
  uint32_t last_execution() const { return last_execution_; }
  uint32_t last_event() const { return last_event_; }
  const EventGraph& graph() const { return *graph_; }

  EventEnds ends(uint32_t event) const { return graph_->ends(event); }
  int64_t time_ms(uint32_t event) const { return graph_->time_ms(event); }
  LineageNode source(uint32_t event) const {
    const EventEnds ends = graph_->ends(event);
    return ends.is_output() ? LineageNode::Execution(ends.execution)
                            : LineageNode::Artifact(ends.artifact);
  }
  LineageNode target(uint32_t event) const {
    const EventEnds ends = graph_->ends(event);
    return ends.is_output() ? LineageNode::Artifact(ends.artifact)
                            : LineageNode::Execution(ends.execution);
  }

  // Calls visit(event, neighbour) for every event that leads from the node in the direction, in no
  // particular order. The loop that walks are made of.
  template <class Visit>
  void VisitNeighbours(LineageNode node, LineageDirection direction, Visit visit) const {
    if (node.is_execution()) {
      const bool inputs = Includes(direction, LineageDirection::kUpstream);
      const bool outputs = Includes(direction, LineageDirection::kDownstream);
      graph_->VisitEventsOf(node.id(), last_event_, [&](uint32_t event, const EventEnds& ends) {
        if ((ends.is_output() ? outputs : inputs) && HasArtifact(ends.artifact) &&
            IsVisible(event)) {
          visit(event, LineageNode::Artifact(ends.artifact));
        }
      });
      return;
    }
    const auto visit_execution = [&](uint32_t event) {
      const uint32_t execution = graph_->ends(event).execution;
      if (HasExecution(execution) && IsVisible(event)) {
        visit(event, LineageNode::Execution(execution));
      }
    };
    if (Includes(direction, LineageDirection::kUpstream)) {
      graph_->VisitProducers(node.id(), last_event_, visit_execution);
    }
    if (Includes(direction, LineageDirection::kDownstream)) {
      graph_->VisitConsumers(node.id(), last_event_, visit_execution);
    }
  }

  // Whether the event had happened by the view's time.
  bool IsVisible(uint32_t event) const {
    return as_of_ms_ == kNow || graph_->time_ms(event) <= as_of_ms_;
  }

  // For walks that know where they go next: call Fetch() for nodes some 16 places ahead, and
  // FetchEvents() for nodes some 8 places ahead.
  void Fetch(LineageNode node) const {
    if (node.is_execution()) {
      graph_->PrefetchExecution(node.id());
    } else {
      graph_->PrefetchArtifact(node.id());
    }
  }
  void FetchEvents(LineageNode node, LineageDirection direction) const {
    if (node.is_execution()) {
      graph_->PrefetchFirstEventOf(node.id(), last_event_);
      return;
    }
    if (Includes(direction, LineageDirection::kUpstream)) {
      graph_->PrefetchFirstProducer(node.id(), last_event_);
    }
    if (Includes(direction, LineageDirection::kDownstream)) {
      graph_->PrefetchFirstConsumer(node.id(), last_event_);
    }
  }

 private:
  LineageView(const Reader& reader, int64_t as_of_ms);
  bool HasEvents(LineageNode node) const;
  // Hides what was created after as_of_ms_, where ids do not say so.
  absl::Status HideLater(const Reader& reader);

  const EventGraph* graph_;
  uint32_t last_event_;
  uint32_t last_artifact_;
  uint32_t last_execution_;
  int64_t as_of_ms_ = kNow;
  std::shared_ptr<const HiddenNodes> hidden_;  // Null if there are none.
};

// Boost.Graph's side.

struct LineageEdge {
  uint32_t event = 0;
  friend bool operator==(LineageEdge, LineageEdge) = default;
};

// Property tags of a view, besides boost::vertex_index_t (artifacts first, each kind by id).
struct node_kind_t {
  using kind = boost::vertex_property_tag;
};
struct node_id_t {
  using kind = boost::vertex_property_tag;
};
struct event_type_t {
  using kind = boost::edge_property_tag;
};

// The edges of one node, in one direction.
class LineageEdgeIterator
    : public boost::iterator_facade<LineageEdgeIterator, LineageEdge, boost::forward_traversal_tag,
                                    LineageEdge> {
 public:
  LineageEdgeIterator() = default;  // The end.
  LineageEdgeIterator(const LineageView& view, LineageNode node, LineageDirection direction);

 private:
  friend class boost::iterator_core_access;

  LineageEdge dereference() const { return {event_}; }
  bool equal(const LineageEdgeIterator& other) const { return event_ == other.event_; }
  void increment();

  const LineageView* view_ = nullptr;  // Not owned; outlives this.
  EventGraph::Cursor cursor_;
  bool is_execution_ = false;
  bool wants_outputs_ = false;
  uint32_t event_ = 0;
};

class LineageNodeIterator
    : public boost::iterator_facade<LineageNodeIterator, LineageNode, boost::forward_traversal_tag,
                                    LineageNode> {
 public:
  LineageNodeIterator() = default;
  LineageNodeIterator(uint32_t artifacts, uint64_t index) : artifacts_(artifacts), index_(index) {}

 private:
  friend class boost::iterator_core_access;

  LineageNode dereference() const {
    return index_ < artifacts_
               ? LineageNode::Artifact(static_cast<uint32_t>(index_ + 1))
               : LineageNode::Execution(static_cast<uint32_t>(index_ - artifacts_ + 1));
  }
  bool equal(const LineageNodeIterator& other) const { return index_ == other.index_; }
  void increment() { ++index_; }

  uint32_t artifacts_ = 0;
  uint64_t index_ = 0;
};

}  // namespace pedigree

namespace boost {

template <>
struct graph_traits<pedigree::LineageView> {
  using vertex_descriptor = pedigree::LineageNode;
  using edge_descriptor = pedigree::LineageEdge;
  using directed_category = bidirectional_tag;
  using edge_parallel_category = allow_parallel_edge_tag;
  struct traversal_category : public bidirectional_graph_tag, public vertex_list_graph_tag {};
  using out_edge_iterator = pedigree::LineageEdgeIterator;
  using in_edge_iterator = pedigree::LineageEdgeIterator;
  using vertex_iterator = pedigree::LineageNodeIterator;
  using degree_size_type = uint64_t;
  using vertices_size_type = uint64_t;
  using edges_size_type = uint64_t;
  static vertex_descriptor null_vertex() { return {}; }
};

}  // namespace boost

namespace pedigree {

inline std::pair<LineageEdgeIterator, LineageEdgeIterator> out_edges(LineageNode node,
                                                                     const LineageView& view) {
  return {LineageEdgeIterator(view, node, LineageDirection::kDownstream), {}};
}
inline std::pair<LineageEdgeIterator, LineageEdgeIterator> in_edges(LineageNode node,
                                                                    const LineageView& view) {
  return {LineageEdgeIterator(view, node, LineageDirection::kUpstream), {}};
}
inline LineageNode source(LineageEdge edge, const LineageView& view) {
  return view.source(edge.event);
}
inline LineageNode target(LineageEdge edge, const LineageView& view) {
  return view.target(edge.event);
}
uint64_t out_degree(LineageNode node, const LineageView& view);
uint64_t in_degree(LineageNode node, const LineageView& view);
inline uint64_t degree(LineageNode node, const LineageView& view) {
  return out_degree(node, view) + in_degree(node, view);
}
inline uint64_t num_vertices(const LineageView& view) {
  return uint64_t{view.last_artifact()} + view.last_execution();
}
inline std::pair<LineageNodeIterator, LineageNodeIterator> vertices(const LineageView& view) {
  return {{view.last_artifact(), 0}, {view.last_artifact(), num_vertices(view)}};
}

// A property map whose values are computed.
template <class Key, class Value, Value (*kGet)(const LineageView&, Key)>
struct LineagePropertyMap {
  using key_type = Key;
  using value_type = Value;
  using reference = Value;
  using category = boost::readable_property_map_tag;

  const LineageView* view = nullptr;  // Not owned; outlives this.

  friend Value get(const LineagePropertyMap& map, Key key) { return kGet(*map.view, key); }
};

inline uint64_t VertexIndexOf(const LineageView& view, LineageNode node) {
  return node.is_execution() ? uint64_t{view.last_artifact()} + node.id() - 1
                             : uint64_t{node.id()} - 1;
}
inline NodeKind KindOf(const LineageView&, LineageNode node) { return node.kind(); }
inline uint32_t IdOf(const LineageView&, LineageNode node) { return node.id(); }
inline uint8_t TypeOf(const LineageView& view, LineageEdge edge) {
  return view.ends(edge.event).type;
}

using LineageIndexMap = LineagePropertyMap<LineageNode, uint64_t, &VertexIndexOf>;
using LineageKindMap = LineagePropertyMap<LineageNode, NodeKind, &KindOf>;
using LineageIdMap = LineagePropertyMap<LineageNode, uint32_t, &IdOf>;
using LineageTypeMap = LineagePropertyMap<LineageEdge, uint8_t, &TypeOf>;

inline LineageIndexMap get(boost::vertex_index_t, const LineageView& view) { return {&view}; }
inline LineageKindMap get(node_kind_t, const LineageView& view) { return {&view}; }
inline LineageIdMap get(node_id_t, const LineageView& view) { return {&view}; }
inline LineageTypeMap get(event_type_t, const LineageView& view) { return {&view}; }

}  // namespace pedigree

namespace boost {

template <>
struct property_map<pedigree::LineageView, vertex_index_t> {
  using type = pedigree::LineageIndexMap;
  using const_type = pedigree::LineageIndexMap;
};
template <>
struct property_map<pedigree::LineageView, pedigree::node_kind_t> {
  using type = pedigree::LineageKindMap;
  using const_type = pedigree::LineageKindMap;
};
template <>
struct property_map<pedigree::LineageView, pedigree::node_id_t> {
  using type = pedigree::LineageIdMap;
  using const_type = pedigree::LineageIdMap;
};
template <>
struct property_map<pedigree::LineageView, pedigree::event_type_t> {
  using type = pedigree::LineageTypeMap;
  using const_type = pedigree::LineageTypeMap;
};

}  // namespace boost
