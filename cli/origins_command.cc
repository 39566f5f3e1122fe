// pedigree origins REF
#include <CLI/CLI.hpp>
#include <string>

#include "cli/command.h"
#include "cli/connection.h"
#include "cli/lineage/answers.h"
#include "cli/lineage/fetch.h"
#include "cli/lineage/question.h"
#include "cli/output.h"
#include "cli/reference.h"

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
    Connection::AddOptions(app, &connection_);
  }

  absl::Status Run() override {
    const auto scope = ScopeOf(question_);
    if (!scope.ok()) return scope.status();
    auto connection = Connection::Open(connection_);
    if (!connection.ok()) return connection.status();
    const auto ref = Resolve(connection->get(), text_, {NodeKind::kArtifact, NodeKind::kExecution});
    if (!ref.ok()) return ref.status();
    v1::OriginsRequest request;
    *request.mutable_start()->add_nodes() = ToProto(*ref);
    *request.mutable_scope() = *scope;
    request.set_content(v1::TraceRequest::BODIES);
    v1::OriginsResponse answer;
    absl::Status status =
        (*connection)->Call("/pedigree.v1.LineageService/Origins", request, &answer);
    if (!status.ok()) return status;
    if (format_ == OutputFormat::kJson) return PrintJson(answer);
    if (format_ == OutputFormat::kCsv) {
      Print(OriginsTable(answer).ToCsv());
    } else {
      Print(OriginsText(answer, Screen::OfStandardOutput()));
    }
    return absl::OkStatus();
  }

 private:
  std::string text_;
  OutputFormat format_ = OutputFormat::kTable;
  QuestionOptions question_;
  ConnectionOptions connection_;
};

}  // namespace

std::unique_ptr<Command> MakeOriginsCommand() { return std::make_unique<OriginsCommand>(); }

}  // namespace pedigree::cli
