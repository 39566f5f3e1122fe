// What the two programs of the command line have in common: options, help, errors, exit codes.
//
// `pedigree` has the commands that only ask a server, and starts in half the time without the
// libraries of databases, graphs and the store; for all else it becomes `pedigree-full` (main.cc).
// Threads: one.
//
//   int main(int argc, char** argv) { return RunProgram(argc, argv, std::move(commands)); }
#pragma once

#include <memory>
#include <vector>

#include "cli/command.h"

namespace pedigree::cli {

// Runs the command that the arguments name. Answers the exit code (command.h).
int RunProgram(int argc, char** argv, std::vector<std::unique_ptr<Command>> commands);

}  // namespace pedigree::cli
