// pedigree: the command line.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"

namespace pedigree::cli {
namespace {

// Every command of the program.
std::vector<std::unique_ptr<Command>> MakeCommands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(MakeImportCommand());
  commands.push_back(MakeVerifyImportCommand());
  commands.push_back(MakeExportMlmdCommand());
  commands.push_back(MakeDowngradeCommand());
  commands.push_back(MakeExportCommand());
  return commands;
}

int Main(int argc, char** argv) {
  CLI::App app("Works with stores of pedigreed", "pedigree");
  app.require_subcommand(1);
  const auto commands = MakeCommands();
  std::vector<const CLI::App*> parts;
  for (const auto& command : commands) {
    CLI::App* part = app.add_subcommand(command->name(), command->summary());
    command->AddOptions(part);
    parts.push_back(part);
  }
  // CLI11 tells of errors by exceptions; they end here.
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  for (size_t i = 0; i < commands.size(); ++i) {
    if (!parts[i]->parsed()) continue;
    const absl::Status status = commands[i]->Run();
    if (status.ok()) return 0;
    std::fprintf(stderr, "pedigree %s: %s\n", commands[i]->name(),
                 std::string(status.message()).c_str());
    return 1;
  }
  return 1;
}

}  // namespace
}  // namespace pedigree::cli

int main(int argc, char** argv) { return pedigree::cli::Main(argc, argv); }
