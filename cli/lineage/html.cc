#include <openssl/sha.h>

#include <map>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "cli/lineage/html_parts.h"
#include "cli/lineage/layout.h"
#include "cli/lineage/render.h"
#include "cli/node_text.h"
#include "cli/utf8.h"

namespace pedigree::cli {
namespace {

void AppendUnit(std::string* text, unsigned unit) {
  absl::StrAppend(text, "\\u", absl::Hex(unit, absl::kZeroPad4));
}

void AppendCharacter(std::string* json, absl::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes[0]);
  if (first == '"' || first == '\\') {
    absl::StrAppend(json, "\\", bytes);
  } else if (first < 0x20 || first == 0x7F || first == '<' || first == '>' || first == '&') {
    AppendUnit(json, first);
  } else if (bytes == "\u2028" || bytes == "\u2029") {
    AppendUnit(json, bytes == "\u2028" ? 0x2028 : 0x2029);
  } else {
    absl::StrAppend(json, bytes);
  }
}

// Text between tags.
std::string Escaped(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

// Texts that many nodes share, by number.
class Names {
 public:
  size_t NumberOf(const std::string& name) {
    const auto [place, is_new] = numbers_.emplace(name, numbers_.size());
    if (is_new) absl::StrAppend(&json_, json_.empty() ? "" : ",", JsonForHtml(name));
    return place->second;
  }
  std::string Json() const { return absl::StrCat("[", json_, "]"); }

 private:
  absl::flat_hash_map<std::string, size_t> numbers_;
  std::string json_;
};

using Properties = google::protobuf::Map<std::string, ml_metadata::Value>;

// [["lr", "0.1"], ...] by name.
void AppendProperties(std::string* json, const Properties& properties) {
  std::map<absl::string_view, const ml_metadata::Value*> sorted;
  for (const auto& [name, value] : properties) sorted.emplace(name, &value);
  json->push_back('[');
  const char* between = "";
  for (const auto& [name, value] : sorted) {
    absl::StrAppend(json, between, "[", JsonForHtml(name), ",", JsonForHtml(ValueText(*value)),
                    "]");
    between = ",";
  }
  json->push_back(']');
}

// The graph as html/graph.js reads it.
std::string DataOf(const LineageGraph& graph, const RenderOptions& options) {
  const LineageLayout layout = LayOut(graph);
  Names types;
  Names states;
  std::string nodes;
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const GraphNode& node = graph.nodes()[i];
    const LineageLayout::Place& place = layout.places[i];
    const int flags = (node.is_start ? 1 : 0) | (node.told.in_cycle() ? 2 : 0) |
                      (node.told.is_boundary() && !node.is_start ? 4 : 0);
    absl::StrAppend(&nodes, i == 0 ? "[" : ",\n[", node.is_artifact() ? 0 : 1, ",",
                    node.told.ref().id(), ",", types.NumberOf(node.type()), ",");
    absl::StrAppend(&nodes, JsonForHtml(node.label()), ",", JsonForHtml(node.name()), ",",
                    JsonForHtml(node.uri()), ",", states.NumberOf(node.state()), ",",
                    node.create_ms(), ",");
    absl::StrAppend(&nodes, node.update_ms(), ",", node.told.hops(), ",", flags, ",", place.x, ",");
    absl::StrAppend(&nodes, place.y, ",", place.column, ",");
    AppendProperties(&nodes, node.properties());
    nodes.push_back(',');
    AppendProperties(&nodes, node.custom_properties());
    nodes.push_back(']');
  }
  Names events;
  Names paths;
  std::string edges;
  for (const GraphEdge& edge : graph.edges()) {
    absl::StrAppend(&edges, edges.empty() ? "[" : ",\n[", edge.from, ",", edge.to, ",");
    absl::StrAppend(&edges, events.NumberOf(ml_metadata::Event::Type_Name(edge.event.type())), ",",
                    paths.NumberOf(PathText(edge.event.path())), "]");
  }
  const std::string reason = graph.completeness().complete() ? "" : graph.completeness().reason();
  return absl::StrCat("{\"title\":", JsonForHtml(options.title),
                      ",\"remark\":", JsonForHtml(options.remark),
                      ",\"incomplete\":", JsonForHtml(reason), ",\n\"types\":", types.Json(),
                      ",\n\"states\":", states.Json(), ",\n\"events\":", events.Json(),
                      ",\n\"paths\":", paths.Json(),
                      absl::StrCat(",\n\"nodes\":[\n", nodes, "],\n\"edges\":[\n", edges, "]}"));
}

// What a policy allows a script by.
std::string HashOf(absl::string_view script) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(script.data()), script.size(), digest);
  return absl::StrCat(
      "'sha256-",
      absl::Base64Escape(absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest))),
      "'");
}

}  // namespace

std::string JsonForHtml(absl::string_view text) {
  std::string json = "\"";
  while (!text.empty()) {
    const size_t bytes = Utf8Bytes(text);
    if (bytes == 0) {
      absl::StrAppend(&json, "\uFFFD");
    } else {
      AppendCharacter(&json, text.substr(0, bytes));
    }
    text.remove_prefix(std::max<size_t>(1, bytes));
  }
  json.push_back('"');
  return json;
}

std::string RenderHtml(const LineageGraph& graph, const RenderOptions& options) {
  const std::map<absl::string_view, std::string> parts = {
      {"title", Escaped(PrintableInXml(options.title))},
      {"policy", absl::StrCat("default-src 'none'; style-src ", HashOf(kHtmlStyle), "; script-src ",
                              HashOf(kHtmlScript), "; base-uri 'none'; form-action 'none'")},
      {"style", std::string(kHtmlStyle)},
      {"script", std::string(kHtmlScript)},
      {"data", DataOf(graph, options)}};
  // Only the page itself is looked through for places to fill in, not what comes there.
  std::string page;
  absl::string_view rest = kHtmlPage;
  for (size_t begin = rest.find("{{"); begin != rest.npos; begin = rest.find("{{")) {
    const size_t end = rest.find("}}", begin);
    absl::StrAppend(&page, rest.substr(0, begin),
                    parts.at(rest.substr(begin + 2, end - begin - 2)));
    rest.remove_prefix(end + 2);
  }
  absl::StrAppend(&page, rest);
  return page;
}

}  // namespace pedigree::cli
