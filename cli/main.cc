// pedigree: the commands that only ask a server, and the way to all others.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
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
  return commands;
}

// Whether one of the commands is asked for, and not of a store that only pedigree-full can open.
bool IsForServer(const std::vector<std::unique_ptr<Command>>& commands,
                 const std::vector<absl::string_view>& arguments) {
  if (arguments.empty()) return false;
  if (arguments[0] == "--version") return true;
  const bool is_here = std::any_of(commands.begin(), commands.end(), [&](const auto& command) {
    return arguments[0] == command->name();
  });
  return is_here && std::none_of(arguments.begin(), arguments.end(), [](absl::string_view text) {
           return text == "--data_dir" || absl::StartsWith(text, "--data_dir=");
         });
}

// Comes back only if it cannot.
int BecomeFull(char** argv) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string full = self.parent_path() / "pedigree-full";
  execv(full.c_str(), argv);
  std::fprintf(stderr, "pedigree: cannot start %s, which belongs beside pedigree: %s\n",
               full.c_str(), std::strerror(errno));
  return 1;
}

int Main(int argc, char** argv) {
  auto commands = MakeCommands();
  if (!IsForServer(commands, {argv + std::min(argc, 1), argv + argc})) return BecomeFull(argv);
  return RunProgram(argc, argv, std::move(commands));
}

}  // namespace
}  // namespace pedigree::cli

int main(int argc, char** argv) { return pedigree::cli::Main(argc, argv); }
