// pedigree origins REF
#include <CLI/CLI.hpp>
#include <string>

#include "cli/command.h"
#include "cli/lineage/answers.h"
#include "cli/lineage/fetch.h"
#include "cli/lineage/question.h"
#include "cli/output.h"

namespace pedigree::cli {
namespace {

class OriginsCommand final : public Command {
 public:
  const char* name() const override { return "origins"; }
  const char* summary() const override {
    return "the sources of a node, and what everything from them passes through";
  }
  const char* examples() const override {
    return "pedigree origins model-v2\n"
           "pedigree origins artifact:42 --output csv";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option("REF", text_, kStartHelp)->type_name("")->required();
    AddOutputOption(app, &format_);
    AddQuestionOptions(app, &question_);
  }

  absl::Status Run() override {
    const auto question = Question::Open(question_);
    if (!question.ok()) return question.status();
    const auto ref = question->Start(text_);
    if (!ref.ok()) return ref.status();
    v1::OriginsRequest request;
    *request.mutable_start()->add_nodes() = *ref;
    *request.mutable_scope() = question->scope();
    request.set_content(v1::TraceRequest::BODIES);
    v1::OriginsResponse answer;
    absl::Status status =
        question->connection()->Call("/pedigree.v1.LineageService/Origins", request, &answer);
    if (!status.ok()) return status;
    return PrintAnswer(
        format_, answer, [&] { return OriginsTable(answer); },
        [&] { return OriginsText(answer, Screen::OfStandardOutput()); });
  }

 private:
  std::string text_;
  OutputFormat format_ = OutputFormat::kTable;
  QuestionOptions question_;
};

}  // namespace

std::unique_ptr<Command> MakeOriginsCommand() { return std::make_unique<OriginsCommand>(); }

}  // namespace pedigree::cli
