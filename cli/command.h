// A command of the program `pedigree`: its options, and what it does with them.
//
// Threads: one.
//
//   class MyCommand final : public Command { ... };   // and a row in main.cc
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace CLI {
class App;
}

namespace pedigree::cli {

class Command {
 public:
  virtual ~Command() = default;
  // What it is called as, and one line about it.
  virtual const char* name() const = 0;
  virtual const char* summary() const = 0;
  // Command lines for its help, each on a line of its own, e.g. "pedigree get artifact:42\n".
  virtual const char* examples() const { return ""; }
  // Adds its options to its own part of the command line.
  virtual void AddOptions(CLI::App* app) = 0;
  // After the options have been read. Results go to the standard output; an error becomes an exit
  // code (ExitCodeOf) and its text.
  virtual absl::Status Run() = 0;
};

// Ends the help of a part with these examples, each on a line of its own.
void SetExamples(CLI::App* app, absl::string_view examples);

// Adds a command with its options and help to a part of the command line; answers its own part.
CLI::App* AddCommand(CLI::App* app, Command* command);

// A command that only has commands of its own: `cache lookup`, `cache stats`.
class CommandGroup : public Command {
 public:
  // REQUIRES: the texts live on.
  CommandGroup(const char* name, const char* summary,
               std::vector<std::unique_ptr<Command>> commands);

  const char* name() const override { return name_; }
  const char* summary() const override { return summary_; }
  // The first of each command.
  const char* examples() const override { return examples_.c_str(); }
  void AddOptions(CLI::App* app) override;
  // That of the command that was called.
  absl::Status Run() override;

 private:
  const char* const name_;
  const char* const summary_;
  const std::vector<std::unique_ptr<Command>> commands_;
  std::string examples_;
  std::vector<const CLI::App*> parts_;
};

// What scripts are told: 0 it went well, 1 it failed, 2 the request is wrong (options, a filter),
// 3 what is named is not there, 4 the server cannot be reached or gave up.
int ExitCodeOf(const absl::Status& status);
inline constexpr int kUsageExitCode = 2;

std::unique_ptr<Command> MakeAuditCommand();
std::unique_ptr<Command> MakeCacheCommand();
std::unique_ptr<Command> MakeCompareCommand();
std::unique_ptr<Command> MakeCompletionCommand();
std::unique_ptr<Command> MakeDowngradeCommand();
std::unique_ptr<Command> MakeExportCommand();
std::unique_ptr<Command> MakeExportMlmdCommand();
std::unique_ptr<Command> MakeExportVerifyCommand();  // A part of MakeExportCommand().
std::unique_ptr<Command> MakeGetCommand();
std::unique_ptr<Command> MakeImpactCommand();
std::unique_ptr<Command> MakeImportCommand();
std::unique_ptr<Command> MakeIndexCommand();
std::unique_ptr<Command> MakeLineageCommand();
std::unique_ptr<Command> MakeListCommand();
std::unique_ptr<Command> MakeOriginsCommand();
std::unique_ptr<Command> MakePathsCommand();
std::unique_ptr<Command> MakeQueryCommand();
std::unique_ptr<Command> MakeRunCommand();
std::unique_ptr<Command> MakeStatsCommand();
std::unique_ptr<Command> MakeTypesCommand();
std::unique_ptr<Command> MakeVerifyImportCommand();
std::unique_ptr<Command> MakeWatchCommand();

std::unique_ptr<Command> MakeVerifyCommand();
std::unique_ptr<Command> MakeBackupCommand();
std::unique_ptr<Command> MakeRestoreCommand();

inline constexpr char kSourceHelp[] =
    "the database of MLMD's: sqlite:FILE, mysql://USER:PASSWORD@HOST:PORT/DATABASE or "
    "postgresql://USER:PASSWORD@HOST:PORT/DATABASE (passwords also from MYSQL_PWD, PGPASSWORD); or "
    "grpc://HOST:PORT, a running server of theirs";

}  // namespace pedigree::cli
