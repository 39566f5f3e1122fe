#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace pedigree::cli {

void SetExamples(CLI::App* app, absl::string_view examples) {
  // Without its own it would have that of the part around it.
  app->footer(examples.empty()
                  ? ""
                  : absl::StrCat("Examples:\n  ", absl::StrReplaceAll(examples, {{"\n", "\n  "}})));
}

CLI::App* AddCommand(CLI::App* app, Command* command) {
  CLI::App* part = app->add_subcommand(command->name(), command->summary());
  command->AddOptions(part);
  SetExamples(part, command->examples());
  return part;
}

CommandGroup::CommandGroup(const char* name, const char* summary,
                           std::vector<std::unique_ptr<Command>> commands)
    : name_(name), summary_(summary), commands_(std::move(commands)) {
  for (const auto& command : commands_) {
    const absl::string_view examples = command->examples();
    const absl::string_view first = examples.substr(0, examples.find('\n'));
    if (first.empty()) continue;
    absl::StrAppend(&examples_, examples_.empty() ? "" : "\n", first);
  }
}

void CommandGroup::AddOptions(CLI::App* app) {
  app->require_subcommand(1);
  for (const auto& command : commands_) parts_.push_back(AddCommand(app, command.get()));
}

absl::Status CommandGroup::Run() {
  for (size_t i = 0; i < commands_.size(); ++i) {
    if (parts_[i]->parsed()) return commands_[i]->Run();
  }
  return absl::InternalError("no command was called");
}

int ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return 0;
    case absl::StatusCode::kInvalidArgument:
      return kUsageExitCode;
    case absl::StatusCode::kNotFound:
      return 3;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return 4;
    default:
      return 1;
  }
}

}  // namespace pedigree::cli
