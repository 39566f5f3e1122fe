// pedigree-full: every command.
#include <memory>
#include <utility>
#include <vector>

#include "cli/program.h"

namespace pedigree::cli {
namespace {

std::vector<std::unique_ptr<Command>> MakeCommands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(MakeListCommand());
  commands.push_back(MakeGetCommand());
  commands.push_back(MakeRunCommand());
  commands.push_back(MakeTypesCommand());
  commands.push_back(MakeQueryCommand());
  commands.push_back(MakeStatsCommand());
  commands.push_back(MakeIndexCommand());
  commands.push_back(MakeCacheCommand());
  commands.push_back(MakeWatchCommand());
  commands.push_back(MakeAuditCommand());
  commands.push_back(MakeLineageCommand());
  commands.push_back(MakePathsCommand());
  commands.push_back(MakeImpactCommand());
  commands.push_back(MakeCompareCommand());
  commands.push_back(MakeOriginsCommand());
  commands.push_back(MakeImportCommand());
  commands.push_back(MakeVerifyImportCommand());
  commands.push_back(MakeExportMlmdCommand());
  commands.push_back(MakeDowngradeCommand());
  commands.push_back(MakeExportCommand());
  commands.push_back(MakeVerifyCommand());
  commands.push_back(MakeBackupCommand());
  commands.push_back(MakeRestoreCommand());
  commands.push_back(MakeCompletionCommand());
  return commands;
}

}  // namespace
}  // namespace pedigree::cli

int main(int argc, char** argv) {
  return pedigree::cli::RunProgram(argc, argv, pedigree::cli::MakeCommands());
}
