#include "tests/server/lineage_service_oracle.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/query/compare_walk.h"

namespace pedigree {
namespace {

using ml_metadata::Event;
using Fields = std::map<std::string, std::string>;

std::string IdFilter(const std::set<OracleRef>& nodes, NodeKind kind, absl::string_view op) {
  std::vector<int64_t> ids;
  for (const auto& [node_kind, id] : nodes) {
    if (node_kind == kind) ids.push_back(id);
  }
  return ids.empty() ? "" : absl::StrCat("id ", op, " (", absl::StrJoin(ids, ", "), ")");
}

v1::Completeness CompletenessOf(const OracleQuestion& question, bool is_cut, bool has_cycle) {
  v1::Completeness completeness;
  completeness.set_complete(!is_cut);
  completeness.set_has_cycle(has_cycle);
  completeness.set_bodies_are_of_now(question.as_of_ms.has_value());
  return completeness;
}

// What is compared of a node, as JSON.
template <class Node>
Fields FieldsOf(const GraphNodes& nodes, const Node& node) {
  Fields fields = {{"0 type", absl::StrCat("\"", node.type(), "\"")}};
  const std::string& version = nodes.TypeVersionOf(node.type_id());
  if (!version.empty()) fields["1 type.version"] = absl::StrCat("\"", version, "\"");
  if constexpr (std::is_same_v<Node, ml_metadata::Artifact>) {
    if (node.has_uri()) fields["2 uri"] = absl::StrCat("\"", node.uri(), "\"");
  }
  for (const auto& [name, value] : node.custom_properties()) {
    fields[absl::StrCat("3 custom_properties.", name)] = absl::StrCat(value.int_value());
  }
  return fields;
}
Fields FieldsOf(const GraphNodes& nodes, OracleRef node) {
  return node.first == NodeKind::kArtifact ? FieldsOf(nodes, nodes.artifact(node.second))
                                           : FieldsOf(nodes, nodes.execution(node.second));
}

// In the order of the numbers before the names.
std::vector<v1::CompareResponse::Value> DifferencesOf(const Fields& a, const Fields& b) {
  std::set<std::string> names;
  for (const Fields* fields : {&a, &b}) {
    for (const auto& [name, value] : *fields) names.insert(name);
  }
  std::vector<v1::CompareResponse::Value> differences;
  for (const std::string& name : names) {
    v1::CompareResponse::Value difference;
    difference.set_field(name.substr(2));
    if (a.count(name) > 0) difference.set_a(a.at(name));
    if (b.count(name) > 0) difference.set_b(b.at(name));
    const bool is_equal = difference.has_a() && difference.has_b() && a.at(name) == b.at(name);
    if (!is_equal) differences.push_back(std::move(difference));
  }
  return differences;
}

// Adds what is expected in the order of the answer, where that may choose among equal hops; what it
// has not comes last.
template <class Key, class Messages, class KeyOf, class Add>
void AddInOrderOf(const Messages& actual, std::map<Key, ExpectedComparison::Found> expected,
                  KeyOf key_of, Add add) {
  int64_t hops = 0;
  for (const auto& message : actual) {
    const auto it = expected.find(key_of(message));
    if (it == expected.end() || it->second.hops < hops) continue;
    hops = it->second.hops;
    const auto& ways = it->second.ways;
    add(it->first, hops, ways.count(message.way()) > 0 ? message.way() : *ways.begin());
    expected.erase(it);
  }
  for (const auto& [key, found] : expected) add(key, found.hops, *found.ways.begin());
}

OracleRef RefOf(const v1::NodeRef& ref) {
  return {ref.kind() == v1::ARTIFACT ? NodeKind::kArtifact : NodeKind::kExecution, ref.id()};
}

}  // namespace

v1::NodeRef MessageOf(OracleRef node) {
  v1::NodeRef ref;
  ref.set_kind(node.first == NodeKind::kArtifact ? v1::ARTIFACT : v1::EXECUTION);
  ref.set_id(node.second);
  return ref;
}

v1::LineageScope ScopeMessageOf(const OracleQuestion& question) {
  v1::LineageScope scope;
  if (question.max_hops.has_value()) scope.set_max_hops(*question.max_hops);
  for (const int type : question.event_types.value_or(std::set<int>())) {
    scope.add_event_types(static_cast<v1::LineageScope::EventType>(type));
  }
  scope.set_artifact_filter(IdFilter(question.left_out, NodeKind::kArtifact, "NOT IN"));
  scope.set_execution_filter(IdFilter(question.left_out, NodeKind::kExecution, "NOT IN"));
  scope.set_stop_artifacts(IdFilter(question.stops, NodeKind::kArtifact, "IN"));
  scope.set_stop_executions(IdFilter(question.stops, NodeKind::kExecution, "IN"));
  if (question.as_of_ms.has_value()) scope.set_as_of_ms(*question.as_of_ms);
  return scope;
}

v1::LineageDirection DirectionMessageOf(const OracleQuestion& question) {
  if (!question.is_upstream) return v1::DOWNSTREAM;
  return question.is_downstream ? v1::BOTH : v1::UPSTREAM;
}

v1::LineageStart StartMessageOf(const OracleQuestion& question, StartBy start_by) {
  v1::LineageStart start;
  if (start_by == StartBy::kFilter) {
    start.set_artifact_filter(IdFilter(question.starts, NodeKind::kArtifact, "IN"));
    start.set_execution_filter(IdFilter(question.starts, NodeKind::kExecution, "IN"));
  } else {
    for (const OracleRef& node : question.starts) *start.add_nodes() = MessageOf(node);
  }
  return start;
}

OracleQuestion Askable(OracleQuestion question) {
  for (const OracleRef& start : question.starts) question.left_out.erase(start);
  if (question.event_types.has_value() && question.event_types->empty()) {
    question.event_types.reset();
  }
  return question;
}

bool Exists(const OracleLineage& lineage, const OracleQuestion& question, OracleRef node) {
  OracleQuestion alone = question;
  alone.starts = {node};
  alone.left_out.clear();
  return !WalkByDefinition(lineage, alone).hops.empty();
}

v1::TraceResponse::Node LineageServiceOracle::MessageOf(const LineageTraceNode& node,
                                                        v1::TraceRequest::Content content) const {
  v1::TraceResponse::Node message;
  *message.mutable_ref() = pedigree::MessageOf(OracleRefOf(node.node));
  message.set_hops(node.hops);
  message.set_in_cycle(node.in_cycle);
  message.set_is_boundary(node.is_boundary);
  if (content == v1::TraceRequest::IDS) return message;
  if (node.node.is_execution()) {
    *message.mutable_execution() = nodes_.execution(node.node.id());
  } else {
    *message.mutable_artifact() = nodes_.artifact(node.node.id());
  }
  return message;
}

Event LineageServiceOracle::MessageOf(uint32_t event, v1::TraceRequest::Content content) const {
  const OracleEvent& given = lineage_.events[event - 1];
  if (content == v1::TraceRequest::BODIES) return nodes_.event(given);
  Event message;
  message.set_artifact_id(given.artifact);
  message.set_execution_id(given.execution);
  message.set_type(given.type);
  message.set_milliseconds_since_epoch(given.time_ms);
  return message;
}

v1::TraceResponse LineageServiceOracle::Trace(const ExpectedTrace& trace, size_t begin, size_t end,
                                              v1::TraceRequest::Content content) const {
  v1::TraceResponse response;
  std::vector<uint32_t> events;
  for (size_t place = begin; place < end; ++place) {
    *response.add_nodes() = MessageOf(trace.nodes[place], content);
    events.insert(events.end(), trace.events[place].begin(), trace.events[place].end());
  }
  std::sort(events.begin(), events.end());
  for (const uint32_t event : events) *response.add_events() = MessageOf(event, content);
  return response;
}

v1::FindPathsResponse LineageServiceOracle::FindPaths(const OracleQuestion& question, OracleRef to,
                                                      size_t max_paths,
                                                      v1::TraceRequest::Content content) const {
  v1::FindPathsResponse response;
  const OracleRef from = *question.starts.begin();
  if (from == to) {
    *response.add_paths()->add_nodes() = MessageOf({.node = NodeOf(from)}, content);
    *response.mutable_completeness() = CompletenessOf(question, false, false);
    return response;
  }
  // Looked at is what follows from the one and leads to the other, if through what is left out.
  OracleQuestion leading = question;
  leading.starts = {to};
  leading.is_upstream = true;
  leading.is_downstream = false;
  leading.stops.clear();
  leading.left_out.clear();
  const OracleWalk leads_there = WalkByDefinition(lineage_, leading);
  OracleQuestion between = question;
  for (const auto& [node, created] : lineage_.nodes) {
    if (leads_there.hops.count(node) == 0) between.left_out.insert(node);
  }
  const WalkedGraph graph(lineage_, between);
  const auto paths = PathsByDefinition(lineage_, question, to);
  for (const ExpectedPath& path : paths) {
    if (static_cast<size_t>(response.paths_size()) == max_paths) break;
    auto* message = response.add_paths();
    for (const LineageNode node : path.nodes) {
      *message->add_nodes() = MessageOf(graph.Told(OracleRefOf(node)), content);
    }
    for (const uint32_t event : path.events) *message->add_events() = MessageOf(event, content);
  }
  const bool has_cycle = graph.walk().hops.count(to) > 0 && graph.HasCycle();
  *response.mutable_completeness() = CompletenessOf(question, paths.size() > max_paths, has_cycle);
  return response;
}

v1::ImpactResponse LineageServiceOracle::Impact(const OracleQuestion& question,
                                                size_t max_contexts) const {
  const WalkedGraph graph(lineage_, question);
  v1::ImpactResponse response;
  std::map<std::pair<NodeKind, int64_t>, v1::ImpactResponse::TypeCount> types;
  std::map<int64_t, v1::ImpactResponse::ContextCount> contexts;
  const auto count_type = [&](NodeKind kind, const auto& node) {
    auto& type = types[{kind, node.type_id()}];
    type.set_kind(kind == NodeKind::kArtifact ? v1::ARTIFACT : v1::EXECUTION);
    type.set_type_id(node.type_id());
    type.set_type(node.type());
    type.set_count(type.count() + 1);
  };
  for (const auto& [node, hops] : graph.walk().hops) {
    if (hops == 0) continue;
    const bool is_artifact = node.first == NodeKind::kArtifact;
    is_artifact ? response.set_artifacts(response.artifacts() + 1)
                : response.set_executions(response.executions() + 1);
    response.set_max_hops(std::max(response.max_hops(), hops));
    is_artifact ? count_type(node.first, nodes_.artifact(node.second))
                : count_type(node.first, nodes_.execution(node.second));
    for (const int64_t id : nodes_.ContextsOf(node)) {
      auto& context = contexts[id];
      context.set_context_id(id);
      context.set_name(nodes_.context(id).name());
      context.set_type(nodes_.context(id).type());
      is_artifact ? context.set_artifacts(context.artifacts() + 1)
                  : context.set_executions(context.executions() + 1);
    }
  }
  // The most first; the maps have the order of ties.
  std::multimap<int64_t, v1::ImpactResponse::TypeCount> types_by_count;
  for (const auto& [key, type] : types) types_by_count.emplace(-type.count(), type);
  for (const auto& [count, type] : types_by_count) *response.add_types() = type;
  std::multimap<int64_t, v1::ImpactResponse::ContextCount> contexts_by_count;
  for (const auto& [id, context] : contexts) {
    contexts_by_count.emplace(-context.artifacts() - context.executions(), context);
  }
  for (const auto& [count, context] : contexts_by_count) {
    if (static_cast<size_t>(response.contexts_size()) < max_contexts) {
      *response.add_contexts() = context;
    }
  }
  response.set_contexts_in_all(static_cast<int64_t>(contexts.size()));
  *response.mutable_completeness() =
      CompletenessOf(question, graph.walk().is_cut_by_hops, graph.HasCycle());
  return response;
}

v1::OriginsResponse LineageServiceOracle::Origins(const OracleQuestion& question,
                                                  v1::TraceRequest::Content content) const {
  const ExpectedOrigins origins = OriginsByDefinition(lineage_, question);
  v1::OriginsResponse response;
  for (const auto& node : origins.sources) *response.add_sources() = MessageOf(node, content);
  for (const auto& node : origins.dominators) *response.add_dominators() = MessageOf(node, content);
  response.set_artifacts(origins.artifacts);
  response.set_executions(origins.executions);
  *response.mutable_completeness() =
      CompletenessOf(question, origins.is_cut_by_hops, origins.has_cycle);
  return response;
}

v1::CompareResponse LineageServiceOracle::Compare(const OracleQuestion& question, OracleRef a,
                                                  OracleRef b,
                                                  const v1::CompareResponse& actual) const {
  using Pair = std::pair<OracleRef, OracleRef>;
  ExpectedComparison comparison = ComparisonByDefinition(nodes_, lineage_, question, a, b);
  v1::CompareResponse response;
  std::map<Pair, ExpectedComparison::Found> differing;
  for (const auto& [pair, found] : comparison.pairs) {
    if (DifferencesOf(FieldsOf(nodes_, pair.first), FieldsOf(nodes_, pair.second)).empty()) {
      response.set_equal_pairs(response.equal_pairs() + 1);
    } else {
      differing[pair] = found;
    }
  }
  AddInOrderOf(
      actual.differing(), differing,
      [](const auto& message) { return Pair(RefOf(message.a()), RefOf(message.b())); },
      [&](const Pair& pair, int64_t hops, const std::string& way) {
        auto* message = response.add_differing();
        *message->mutable_a() = pedigree::MessageOf(pair.first);
        *message->mutable_b() = pedigree::MessageOf(pair.second);
        message->set_way(way);
        message->set_hops(hops);
        for (auto& difference :
             DifferencesOf(FieldsOf(nodes_, pair.first), FieldsOf(nodes_, pair.second))) {
          *message->add_differences() = std::move(difference);
        }
      });
  const auto add_singles = [&](const auto& actual_singles, const auto& expected, auto* singles) {
    AddInOrderOf(
        actual_singles, expected, [](const auto& message) { return RefOf(message.ref()); },
        [&](const OracleRef& node, int64_t hops, const std::string& way) {
          auto* message = singles->Add();
          *message->mutable_ref() = pedigree::MessageOf(node);
          message->set_way(way);
          message->set_hops(hops);
          const auto describe = [&](const auto& body) {
            message->set_name(body.name());
            message->set_type(body.type());
          };
          node.first == NodeKind::kArtifact ? describe(nodes_.artifact(node.second))
                                            : describe(nodes_.execution(node.second));
        });
  };
  add_singles(actual.only_a(), comparison.only_a, response.mutable_only_a());
  add_singles(actual.only_b(), comparison.only_b, response.mutable_only_b());
  response.set_shared_nodes(static_cast<int64_t>(comparison.shared.size()));
  *response.mutable_completeness() =
      CompletenessOf(question, comparison.is_cut_by_hops, comparison.has_cycle);
  return response;
}

}  // namespace pedigree
