// A lineage in every format that `pedigree lineage --format` knows.
//
// Pure functions: the same graph gives the same bytes. Texts of a store are escaped as each format
// wants it; control characters and bytes that are no UTF-8 are shown as escapes ("\n", "\377").
// Threads: any, but RenderSvg() one at a time (Graphviz has global state).
//
//   std::cout << RenderTree(graph, {.screen = Screen::OfStandardOutput()});
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/lineage/graph.h"
#include "cli/text.h"

namespace pedigree::cli {

// More nodes than this Graphviz takes minutes to lay out.
inline constexpr size_t kMaxSvgNodes = 2000;

struct RenderOptions {
  Screen screen;       // For the tree: width, colours, times.
  std::string title;   // "Lineage of artifact:42"
  std::string remark;  // "as of 2026-03-01T00:00:00Z"; may be empty.
};

// Indented, with what is reached more than once described at its first place only.
std::string RenderTree(const LineageGraph& graph, const RenderOptions& options);
// {"start": [...], "nodes": [...], "events": [...], "completeness": {...}}, as lineage.proto has
// them. Internal if a node holds an Any of an unknown type, which has no JSON.
absl::StatusOr<std::string> RenderJson(const LineageGraph& graph);
std::string RenderDot(const LineageGraph& graph, const RenderOptions& options);
std::string RenderMermaid(const LineageGraph& graph);
std::string RenderGraphml(const LineageGraph& graph);
// Laid out by Graphviz. InvalidArgument, naming HTML, for more than kMaxSvgNodes nodes.
absl::StatusOr<std::string> RenderSvg(const LineageGraph& graph, const RenderOptions& options);
// One file that needs nothing else, and may load nothing: see html/.
std::string RenderHtml(const LineageGraph& graph, const RenderOptions& options);

// Printable(), and without the two characters that XML cannot hold.
std::string PrintableInXml(absl::string_view text);

// A text as a string of JSON that may stand in HTML: also '<', '>', '&' and the line separators of
// Unicode are escapes.
std::string JsonForHtml(absl::string_view text);

}  // namespace pedigree::cli
