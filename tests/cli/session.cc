#include "tests/cli/session.h"

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace pedigree::cli {
namespace {

std::string Quoted(const std::string& text) { return absl::StrCat("'", text, "'"); }

}  // namespace

std::string Replay(absl::string_view text, Text kind,
                   const std::function<std::string(const std::string& command)>& run) {
  std::string replayed;
  bool is_within = kind == Text::kSession;  // Of what may be commands and output.
  bool is_output = false;
  for (absl::string_view line : absl::StrSplit(absl::StripSuffix(text, "\n"), '\n')) {
    if (kind == Text::kPage && absl::StartsWith(line, "```")) {
      is_within = !is_within;
      is_output = false;
    }
    absl::string_view command = line;
    if (is_within && absl::ConsumePrefix(&command, "$ ")) {
      absl::StrAppend(&replayed, line, "\n", run(std::string(command)));
      is_output = true;
      continue;
    }
    if (kind == Text::kSession && absl::StartsWith(line, "# ")) is_output = false;
    if (!is_output) absl::StrAppend(&replayed, line, "\n");
  }
  return replayed;
}

std::string Shell::Run(const std::string& command) const {
  std::string line = absl::StrCat("PATH=", Quoted(program_dir), ":$PATH; export PATH; USER=alice; ",
                                  "export USER; ");
  if (!server.empty()) absl::StrAppend(&line, "export PEDIGREE_SERVER=", Quoted(server), "; ");
  if (!data_dir.empty()) {
    absl::StrAppend(&line, "pedigree() { command pedigree \"$@\" --data_dir ", Quoted(data_dir),
                    "; }; ");
  }
  if (!work_dir.empty()) absl::StrAppend(&line, "cd ", Quoted(work_dir), " || exit; ");
  absl::StrAppend(&line, "exec 2>&1; ", command);
  FILE* pipe = popen(line.c_str(), "r");
  if (pipe == nullptr) return "cannot start /bin/sh\n";
  std::string output;
  std::array<char, 4096> buffer;
  size_t size = 0;
  while ((size = fread(buffer.data(), 1, buffer.size(), pipe)) > 0) {
    output.append(buffer.data(), size);
  }
  const int status = pclose(pipe);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (code != 0) absl::StrAppend(&output, "[exit code ", code, "]\n");
  return output;
}

}  // namespace pedigree::cli
