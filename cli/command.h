// A command of the program `pedigree`: its options, and what it does with them.
//
// Threads: one.
//
//   class MyCommand final : public Command { ... };   // and a row in main.cc
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

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
  // Adds its options to its own part of the command line.
  virtual void AddOptions(CLI::App* app) = 0;
  // After the options have been read. Results go to the standard output; an error becomes exit
  // code 1 and its text.
  virtual absl::Status Run() = 0;
};

std::unique_ptr<Command> MakeImportCommand();
std::unique_ptr<Command> MakeVerifyImportCommand();
std::unique_ptr<Command> MakeExportCommand();
std::unique_ptr<Command> MakeExportMlmdCommand();
std::unique_ptr<Command> MakeDowngradeCommand();

inline constexpr char kSourceHelp[] =
    "the database of MLMD's: sqlite:FILE, mysql://USER:PASSWORD@HOST:PORT/DATABASE or "
    "postgresql://USER:PASSWORD@HOST:PORT/DATABASE (passwords also from MYSQL_PWD, PGPASSWORD)";

}  // namespace pedigree::cli
