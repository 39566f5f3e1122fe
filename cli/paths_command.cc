// pedigree paths A B
#include <CLI/CLI.hpp>
#include <string>

#include "cli/command.h"
#include "cli/lineage/answers.h"
#include "cli/lineage/fetch.h"
#include "cli/lineage/question.h"
#include "cli/output.h"

namespace pedigree::cli {
namespace {

class PathsCommand final : public Command {
 public:
  const char* name() const override { return "paths"; }
  const char* summary() const override { return "how data got from one node to another"; }
  const char* examples() const override {
    return "pedigree paths artifact:1 artifact:42\n"
           "pedigree paths s3://data/iris model-v2 --max 10";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option("FROM", from_, kStartHelp)->type_name("")->required();
    app->add_option("TO", to_, "the same, downstream of it")->type_name("")->required();
    app->add_option("--max", max_, "ways to show at most, the shortest first")
        ->check(CLI::Range(1, 100).description(""))
        ->type_name("N")
        ->capture_default_str();
    AddOutputOption(app, &format_);
    AddQuestionOptions(app, &question_);
  }

  absl::Status Run() override {
    const auto question = Question::Open(question_);
    if (!question.ok()) return question.status();
    const auto from = question->Start(from_);
    if (!from.ok()) return from.status();
    const auto to = question->Start(to_);
    if (!to.ok()) return to.status();
    v1::FindPathsRequest request;
    *request.mutable_from() = *from;
    *request.mutable_to() = *to;
    *request.mutable_scope() = question->scope();
    request.set_max_paths(max_);
    request.set_content(v1::TraceRequest::BODIES);
    v1::FindPathsResponse answer;
    absl::Status status =
        question->connection()->Call("/pedigree.v1.LineageService/FindPaths", request, &answer);
    if (!status.ok()) return status;
    return PrintAnswer(
        format_, answer, [&] { return PathsTable(answer); },
        [&] { return PathsText(answer, Screen::OfStandardOutput()); });
  }

 private:
  std::string from_;
  std::string to_;
  int max_ = 1;
  OutputFormat format_ = OutputFormat::kTable;
  QuestionOptions question_;
};

}  // namespace

std::unique_ptr<Command> MakePathsCommand() { return std::make_unique<PathsCommand>(); }

}  // namespace pedigree::cli
