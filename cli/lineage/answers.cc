#include "cli/lineage/answers.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/node_text.h"

namespace pedigree::cli {
namespace {

using Nodes = google::protobuf::RepeatedPtrField<v1::TraceResponse::Node>;

std::string EventText(const ml_metadata::Event& event) {
  const std::string path = PathText(event.path());
  const std::string& type = ml_metadata::Event::Type_Name(event.type());
  return path.empty() ? absl::AsciiStrToLower(type)
                      : absl::StrCat(absl::AsciiStrToLower(type), " ", path);
}

Cell StateCell(const GraphNode& node) {
  const std::string state = node.state();
  return Cell(state, ColourOfState(state));
}

}  // namespace

std::string Headed(absl::string_view title, const Table& table, const Screen& screen) {
  return absl::StrCat("\n", screen.paint(Colour::kBold, title), "\n", table.ToText(screen));
}

std::string CompletenessText(const v1::Completeness& completeness, const Screen& screen) {
  std::string text;
  if (!completeness.complete()) {
    absl::StrAppend(&text,
                    screen.paint(Colour::kYellow,
                                 absl::StrCat("Not complete: ", Printable(completeness.reason()))),
                    "\n");
  }
  if (completeness.bodies_are_of_now()) {
    absl::StrAppend(&text, screen.paint(Colour::kDim, "Names and properties are those of now."),
                    "\n");
  }
  return text;
}

std::string PathsText(const v1::FindPathsResponse& answer, const Screen& screen) {
  std::string text;
  if (answer.paths().empty() && answer.completeness().complete()) text = "There is no way.\n";
  for (int p = 0; p < answer.paths_size(); ++p) {
    const auto& path = answer.paths(p);
    const auto hops = static_cast<int64_t>(path.events_size());
    absl::StrAppend(
        &text, p == 0 ? "" : "\n",
        screen.paint(Colour::kBold, absl::StrCat("Path ", p + 1, " of ", answer.paths_size(), ", ",
                                                 Count(hops, "hop"))),
        "\n");
    Table table({{"NAME"}, {"TYPE"}, {"ID"}, {"STATE"}, {"URI", Align::kLeft, Cut::kMiddleOfUri}});
    for (int i = 0; i < path.nodes_size(); ++i) {
      const GraphNode node(path.nodes(i));
      if (i > 0) {
        table.AddRow({Cell(absl::StrCat("  ↓ ", EventText(path.events(i - 1))), Colour::kDim), "",
                      "", "", ""});
      }
      table.AddRow({node.label(), Cell(node.type(), Colour::kCyan), node.ref(), StateCell(node),
                    Cell(node.uri(), Colour::kDim)});
    }
    absl::StrAppend(&text, table.ToText(screen));
  }
  v1::Completeness completeness = answer.completeness();
  if (absl::StartsWith(completeness.reason(), "max_paths")) {
    absl::StrAppend(&text, screen.paint(Colour::kDim, "There are more ways; --max shows them."),
                    "\n");
    completeness.set_complete(true);
  }
  return absl::StrCat(text, CompletenessText(completeness, screen));
}

Table PathsTable(const v1::FindPathsResponse& answer) {
  Table table({{"PATH", Align::kRight},
               {"HOP", Align::kRight},
               {"EVENT"},
               {"ID"},
               {"TYPE"},
               {"NAME"},
               {"STATE"},
               {"URI"}});
  for (int p = 0; p < answer.paths_size(); ++p) {
    const auto& path = answer.paths(p);
    for (int i = 0; i < path.nodes_size(); ++i) {
      const GraphNode node(path.nodes(i));
      table.AddRow({absl::StrCat(p + 1), absl::StrCat(i),
                    i == 0 ? std::string() : EventText(path.events(i - 1)), node.ref(), node.type(),
                    node.label(), node.state(), node.uri()});
    }
  }
  return table;
}

std::string ImpactText(const v1::ImpactResponse& answer, const Screen& screen) {
  std::string text = absl::StrCat(
      screen.paint(Colour::kBold, absl::StrCat(Count(answer.artifacts(), "artifact"), " and ",
                                               Count(answer.executions(), "execution"))),
      ", the farthest ", Count(answer.max_hops(), "hop"), " away\n");
  if (!answer.types().empty()) {
    Table types({{"TYPE"}, {"KIND"}, {"COUNT", Align::kRight}});
    for (const auto& type : answer.types()) {
      types.AddRow({Cell(type.type(), Colour::kCyan),
                    type.kind() == v1::ARTIFACT ? "artifact" : "execution", Grouped(type.count())});
    }
    absl::StrAppend(&text, Headed("By type", types, screen));
  }
  if (!answer.contexts().empty()) {
    Table contexts({{"CONTEXT"},
                    {"TYPE"},
                    {"ID"},
                    {"ARTIFACTS", Align::kRight},
                    {"EXECUTIONS", Align::kRight}});
    for (const auto& context : answer.contexts()) {
      contexts.AddRow({context.name(), Cell(context.type(), Colour::kCyan),
                       absl::StrCat("context:", context.context_id()), Grouped(context.artifacts()),
                       Grouped(context.executions())});
    }
    absl::StrAppend(&text, Headed("By context", contexts, screen));
    if (answer.contexts_in_all() > answer.contexts_size()) {
      absl::StrAppend(&text, "and ", Grouped(answer.contexts_in_all() - answer.contexts_size()),
                      " more; --contexts shows them\n");
    }
  }
  return absl::StrCat(text, CompletenessText(answer.completeness(), screen));
}

Table ImpactTable(const v1::ImpactResponse& answer) {
  Table table({{"BY"},
               {"ID"},
               {"NAME"},
               {"TYPE"},
               {"ARTIFACTS", Align::kRight},
               {"EXECUTIONS", Align::kRight}});
  table.AddRow(
      {"all", "", "", "", absl::StrCat(answer.artifacts()), absl::StrCat(answer.executions())});
  for (const auto& type : answer.types()) {
    const bool is_artifact = type.kind() == v1::ARTIFACT;
    table.AddRow({"type", absl::StrCat(type.type_id()), "", type.type(),
                  absl::StrCat(is_artifact ? type.count() : 0),
                  absl::StrCat(is_artifact ? 0 : type.count())});
  }
  for (const auto& context : answer.contexts()) {
    table.AddRow({"context", absl::StrCat(context.context_id()), context.name(), context.type(),
                  absl::StrCat(context.artifacts()), absl::StrCat(context.executions())});
  }
  return table;
}

namespace {

Table NodesTable(const Nodes& nodes) {
  Table table({{"NAME"},
               {"TYPE"},
               {"ID"},
               {"HOPS", Align::kRight},
               {"STATE"},
               {"URI", Align::kLeft, Cut::kMiddleOfUri}});
  for (const auto& told : nodes) {
    const GraphNode node(told);
    table.AddRow({node.label(), Cell(node.type(), Colour::kCyan), node.ref(), Grouped(told.hops()),
                  StateCell(node), Cell(node.uri(), Colour::kDim)});
  }
  return table;
}

}  // namespace

std::string OriginsText(const v1::OriginsResponse& answer, const Screen& screen) {
  std::string text =
      absl::StrCat(screen.paint(Colour::kBold, Count(answer.sources_size(), "source")), " of ",
                   Count(answer.artifacts(), "artifact"), " and ",
                   Count(answer.executions(), "execution"), " upstream\n");
  if (!answer.sources().empty()) {
    absl::StrAppend(&text, Headed("Sources", NodesTable(answer.sources()), screen));
  }
  if (!answer.dominators().empty()) {
    absl::StrAppend(&text,
                    Headed("Everything passes through", NodesTable(answer.dominators()), screen));
  }
  return absl::StrCat(text, CompletenessText(answer.completeness(), screen));
}

Table OriginsTable(const v1::OriginsResponse& answer) {
  Table table({{"ROLE"}, {"ID"}, {"TYPE"}, {"NAME"}, {"HOPS", Align::kRight}, {"STATE"}, {"URI"}});
  const auto add = [&table](const char* role, const Nodes& nodes) {
    for (const auto& told : nodes) {
      const GraphNode node(told);
      table.AddRow({role, node.ref(), node.type(), node.label(), absl::StrCat(told.hops()),
                    node.state(), node.uri()});
    }
  };
  add("source", answer.sources());
  add("passage", answer.dominators());
  return table;
}

}  // namespace pedigree::cli
