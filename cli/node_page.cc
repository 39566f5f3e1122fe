#include "cli/node_page.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/facts.h"
#include "cli/node_calls.h"
#include "cli/node_text.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;
using Properties = google::protobuf::Map<std::string, ml_metadata::Value>;

std::string PropertiesText(const std::string& heading, const Properties& properties,
                           const Screen& screen) {
  // A map's order is its own.
  const std::map<std::string, ml_metadata::Value> sorted(properties.begin(), properties.end());
  Facts section(heading);
  for (const auto& [name, value] : sorted) {
    const std::string text = ValueText(value);
    section.Add(name, text.empty() ? "\"\"" : text);
  }
  return section.ToText(screen);
}

std::string ContextsText(const std::string& heading, const std::vector<Context>& contexts,
                         const Screen& screen) {
  Facts section(heading);
  for (const Context& context : contexts) {
    section.Add(absl::StrCat("context:", context.id()),
                absl::StrCat(context.type(), "  ", context.name()));
  }
  return section.ToText(screen);
}

// Columns that are aligned among themselves.
std::string EventsText(const std::vector<EventEnd>& ends, const Screen& screen) {
  std::vector<std::vector<std::string>> rows;
  std::vector<size_t> widths;
  for (const EventEnd& end : ends) {
    const std::string& name = end.name;
    rows.push_back({EventTypeText(end.event), end.ref, Printable(end.type), Printable(name),
                    Printable(PathText(end.event.path())), Printable(end.uri)});
    widths.resize(rows.back().size());
    for (size_t i = 0; i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], WidthOf(rows.back()[i]));
    }
  }
  if (rows.empty()) return "";
  std::string text = absl::StrCat("\n", screen.paint(Colour::kBold, "events"), "\n");
  for (const auto& row : rows) {
    std::string line = "  ";
    for (size_t i = 0; i < widths.size(); ++i) {
      if (widths[i] != 0) absl::StrAppend(&line, PadTo(row[i], widths[i]), "  ");
    }
    while (line.back() == ' ') line.pop_back();
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

std::string UriOf(const Artifact& artifact) { return artifact.uri(); }
template <class Node>
std::string UriOf(const Node&) {
  return "";
}

// How long a step took, once it has ended.
std::string DurationOf(const Execution& execution) {
  if (!HasEnded(execution)) return "";
  return ShortDuration(execution.last_update_time_since_epoch() -
                       execution.create_time_since_epoch());
}
template <class Node>
std::string DurationOf(const Node&) {
  return "";
}

// The ends of a node's events: the artifacts of an execution, the executions of an artifact.
template <class End>
absl::StatusOr<std::vector<EventEnd>> ReadEnds(Connection* connection, const NodeRef& ref,
                                               int64_t (Event::*end_of)() const) {
  const auto events = EventsOf(connection, ref.kind, {ref.id});
  if (!events.ok()) return events.status();
  std::set<int64_t> ids;
  for (const Event& event : *events) ids.insert((event.*end_of)());
  const auto nodes = NodesById<End>(connection, std::vector<int64_t>(ids.begin(), ids.end()));
  if (!nodes.ok()) return nodes.status();
  std::map<int64_t, const End*> by_id;
  for (const End& node : *nodes) by_id[node.id()] = &node;
  std::vector<EventEnd> ends;
  for (const Event& event : *events) {
    const int64_t id = (event.*end_of)();
    EventEnd& end = ends.emplace_back();
    end.event = event;
    end.ref = ToString(NodeRef{TraitsOf<End>::kKind, id});
    if (const auto found = by_id.find(id); found != by_id.end()) {
      end.type = found->second->type();
      end.name = NameOf(*found->second);
      end.uri = UriOf(*found->second);
    }
  }
  return ends;
}

absl::StatusOr<std::vector<EventEnd>> ReadEnds(Connection* connection, const NodeRef& ref) {
  switch (ref.kind) {
    case NodeKind::kArtifact:
      return ReadEnds<Execution>(connection, ref, &Event::execution_id);
    case NodeKind::kExecution:
      return ReadEnds<Artifact>(connection, ref, &Event::artifact_id);
    case NodeKind::kContext:
      break;
  }
  return std::vector<EventEnd>();
}

absl::StatusOr<std::vector<Context>> ReadChildren(Connection* connection, const NodeRef& ref) {
  if (ref.kind != NodeKind::kContext) return std::vector<Context>();
  ml_metadata::GetChildrenContextsByContextRequest request;
  request.set_context_id(ref.id);
  ml_metadata::GetChildrenContextsByContextResponse answer;
  const absl::Status status = connection->Call(
      "/ml_metadata.MetadataStoreService/GetChildrenContextsByContext", request, &answer);
  if (absl::IsNotFound(status)) return std::vector<Context>();
  if (!status.ok()) return status;
  return std::vector<Context>(answer.contexts().begin(), answer.contexts().end());
}

absl::StatusOr<Surroundings> ReadSurroundings(Connection* connection, const NodeRef& ref) {
  Surroundings around;
  auto contexts = ContextsOf(connection, ref.kind, ref.id);
  if (!contexts.ok()) return contexts.status();
  around.contexts = *std::move(contexts);
  auto children = ReadChildren(connection, ref);
  if (!children.ok()) return children.status();
  around.children = *std::move(children);
  auto ends = ReadEnds(connection, ref);
  if (!ends.ok()) return ends.status();
  around.events = *std::move(ends);
  return around;
}

template <class Node>
absl::Status PrintPageOf(Connection* connection, const NodeRef& ref, OutputFormat format) {
  const auto nodes = NodesById<Node>(connection, {ref.id});
  if (!nodes.ok()) return nodes.status();
  if (nodes->empty()) return absl::NotFoundError(absl::StrCat("there is no ", ToString(ref)));
  const auto around = ReadSurroundings(connection, ref);
  if (!around.ok()) return around.status();
  if (format != OutputFormat::kJson) {
    Print(NodePage(nodes->front(), *around, Screen::OfStandardOutput()));
    return absl::OkStatus();
  }
  JsonDocument json;
  json.Add(NameOf(ref.kind), nodes->front());
  json.AddList(ref.kind == NodeKind::kContext ? "parents" : "contexts", around->contexts);
  if (ref.kind == NodeKind::kContext) {
    json.AddList("children", around->children);
  } else {
    json.BeginList("events");
    for (const EventEnd& end : around->events) json.AddToList(end.event);
    json.EndList();
  }
  return PrintJson(json);
}

}  // namespace

template <class Node>
std::string NodePage(const Node& node, const Surroundings& around, const Screen& screen) {
  constexpr bool is_context = TraitsOf<Node>::kKind == NodeKind::kContext;
  const std::string state = StateText(node);
  std::string text =
      screen.paint(Colour::kBold, ToString(NodeRef{TraitsOf<Node>::kKind, node.id()}));
  absl::StrAppend(&text, "  ", Printable(node.type()));
  if (!state.empty()) absl::StrAppend(&text, "  ", screen.paint(ColourOfState(state), state));
  text.push_back('\n');
  Facts facts;
  facts.Add("name", node.name());
  if (NameOf(node) != node.name()) facts.Add("called", NameOf(node));
  facts.Add("uri", UriOf(node));
  facts.Add("external id", node.external_id());
  facts.Add("type id", absl::StrCat(node.type_id()));
  facts.Add("created", screen.Time(node.create_time_since_epoch()));
  facts.Add("updated", screen.Time(node.last_update_time_since_epoch()));
  facts.Add("took", DurationOf(node));
  absl::StrAppend(
      &text, facts.ToText(screen), PropertiesText("properties", node.properties(), screen),
      PropertiesText("custom properties", node.custom_properties(), screen),
      ContextsText(is_context ? "parents" : "contexts", around.contexts, screen),
      ContextsText("children", around.children, screen), EventsText(around.events, screen));
  return text;
}

template std::string NodePage(const Artifact&, const Surroundings&, const Screen&);
template std::string NodePage(const Execution&, const Surroundings&, const Screen&);
template std::string NodePage(const Context&, const Surroundings&, const Screen&);

absl::Status PrintNodePage(Connection* connection, const NodeRef& ref, OutputFormat format) {
  switch (ref.kind) {
    case NodeKind::kArtifact:
      return PrintPageOf<Artifact>(connection, ref, format);
    case NodeKind::kExecution:
      return PrintPageOf<Execution>(connection, ref, format);
    case NodeKind::kContext:
      break;
  }
  return PrintPageOf<Context>(connection, ref, format);
}

}  // namespace pedigree::cli
