// pedigree run RUN
#include <CLI/CLI.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/node_calls.h"
#include "cli/output.h"
#include "cli/reference.h"
#include "cli/run_picture.h"
#include "cli/run_tree.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Context;

class RunCommand final : public Command {
 public:
  const char* name() const override { return "run"; }
  const char* summary() const override {
    return "show a pipeline run as a tree: steps, states, durations, inputs, outputs, cache hits";
  }
  const char* examples() const override {
    return "pedigree run 4f5a0b6e-2f0e-4c5c-9d0a-3f8f5b9f8f10\n"
           "pedigree run context:3\n"
           "pedigree run my-run --output json";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option("RUN", text_, "the run's context: its name or context:3")
        ->type_name("")
        ->required();
    AddTextOrJsonOption(app, &format_);
    Connection::AddOptions(app, &connection_);
  }

  absl::Status Run() override {
    auto connection = Connection::Open(connection_);
    if (!connection.ok()) return connection.status();
    constexpr NodeKind kContexts[] = {NodeKind::kContext};
    const auto ref = Resolve(connection->get(), text_, kContexts);
    if (!ref.ok()) return ref.status();
    const auto runs = NodesById<Context>(connection->get(), {ref->id});
    if (!runs.ok()) return runs.status();
    if (runs->empty()) return absl::NotFoundError(absl::StrCat("there is no ", ToString(*ref)));
    const auto picture = ReadRun(connection->get(), runs->front());
    if (!picture.ok()) return picture.status();
    if (format_ == OutputFormat::kJson) return PrintAsJson(*picture);
    Print(DrawRun(*picture, Screen::OfStandardOutput()));
    return absl::OkStatus();
  }

 private:
  static absl::Status PrintAsJson(const RunPicture& picture) {
    JsonDocument json;
    json.Add("run", picture.run);
    json.AddText("pipeline", picture.pipeline);
    json.AddList("executions", picture.executions);
    json.AddList("events", picture.events);
    json.BeginList("artifacts");
    for (const auto& [id, artifact] : picture.artifacts) json.AddToList(artifact);
    json.EndList();
    return PrintJson(json);
  }

  std::string text_;
  OutputFormat format_ = OutputFormat::kTable;
  ConnectionOptions connection_;
};

}  // namespace

std::unique_ptr<Command> MakeRunCommand() { return std::make_unique<RunCommand>(); }

}  // namespace pedigree::cli
