// pedigree lineage REF
#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/choice.h"
#include "cli/command.h"
#include "cli/lineage/fetch.h"
#include "cli/lineage/question.h"
#include "cli/lineage/render.h"
#include "cli/output.h"

namespace pedigree::cli {
namespace {

enum class Format : uint8_t { kTree, kJson, kDot, kMermaid, kGraphml, kSvg, kHtml };

absl::StatusOr<std::string> Render(Format format, const LineageGraph& graph,
                                   const RenderOptions& options) {
  switch (format) {
    case Format::kTree:
      return RenderTree(graph, options);
    case Format::kJson:
      return RenderJson(graph);
    case Format::kDot:
      return RenderDot(graph, options);
    case Format::kMermaid:
      return RenderMermaid(graph);
    case Format::kGraphml:
      return RenderGraphml(graph);
    case Format::kSvg:
      return RenderSvg(graph, options);
    case Format::kHtml:
      return RenderHtml(graph, options);
  }
  return absl::InternalError("no such format");
}

absl::Status WriteFile(const std::string& path, absl::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (file) return absl::OkStatus();
  return absl::UnknownError(absl::StrCat("cannot write ", path, ": ", std::strerror(errno)));
}

absl::string_view WayText(LineageWay way) {
  return way == LineageWay::kUp     ? "What led to "
         : way == LineageWay::kDown ? "What came of "
                                    : "Lineage of ";
}

class LineageCommand final : public Command {
 public:
  const char* name() const override { return "lineage"; }
  const char* summary() const override {
    return "what an artifact or an execution comes from, and what came of it";
  }
  const char* examples() const override {
    return "pedigree lineage artifact:42\n"
           "pedigree lineage s3://data/iris --down --depth 4\n"
           "pedigree lineage model-v2 --where \"type = 'Model'\" --as-of 2026-03-01\n"
           "pedigree lineage model-v2 --up --down --format html -o lineage.html";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option("REF", text_, kStartHelp)->type_name("")->required();
    app->add_flag("--up", up_, "what it comes from [this, if neither is said]");
    app->add_flag("--down", down_, "what came of it");
    AddChoice<Format>(app, "--format", &format_,
                      {{"tree", Format::kTree},
                       {"json", Format::kJson},
                       {"dot", Format::kDot},
                       {"mermaid", Format::kMermaid},
                       {"graphml", Format::kGraphml},
                       {"svg", Format::kSvg},
                       {"html", Format::kHtml}},
                      "tree|json|dot|mermaid|graphml|svg|html",
                      "how to show it; svg is for up to 2,000 nodes, html for many more")
        ->default_str("tree");
    app->add_option("-o", file_, "write there instead of to standard output")->type_name("FILE");
    AddQuestionOptions(app, &question_);
  }

  absl::Status Run() override {
    const auto question = Question::Open(question_);
    if (!question.ok()) return question.status();
    const auto ref = question->Start(text_);
    if (!ref.ok()) return ref.status();
    const LineageWay way = !down_ ? LineageWay::kUp : up_ ? LineageWay::kBoth : LineageWay::kDown;
    const auto graph = FetchLineage(question->connection(), {*ref}, way, question->scope());
    if (!graph.ok()) return graph.status();
    const auto text = Render(format_, *graph, OptionsFor(*graph, way, RemarkOf(question->scope())));
    if (!text.ok()) return text.status();
    // A tree and a page say it themselves.
    if (!graph->completeness().complete() && format_ != Format::kTree) {
      std::fprintf(stderr, "pedigree: not complete: %s\n",
                   Printable(graph->completeness().reason()).c_str());
    }
    if (!file_.empty()) return WriteFile(file_, *text);
    Print(*text);
    return absl::OkStatus();
  }

 private:
  RenderOptions OptionsFor(const LineageGraph& graph, LineageWay way, std::string remark) const {
    std::string start = text_;
    for (const GraphNode& node : graph.nodes()) {
      if (node.is_start) start = node.label();
    }
    return {.screen = file_.empty() ? Screen::OfStandardOutput() : Screen::Plain(),
            .title = absl::StrCat(WayText(way), start),
            .remark = std::move(remark)};
  }

  std::string text_;
  bool up_ = false;
  bool down_ = false;
  Format format_ = Format::kTree;
  std::string file_;
  QuestionOptions question_;
};

}  // namespace

std::unique_ptr<Command> MakeLineageCommand() { return std::make_unique<LineageCommand>(); }

}  // namespace pedigree::cli
