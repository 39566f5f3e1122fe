// pedigree impact REF
#include <CLI/CLI.hpp>
#include <string>

#include "cli/command.h"
#include "cli/lineage/answers.h"
#include "cli/lineage/fetch.h"
#include "cli/lineage/question.h"
#include "cli/output.h"

namespace pedigree::cli {
namespace {

class ImpactCommand final : public Command {
 public:
  const char* name() const override { return "impact"; }
  const char* summary() const override {
    return "how much came of a node, by type and by context: \"this data set was poisoned\"";
  }
  const char* examples() const override {
    return "pedigree impact s3://data/iris\n"
           "pedigree impact artifact:42 --up --output csv";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option("REF", text_, kStartHelp)->type_name("")->required();
    app->add_flag("--up", up_, "what it comes from instead");
    app->add_option("--contexts", contexts_, "contexts to show at most, those with the most first")
        ->check(CLI::Range(1, 10'000).description(""))
        ->type_name("N")
        ->capture_default_str();
    AddOutputOption(app, &format_);
    AddQuestionOptions(app, &question_);
  }

  absl::Status Run() override {
    const auto question = Question::Open(question_);
    if (!question.ok()) return question.status();
    const auto ref = question->Start(text_);
    if (!ref.ok()) return ref.status();
    v1::ImpactRequest request;
    *request.mutable_start()->add_nodes() = *ref;
    request.set_direction(up_ ? v1::UPSTREAM : v1::DOWNSTREAM);
    *request.mutable_scope() = question->scope();
    request.set_max_contexts(contexts_);
    v1::ImpactResponse answer;
    absl::Status status =
        question->connection()->Call("/pedigree.v1.LineageService/Impact", request, &answer);
    if (!status.ok()) return status;
    return PrintAnswer(
        format_, answer, [&] { return ImpactTable(answer); },
        [&] { return ImpactText(answer, Screen::OfStandardOutput()); });
  }

 private:
  std::string text_;
  bool up_ = false;
  int contexts_ = 20;
  OutputFormat format_ = OutputFormat::kTable;
  QuestionOptions question_;
};

}  // namespace

std::unique_ptr<Command> MakeImpactCommand() { return std::make_unique<ImpactCommand>(); }

}  // namespace pedigree::cli
