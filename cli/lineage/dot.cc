#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "cli/lineage/render.h"
#include "cli/node_text.h"

namespace pedigree::cli {
namespace {

constexpr size_t kLabelWidth = 32;
constexpr size_t kTooltipWidth = 200;

// Inside quotes. Graphviz reads escapes (\N is a node's name) and entities (&lt;) in labels.
std::string Escaped(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}, {"&", "&amp;"}});
}

std::string IdOf(const GraphNode& node) {
  return absl::StrCat(node.is_artifact() ? "a" : "e", node.told.ref().id());
}

std::string Shown(absl::string_view text, size_t width) {
  return Escaped(CutTo(PrintableInXml(text), width));
}

// Fill and line by what became of it.
absl::string_view ColoursOf(const GraphNode& node) {
  const std::string state = node.state();
  if (state == "FAILED" || state == "ABANDONED" || state == "DELETED") {
    return "fillcolor=\"#fdecea\", color=\"#b3261e\"";
  }
  return node.is_artifact() ? "fillcolor=\"#eef4fc\", color=\"#2f6db5\""
                            : "fillcolor=\"#fff6e5\", color=\"#b26a00\"";
}

std::string NodeText(const GraphNode& node) {
  std::string text = absl::StrCat("  ", IdOf(node), " [label=\"", Shown(node.label(), kLabelWidth),
                                  "\\n", Shown(node.type(), kLabelWidth), " · ", node.ref());
  const std::string state = node.state();
  if (!state.empty() && state != "LIVE" && state != "COMPLETE") {
    absl::StrAppend(&text, "\\n", state);
  }
  absl::StrAppend(&text, "\", shape=box, style=\"", node.is_artifact() ? "rounded," : "",
                  "filled\", ", ColoursOf(node));
  if (node.is_start) absl::StrAppend(&text, ", penwidth=3");
  if (node.told.is_boundary() && !node.is_start) absl::StrAppend(&text, ", peripheries=2");
  const std::string& more = node.uri().empty() ? node.name() : node.uri();
  absl::StrAppend(&text, ", tooltip=\"", more.empty() ? node.ref() : Shown(more, kTooltipWidth),
                  "\"];\n");
  return text;
}

}  // namespace

std::string RenderDot(const LineageGraph& graph, const RenderOptions& options) {
  std::string text = absl::StrCat(
      "digraph lineage {\n  graph [rankdir=LR, fontname=\"Helvetica\", tooltip=\" \", label=\"",
      Escaped(PrintableInXml(options.title)), options.remark.empty() ? "" : ", ",
      Escaped(PrintableInXml(options.remark)),
      "\"];\n"
      "  node [fontname=\"Helvetica\", fontsize=11, margin=\"0.16,0.08\"];\n"
      "  edge [fontname=\"Helvetica\", fontsize=9, color=\"#8a94a3\", fontcolor=\"#5b6472\", "
      "arrowsize=0.7];\n");
  for (const GraphNode& node : graph.nodes()) absl::StrAppend(&text, NodeText(node));
  for (const GraphEdge& edge : graph.edges()) {
    const auto type = edge.event.type();
    const std::string path = PathText(edge.event.path());
    absl::StrAppend(&text, "  ", IdOf(graph.nodes()[edge.from]), " -> ",
                    IdOf(graph.nodes()[edge.to]), " [tooltip=\"",
                    ml_metadata::Event::Type_Name(type), "\"");
    if (!path.empty()) absl::StrAppend(&text, ", label=\"", Shown(path, kLabelWidth), "\"");
    if (type != ml_metadata::Event::INPUT && type != ml_metadata::Event::OUTPUT) {
      absl::StrAppend(&text, ", style=dashed");
    }
    absl::StrAppend(&text, "];\n");
  }
  if (!graph.completeness().complete()) {
    absl::StrAppend(&text, "  // Not complete: ", PrintableInXml(graph.completeness().reason()),
                    "\n");
  }
  absl::StrAppend(&text, "}\n");
  return text;
}

}  // namespace pedigree::cli
