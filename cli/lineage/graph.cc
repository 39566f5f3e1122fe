#include "cli/lineage/graph.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/node_text.h"

namespace pedigree::cli {
namespace {

using NodeKey = std::pair<int, int64_t>;
using ml_metadata::Event;

NodeKey KeyOf(const v1::NodeRef& ref) { return {ref.kind(), ref.id()}; }

// What makes an event one that was told before, by a trace the other way.
std::string IdentityOf(const Event& event) {
  return absl::StrCat(event.artifact_id(), " ", event.execution_id(), " ", event.type(), " ",
                      event.milliseconds_since_epoch(), " ", PathText(event.path()));
}

const std::string& Empty() {
  static const auto* const empty = new std::string;
  return *empty;
}

absl::string_view LastPart(absl::string_view uri) {
  while (absl::ConsumeSuffix(&uri, "/")) {
  }
  return uri.substr(uri.rfind('/') + 1);  // All of it without a slash: npos + 1 is 0.
}

}  // namespace

std::string RefText(const v1::NodeRef& ref) {
  const char* kind = ref.kind() == v1::ARTIFACT    ? "artifact"
                     : ref.kind() == v1::EXECUTION ? "execution"
                                                   : "context";
  return absl::StrCat(kind, ":", ref.id());
}

const std::string& GraphNode::type() const {
  if (told.has_artifact()) return told.artifact().type();
  return told.has_execution() ? told.execution().type() : Empty();
}

const std::string& GraphNode::name() const {
  if (told.has_artifact()) return told.artifact().name();
  return told.has_execution() ? told.execution().name() : Empty();
}

const std::string& GraphNode::uri() const {
  return told.has_artifact() ? told.artifact().uri() : Empty();
}

std::string GraphNode::label() const {
  const std::string named =
      told.has_artifact() ? NameOf(told.artifact()) : NameOf(told.execution());
  if (!named.empty()) return named;
  const absl::string_view last = LastPart(uri());
  return last.empty() ? ref() : std::string(last);
}

std::string GraphNode::state() const {
  if (told.has_artifact() && told.artifact().state() != ml_metadata::Artifact::UNKNOWN) {
    return ml_metadata::Artifact::State_Name(told.artifact().state());
  }
  if (told.has_execution() &&
      told.execution().last_known_state() != ml_metadata::Execution::UNKNOWN) {
    return ml_metadata::Execution::State_Name(told.execution().last_known_state());
  }
  return "";
}

int64_t GraphNode::create_ms() const {
  return told.has_artifact() ? told.artifact().create_time_since_epoch()
                             : told.execution().create_time_since_epoch();
}

int64_t GraphNode::update_ms() const {
  return told.has_artifact() ? told.artifact().last_update_time_since_epoch()
                             : told.execution().last_update_time_since_epoch();
}

const google::protobuf::Map<std::string, ml_metadata::Value>& GraphNode::properties() const {
  return told.has_artifact() ? told.artifact().properties() : told.execution().properties();
}

const google::protobuf::Map<std::string, ml_metadata::Value>& GraphNode::custom_properties() const {
  return told.has_artifact() ? told.artifact().custom_properties()
                             : told.execution().custom_properties();
}

void LineageGraph::AddCompleteness(const v1::Completeness& told) {
  if (!has_completeness_) {
    completeness_ = told;
    has_completeness_ = true;
    return;
  }
  if (completeness_.reason().empty()) completeness_.set_reason(told.reason());
  completeness_.set_complete(completeness_.complete() && told.complete());
  completeness_.set_has_cycle(completeness_.has_cycle() || told.has_cycle());
  completeness_.set_bodies_are_of_now(completeness_.bodies_are_of_now() ||
                                      told.bodies_are_of_now());
}

void LineageGraph::Add(v1::LineageDirection direction, v1::TraceResponse part) {
  auto& nodes = direction == v1::UPSTREAM ? upstream_ : nodes_;
  for (auto& node : *part.mutable_nodes()) nodes.emplace_back(std::move(node));
  for (auto& event : *part.mutable_events()) events_.push_back(std::move(event));
  if (part.has_completeness()) AddCompleteness(part.completeness());
}

void LineageGraph::Finish() {
  // Upstream a start comes before what it was made from.
  std::reverse(upstream_.begin(), upstream_.end());
  std::vector<GraphNode> downstream = std::exchange(nodes_, std::move(upstream_));
  absl::flat_hash_map<NodeKey, size_t> places;
  const auto place = [&](size_t i) {
    return places.emplace(KeyOf(nodes_[i].told.ref()), i).second;
  };
  for (size_t i = 0; i < nodes_.size(); ++i) place(i);
  for (GraphNode& node : downstream) {
    const auto found = places.find(KeyOf(node.told.ref()));
    if (found == places.end()) {
      nodes_.push_back(std::move(node));
      place(nodes_.size() - 1);
    } else {  // A start, or in a cycle with one.
      auto& told = nodes_[found->second].told;
      told.set_hops(std::min(told.hops(), node.told.hops()));
      told.set_in_cycle(told.in_cycle() || node.told.in_cycle());
    }
  }
  for (const v1::NodeRef& start : starts_) {
    if (const auto found = places.find(KeyOf(start)); found != places.end()) {
      nodes_[found->second].is_start = true;
    }
  }
  artifacts_ = std::count_if(nodes_.begin(), nodes_.end(),
                             [](const GraphNode& node) { return node.is_artifact(); });

  absl::flat_hash_set<std::string> seen;
  for (Event& event : events_) {
    const auto artifact = places.find(NodeKey{v1::ARTIFACT, event.artifact_id()});
    const auto execution = places.find(NodeKey{v1::EXECUTION, event.execution_id()});
    if (artifact == places.end() || execution == places.end()) continue;
    if (way_ == LineageWay::kBoth && !seen.insert(IdentityOf(event)).second) continue;
    GraphEdge edge = {.from = artifact->second, .to = execution->second, .event = {}};
    if (!IsInput(event.type())) std::swap(edge.from, edge.to);
    edge.event = std::move(event);
    edges_.push_back(std::move(edge));
  }
  std::stable_sort(edges_.begin(), edges_.end(),
                   [](const GraphEdge& a, const GraphEdge& b) { return a.from < b.from; });
  out_.resize(nodes_.size());
  in_.resize(nodes_.size());
  for (size_t i = 0; i < edges_.size(); ++i) {
    out_[edges_[i].from].push_back(i);
    in_[edges_[i].to].push_back(i);
  }
  events_.clear();
}

}  // namespace pedigree::cli
