#include "cli/command.h"

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace pedigree::cli {

CLI::App* AddCommand(CLI::App* app, Command* command) {
  CLI::App* part = app->add_subcommand(command->name(), command->summary());
  command->AddOptions(part);
  const absl::string_view examples = command->examples();
  if (!examples.empty()) {
    part->footer(absl::StrCat("Examples:\n  ", absl::StrReplaceAll(examples, {{"\n", "\n  "}})));
  }
  return part;
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
