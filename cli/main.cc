// pedigree: the command line.
#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "store/text.h"

namespace pedigree::cli {
namespace {

constexpr char kSummary[] =
    "What pedigreed knows: which step made what, from what, and when.\n"
    "Answers come from --server (or PEDIGREE_SERVER), or from the store of a stopped one, "
    "--data_dir.";

constexpr char kFooter[] =
    "Examples:\n"
    "  pedigree ls artifacts --type system.Model --order create --desc --limit 5\n"
    "  pedigree get artifact:42\n"
    "  pedigree run my-run\n"
    "  PEDIGREE_SERVER=metadata:8080 pedigree types\n"
    "\n"
    "Exit codes: 0 it went well, 1 it failed, 2 the request is wrong, 3 what is named is not "
    "there,\n"
    "4 the server cannot be reached or gave up.";

// Every command of the program.
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

int Fail(int code, absl::string_view text) {
  std::fflush(stdout);
  std::fprintf(stderr, "pedigree: %.*s\n", static_cast<int>(text.size()), text.data());
  return code;
}

// What is wrong, and where it is told what would be right.
std::string DescribeUsageError(const CLI::App& app, const CLI::ParseError& error) {
  std::string command = "pedigree";
  const CLI::App* part = &app;
  while (!part->get_subcommands().empty()) {
    part = part->get_subcommands().front();
    absl::StrAppend(&command, " ", part->get_name());
  }
  std::string what = error.what();
  // CLI11 would say of a mistyped command that there is none.
  const bool has_parts = !part->get_subcommands([](const CLI::App*) { return true; }).empty();
  if (const auto rest = part->remaining(); has_parts && !rest.empty()) {
    what = absl::StrCat(command, " has no command ", Quoted(rest.front()));
  }
  return absl::StrCat(what, " (see ", command, " --help)");
}

int Main(int argc, char** argv) {
  CLI::App app(kSummary, "pedigree");
  app.footer(kFooter);
  app.set_version_flag("--version", "pedigree " PEDIGREE_VERSION);
  CommandGroup root("pedigree", kSummary, MakeCommands());
  root.AddOptions(&app);
  // CLI11 tells of errors by exceptions; they end here.
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return Fail(kUsageExitCode, DescribeUsageError(app, error));
  }
  const absl::Status status = root.Run();
  if (!status.ok()) return Fail(ExitCodeOf(status), status.message());
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    return Fail(1, absl::StrCat("cannot write the answer: ", std::strerror(errno)));
  }
  return 0;
}

}  // namespace
}  // namespace pedigree::cli

int main(int argc, char** argv) { return pedigree::cli::Main(argc, argv); }
