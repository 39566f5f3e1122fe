#include <graphviz/gvc.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "cli/lineage/render.h"

extern "C" {
extern gvplugin_library_t gvplugin_core_LTX_library;
extern gvplugin_library_t gvplugin_dot_layout_LTX_library;
}

namespace pedigree::cli {
namespace {

// What Graphviz says when something goes wrong: its own way is to print it.
std::string& Complaints() {
  static auto* const complaints = new std::string;
  return *complaints;
}

int Complain(char* text) {
  Complaints().append(text);
  return 0;
}

struct FreeContext {
  void operator()(GVC_t* context) const { gvFreeContext(context); }
};
struct CloseGraph {
  void operator()(Agraph_t* graph) const { agclose(graph); }
};

// The two plug-ins that are needed, linked in: what a machine has configured changes nothing, text
// is measured by tables and not by its fonts, and no libraries for pixels are loaded.
std::unique_ptr<GVC_t, FreeContext> NewContext() {
  static const lt_symlist_t kPlugins[] = {
      {"gvplugin_core_LTX_library", &gvplugin_core_LTX_library},
      {"gvplugin_dot_layout_LTX_library", &gvplugin_dot_layout_LTX_library},
      {nullptr, nullptr}};
  return std::unique_ptr<GVC_t, FreeContext>(gvContextPlugins(kPlugins, /*demand_loading=*/0));
}

absl::Status Failed(absl::string_view what) {
  return absl::InternalError(absl::StrCat("Graphviz could not ", what, ": ", Complaints()));
}

// Bounds on the two steps that grow faster than the graph, for all but small ones.
void BoundEffort(size_t nodes, Agraph_t* graph) {
  if (nodes < 200) return;
  const auto set = [graph](const char* name, const char* value) {
    agattr(graph, AGRAPH, const_cast<char*>(name), const_cast<char*>(value));
  };
  set("nslimit", "1");
  set("nslimit1", "1");
  set("mclimit", nodes < 800 ? "0.5" : "0.1");
  set("splines", nodes < 800 ? "polyline" : "line");
}

}  // namespace

absl::StatusOr<std::string> RenderSvg(const LineageGraph& graph, const RenderOptions& options) {
  if (graph.nodes().size() > kMaxSvgNodes) {
    return absl::InvalidArgumentError(
        absl::StrCat("an SVG is laid out for up to ", Grouped(kMaxSvgNodes),
                     " nodes, and there are ", Grouped(static_cast<int64_t>(graph.nodes().size())),
                     "; --format html shows them all, --depth or --where leaves some out"));
  }
  Complaints().clear();
  agseterrf(Complain);
  const auto context = NewContext();
  const std::string dot = RenderDot(graph, options);
  const std::unique_ptr<Agraph_t, CloseGraph> drawing(agmemread(dot.c_str()));
  if (context == nullptr || drawing == nullptr) return Failed("read the graph");
  BoundEffort(graph.nodes().size(), drawing.get());
  if (gvLayout(context.get(), drawing.get(), "dot") != 0) return Failed("lay out the graph");
  char* data = nullptr;
  unsigned int size = 0;
  const int failed = gvRenderData(context.get(), drawing.get(), "svg", &data, &size);
  std::string svg = failed == 0 && data != nullptr ? std::string(data, size) : "";
  gvFreeRenderData(data);
  gvFreeLayout(context.get(), drawing.get());
  if (svg.empty()) return Failed("draw the graph");
  return svg;
}

}  // namespace pedigree::cli
