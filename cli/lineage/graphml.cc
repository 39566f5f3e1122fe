#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/graphml.hpp>
#include <map>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "cli/lineage/render.h"
#include "cli/node_text.h"

namespace pedigree::cli {
namespace {

struct Vertex {
  std::string kind;
  int64_t id = 0;
  std::string name;
  std::string type;
  std::string uri;
  std::string state;
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  int64_t hops = 0;
  bool is_start = false;
  std::string properties;
};

struct Arc {
  std::string event;
  std::string path;
  int64_t ms = 0;
};

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS, Vertex, Arc>;

// An object of JSON, properties by name; "" if there are none.
std::string PropertiesOf(const GraphNode& node) {
  std::map<std::string, std::string> shown;
  for (const auto& [name, value] : node.properties()) shown[name] = ValueText(value);
  for (const auto& [name, value] : node.custom_properties()) {
    shown[absl::StrCat("custom:", name)] = ValueText(value);
  }
  std::string text;
  for (const auto& [name, value] : shown) {
    absl::StrAppend(&text, text.empty() ? "{" : ", ", JsonForHtml(name), ": ", JsonForHtml(value));
  }
  return text.empty() ? text : absl::StrCat(text, "}");
}

// Boost escapes the markup.
std::string Held(absl::string_view text) { return PrintableInXml(text); }

Vertex VertexOf(const GraphNode& node) {
  return {.kind = node.is_artifact() ? "artifact" : "execution",
          .id = node.told.ref().id(),
          .name = Held(node.label()),
          .type = Held(node.type()),
          .uri = Held(node.uri()),
          .state = node.state(),
          .created_ms = node.create_ms(),
          .updated_ms = node.update_ms(),
          .hops = node.told.hops(),
          .is_start = node.is_start,
          .properties = Held(PropertiesOf(node))};
}

}  // namespace

std::string PrintableInXml(absl::string_view text) {
  return absl::StrReplaceAll(Printable(text), {{"\uFFFE", "\uFFFD"}, {"\uFFFF", "\uFFFD"}});
}

std::string RenderGraphml(const LineageGraph& graph) {
  Graph drawn;
  for (const GraphNode& node : graph.nodes()) boost::add_vertex(VertexOf(node), drawn);
  for (const GraphEdge& edge : graph.edges()) {
    boost::add_edge(edge.from, edge.to,
                    Arc{.event = ml_metadata::Event::Type_Name(edge.event.type()),
                        .path = Held(PathText(edge.event.path())),
                        .ms = edge.event.milliseconds_since_epoch()},
                    drawn);
  }
  boost::dynamic_properties fields;
  fields.property("kind", boost::get(&Vertex::kind, drawn));
  fields.property("id", boost::get(&Vertex::id, drawn));
  fields.property("name", boost::get(&Vertex::name, drawn));
  fields.property("type", boost::get(&Vertex::type, drawn));
  fields.property("uri", boost::get(&Vertex::uri, drawn));
  fields.property("state", boost::get(&Vertex::state, drawn));
  fields.property("created_ms", boost::get(&Vertex::created_ms, drawn));
  fields.property("updated_ms", boost::get(&Vertex::updated_ms, drawn));
  fields.property("hops", boost::get(&Vertex::hops, drawn));
  fields.property("is_start", boost::get(&Vertex::is_start, drawn));
  fields.property("properties", boost::get(&Vertex::properties, drawn));
  fields.property("event", boost::get(&Arc::event, drawn));
  fields.property("path", boost::get(&Arc::path, drawn));
  fields.property("ms", boost::get(&Arc::ms, drawn));
  std::ostringstream text;
  boost::write_graphml(text, drawn, fields, /*ordered_vertices=*/true);
  return std::move(text).str();
}

}  // namespace pedigree::cli
