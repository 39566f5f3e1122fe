#include "tests/query/lineage_oracle.h"

#include "absl/strings/str_cat.h"

namespace pedigree {
namespace {

using ml_metadata::Event;

bool PointsToArtifact(Event::Type type) {
  return type == Event::DECLARED_OUTPUT || type == Event::OUTPUT ||
         type == Event::INTERNAL_OUTPUT || type == Event::PENDING_OUTPUT;
}

OracleRef ArtifactOf(const OracleEvent& event) { return {NodeKind::kArtifact, event.artifact}; }
OracleRef ExecutionOf(const OracleEvent& event) { return {NodeKind::kExecution, event.execution}; }

bool Exists(const OracleLineage& lineage, const OracleQuestion& question, OracleRef node) {
  const auto found = lineage.nodes.find(node);
  return found != lineage.nodes.end() &&
         (!question.as_of_ms.has_value() || found->second <= *question.as_of_ms);
}

// Where the event leads from this node; nullopt if it leads nowhere in the question's direction.
std::optional<OracleRef> LeadsTo(const OracleQuestion& question, const OracleEvent& event,
                                 OracleRef from) {
  OracleRef tail = ArtifactOf(event);
  OracleRef head = ExecutionOf(event);
  if (PointsToArtifact(event.type)) std::swap(tail, head);
  if (question.is_downstream && from == tail) return head;
  if (question.is_upstream && from == head) return tail;
  return std::nullopt;
}

std::string NameOf(OracleRef node) {
  return absl::StrCat(node.first == NodeKind::kArtifact ? "a" : "x", node.second);
}

std::string NamesOf(const std::set<OracleRef>& nodes) {
  std::string text;
  for (const OracleRef& node : nodes) absl::StrAppend(&text, " ", NameOf(node));
  return text;
}

}  // namespace

bool ExistsByDefinition(const OracleLineage& lineage, const OracleQuestion& question,
                        const OracleEvent& event) {
  if (!Exists(lineage, question, ArtifactOf(event))) return false;
  if (!Exists(lineage, question, ExecutionOf(event))) return false;
  if (question.event_types.has_value() && question.event_types->count(event.type) == 0) {
    return false;
  }
  return !question.as_of_ms.has_value() || event.time_ms <= *question.as_of_ms;
}

OracleWalk WalkByDefinition(const OracleLineage& lineage, const OracleQuestion& question) {
  OracleWalk walk;
  std::set<OracleRef> at_hop;
  for (const OracleRef& start : question.starts) {
    if (Exists(lineage, question, start) && question.left_out.count(start) == 0) {
      at_hop.insert(start);
    }
  }
  for (int64_t hop = 0; !at_hop.empty(); ++hop) {
    std::set<OracleRef> next;
    for (const OracleRef& node : at_hop) walk.hops[node] = hop;
    for (const OracleRef& node : at_hop) {
      if (question.stops.count(node) > 0) continue;
      if (question.max_hops.has_value() && hop >= *question.max_hops) {
        walk.is_cut_by_hops = true;
        continue;
      }
      walk.expanded.insert(node);
      for (size_t i = 0; i < lineage.events.size(); ++i) {
        const OracleEvent& event = lineage.events[i];
        const std::optional<OracleRef> to = LeadsTo(question, event, node);
        if (!to.has_value() || !ExistsByDefinition(lineage, question, event)) continue;
        if (question.left_out.count(*to) > 0) continue;
        walk.traversed.insert(i);
        if (walk.hops.count(*to) == 0) next.insert(*to);
      }
    }
    at_hop = next;
  }
  return walk;
}

std::string OracleLineage::ToString() const {
  std::string text = "nodes:";
  for (const auto& [node, created] : nodes) {
    absl::StrAppend(&text, " ", NameOf(node), "@", created);
  }
  absl::StrAppend(&text, "\nevents:");
  for (const OracleEvent& event : events) {
    absl::StrAppend(&text, " ", NameOf(ArtifactOf(event)), "-", NameOf(ExecutionOf(event)), ":",
                    Event::Type_Name(event.type), "@", event.time_ms);
  }
  return text;
}

std::string OracleQuestion::ToString() const {
  std::string text = absl::StrCat("starts:", NamesOf(starts), is_upstream ? ", upstream" : "",
                                  is_downstream ? ", downstream" : "");
  if (max_hops.has_value()) absl::StrAppend(&text, ", hops: ", *max_hops);
  if (event_types.has_value()) {
    absl::StrAppend(&text, ", types:");
    for (const int type : *event_types) absl::StrAppend(&text, " ", type);
  }
  absl::StrAppend(&text, ", stops:", NamesOf(stops), ", left out:", NamesOf(left_out));
  if (as_of_ms.has_value()) absl::StrAppend(&text, ", as of: ", *as_of_ms);
  return text;
}

}  // namespace pedigree
