#include "cli/program.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
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

}  // namespace

int RunProgram(int argc, char** argv, std::vector<std::unique_ptr<Command>> commands) {
  CLI::App app(kSummary, "pedigree");
  app.footer(kFooter);
  app.set_version_flag("--version", "pedigree " PEDIGREE_VERSION);
  CommandGroup root("pedigree", kSummary, std::move(commands));
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

}  // namespace pedigree::cli
