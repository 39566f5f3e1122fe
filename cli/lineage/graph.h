// A lineage as the commands draw it: what pedigree.v1.LineageService/Trace told, put together.
//
// Nodes stand in topological order downstream, but for cycles; edges lead downstream and name their
// nodes by place. Threads: a value; one at a time.
//
//   LineageGraph graph(LineageWay::kUp, {start});
//   for (const auto& part : stream) graph.Add(part);
//   graph.Finish();
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "ml_metadata/proto/metadata_store.pb.h"
#include "pedigree/v1/lineage.pb.h"

namespace pedigree::cli {

// Where a lineage was followed to. kBoth: what the start comes from and what it leads to, and not
// what else came from the same.
enum class LineageWay : uint8_t { kUp, kDown, kBoth };

// "artifact:42"
std::string RefText(const v1::NodeRef& ref);

struct GraphNode {
  explicit GraphNode(v1::TraceResponse::Node node) : told(std::move(node)) {}

  bool is_artifact() const { return told.ref().kind() == v1::ARTIFACT; }
  std::string ref() const { return RefText(told.ref()); }
  const std::string& type() const;
  // What people call it: its display_name or task_name where Kubeflow gave one, else its name, the
  // last part of its uri, or its reference.
  std::string label() const;
  // As stored; "" if there is none.
  const std::string& name() const;
  const std::string& uri() const;  // Of an execution: "".
  std::string state() const;       // "LIVE", "COMPLETE"; "" if none is set.
  int64_t create_ms() const;
  int64_t update_ms() const;
  const google::protobuf::Map<std::string, ml_metadata::Value>& properties() const;
  const google::protobuf::Map<std::string, ml_metadata::Value>& custom_properties() const;

  v1::TraceResponse::Node told;
  bool is_start = false;
};

struct GraphEdge {
  size_t from = 0;  // Places in LineageGraph::nodes().
  size_t to = 0;
  ml_metadata::Event event;
};

class LineageGraph {
 public:
  LineageGraph(LineageWay way, std::vector<v1::NodeRef> starts)
      : way_(way), starts_(std::move(starts)) {}

  // A part of a trace one way; all parts upstream come before those downstream.
  void Add(v1::LineageDirection direction, v1::TraceResponse part);
  // After the last part: orders, and joins events to nodes.
  void Finish();

  LineageWay way() const { return way_; }
  const std::vector<v1::NodeRef>& starts() const { return starts_; }
  const std::vector<GraphNode>& nodes() const { return nodes_; }
  // In the order of their `from`, then as they happened.
  const std::vector<GraphEdge>& edges() const { return edges_; }
  // Edges that lead from, and to, a node: places in edges().
  const std::vector<size_t>& out(size_t node) const { return out_[node]; }
  const std::vector<size_t>& in(size_t node) const { return in_[node]; }
  // Of both ways, if there are two.
  const v1::Completeness& completeness() const { return completeness_; }
  int64_t artifacts() const { return artifacts_; }
  int64_t executions() const { return static_cast<int64_t>(nodes_.size()) - artifacts_; }

 private:
  void AddCompleteness(const v1::Completeness& told);

  LineageWay way_;
  std::vector<v1::NodeRef> starts_;
  std::vector<GraphNode> nodes_;
  std::vector<GraphNode> upstream_;  // Until Finish(): in the order of a trace upstream.
  std::vector<ml_metadata::Event> events_;
  std::vector<GraphEdge> edges_;
  std::vector<std::vector<size_t>> out_;
  std::vector<std::vector<size_t>> in_;
  v1::Completeness completeness_;
  bool has_completeness_ = false;
  int64_t artifacts_ = 0;
};

}  // namespace pedigree::cli
