#include "query/lineage_links.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store.pb.h"
#include "store/record.h"
#include "store/wire.h"

namespace pedigree {
namespace {

using ml_metadata::Event;

// The path of a stored event: keys with dots between them, indexes in brackets ("examples[0]",
// "metrics.loss"); "" for none. Nullopt if the bytes are no event.
std::optional<std::string> PathOf(absl::string_view bytes) {
  absl::string_view path_bytes;
  WireCursor cursor(bytes);
  while (const auto field = cursor.Next()) {
    if (field->number == Event::kPathFieldNumber) path_bytes = field->bytes;
  }
  Event::Path path;
  if (!cursor.ok() ||
      !path.ParseFromArray(path_bytes.data(), static_cast<int>(path_bytes.size()))) {
    return std::nullopt;
  }
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

}  // namespace

absl::Status LineageLinks::Learn(int64_t hop, std::vector<LineageNode> nodes) {
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  nodes.erase(std::remove_if(nodes.begin(), nodes.end(),
                             [&](LineageNode node) { return facts_.contains(node); }),
              nodes.end());
  if (nodes.empty()) return absl::OkStatus();
  std::vector<LineageVerdict> verdicts(nodes.size(), LineageVerdict::kGoOn);
  absl::Status status = judge_(hop, nodes, absl::MakeSpan(verdicts));
  if (!status.ok()) return status;
  for (size_t i = 0; i < nodes.size(); ++i) facts_[nodes[i]].verdict = verdicts[i];
  status = ReadFacts(NodeKind::kArtifact, nodes);
  return status.ok() ? ReadFacts(NodeKind::kExecution, nodes) : status;
}

absl::Status LineageLinks::ReadFacts(NodeKind kind, const std::vector<LineageNode>& nodes) {
  std::vector<int64_t> ids;
  for (LineageNode node : nodes) {
    if (node.kind() == kind && FactsOf(node).verdict != LineageVerdict::kLeaveOut) {
      ids.push_back(node.id());
    }
  }
  if (ids.empty()) return absl::OkStatus();
  absl::Status damage;
  absl::Status status = reader_.VisitRecords(kind, ids, [&](int64_t id, const RecordView& record) {
    const std::optional<NodePeek> node = PeekNode(kind, record.message());
    if (!node.has_value()) {
      damage = DamagedRecord(NameOf(kind), id);
      return;
    }
    LineageNodeFacts& facts = facts_[LineageNode::Of(kind, static_cast<uint32_t>(id))];
    facts.type_id = node->type_id;
    facts.type = reader_.catalog().TypeName(kind, node->type_id);
    if (node->name.has_value()) facts.name = std::string(*node->name);
  });
  return status.ok() ? damage : status;
}

absl::Status LineageLinks::Load(int64_t hop, absl::Span<const LineageNode> nodes) {
  links_.clear();
  paths_.clear();
  absl::Status status = FindLinks(nodes);
  if (!status.ok()) return status;
  std::vector<LineageNode> found;
  for (const auto& [node, links] : links_) {
    for (const LineageLink& link : links) found.push_back(link.from);
  }
  status = Learn(hop, std::move(found));
  if (!status.ok()) return status;
  DropLeftOut();
  for (const auto& [node, links] : links_) {
    for (const LineageLink& link : links) paths_[KeyOf(node, link)];
  }
  status = ReadPaths();
  if (!status.ok()) return status;
  for (auto& [node, links] : links_) {
    for (LineageLink& link : links) link.path = paths_.at(KeyOf(node, link));
  }
  return absl::OkStatus();
}

LineageLinks::EventKey LineageLinks::KeyOf(LineageNode node, const LineageLink& link) {
  const LineageNode artifact = node.is_execution() ? link.from : node;
  const LineageNode execution = node.is_execution() ? node : link.from;
  return {artifact.id(), execution.id(), link.event_type};
}

void LineageLinks::DropLeftOut() {
  for (auto& [node, links] : links_) {
    links.erase(std::remove_if(links.begin(), links.end(),
                               [&](const LineageLink& link) {
                                 return FactsOf(link.from).verdict == LineageVerdict::kLeaveOut;
                               }),
                links.end());
  }
}

absl::Status LineageLinks::FindLinks(absl::Span<const LineageNode> nodes) {
  for (LineageNode node : nodes) {
    const auto [it, is_new] = links_.try_emplace(node);
    if (!is_new) continue;
    std::vector<LineageLink>& links = it->second;
    int64_t events = 0;
    view_.VisitNeighbours(node, LineageDirection::kUpstream, [&](uint32_t event, LineageNode from) {
      ++events;
      const uint8_t type = view_.ends(event).type;
      if ((options_.event_types >> type & 1) != 0) links.push_back({from, type, ""});
    });
    if (absl::Status status = reader_.Spend(1 + events / 8); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// One key for each: an artifact may have a million readers, an execution a million outputs.
absl::Status LineageLinks::ReadPaths() {
  std::vector<EventEnds> events;
  events.reserve(paths_.size());
  for (const auto& [key, path] : paths_) {
    events.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key)});
  }
  const auto key_of = [](const EventEnds& ends) {
    return EventKey(ends.artifact, ends.execution, ends.type);
  };
  std::sort(events.begin(), events.end(),
            [&](const EventEnds& x, const EventEnds& y) { return key_of(x) < key_of(y); });
  absl::Status damage;
  absl::Status status = reader_.VisitEvents(events, [&](size_t i, absl::string_view bytes) {
    const std::optional<std::string> path = PathOf(bytes);
    if (path.has_value()) {
      paths_[key_of(events[i])] = *path;
    } else {
      damage = DamagedRecord("an event of execution", events[i].execution);
    }
  });
  return status.ok() ? damage : status;
}

}  // namespace pedigree
