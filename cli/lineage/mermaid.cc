#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "cli/lineage/render.h"
#include "cli/node_text.h"

namespace pedigree::cli {
namespace {

constexpr size_t kLabelWidth = 40;

// Inside quotes, where entities begin with '#', and a backtick would begin Markdown.
std::string Shown(absl::string_view text) {
  return absl::StrReplaceAll(CutTo(Printable(text), kLabelWidth), {{"#", "#35;"},
                                                                   {"\"", "#quot;"},
                                                                   {"<", "#lt;"},
                                                                   {">", "#gt;"},
                                                                   {"&", "#amp;"},
                                                                   {"`", "#96;"},
                                                                   {"\\", "#92;"}});
}

std::string IdOf(const GraphNode& node) {
  return absl::StrCat(node.is_artifact() ? "a" : "e", node.told.ref().id());
}

}  // namespace

std::string RenderMermaid(const LineageGraph& graph) {
  std::string text =
      "flowchart LR\n"
      "  classDef artifact fill:#eef4fc,stroke:#2f6db5,color:#10243d\n"
      "  classDef execution fill:#fff6e5,stroke:#b26a00,color:#3d2600\n"
      "  classDef failed fill:#fdecea,stroke:#b3261e,color:#410e0b\n"
      "  classDef start stroke-width:3px\n";
  std::string starts;
  for (const GraphNode& node : graph.nodes()) {
    const std::string state = node.state();
    const bool failed = state == "FAILED" || state == "ABANDONED" || state == "DELETED";
    const absl::string_view kind = node.is_artifact() ? "artifact" : "execution";
    absl::StrAppend(&text, "  ", IdOf(node), node.is_artifact() ? "(" : "[", "\"",
                    Shown(node.label()), "<br/>", Shown(node.type()), " · ", node.ref(), "\"",
                    node.is_artifact() ? ")" : "]", ":::", failed ? "failed" : kind, "\n");
    if (node.is_start) absl::StrAppend(&starts, "  class ", IdOf(node), " start\n");
  }
  for (const GraphEdge& edge : graph.edges()) {
    const auto type = edge.event.type();
    const bool is_plain = type == ml_metadata::Event::INPUT || type == ml_metadata::Event::OUTPUT;
    const std::string path = Shown(PathText(edge.event.path()));
    absl::StrAppend(&text, "  ", IdOf(graph.nodes()[edge.from]), is_plain ? " -->" : " -.->");
    if (!path.empty()) absl::StrAppend(&text, "|\"", path, "\"|");
    absl::StrAppend(&text, " ", IdOf(graph.nodes()[edge.to]), "\n");
  }
  absl::StrAppend(&text, starts);
  if (!graph.completeness().complete()) {
    absl::StrAppend(&text, "  %% Not complete: ", Printable(graph.completeness().reason()), "\n");
  }
  return text;
}

}  // namespace pedigree::cli
