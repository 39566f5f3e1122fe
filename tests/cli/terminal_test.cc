// The program on a terminal: colours, width and local times, and none of these elsewhere.
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/text.h"
#include "tests/cli/fixture.h"

namespace pedigree::cli {
namespace {

// What a command prints on a terminal of so many columns.
std::string RunOnTerminal(const std::string& command, unsigned short columns) {
  winsize size = {.ws_row = 25, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  int terminal = -1;
  const pid_t pid = forkpty(&terminal, nullptr, nullptr, &size);
  if (pid == 0) {
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  std::string output;
  std::array<char, 4096> buffer;
  ssize_t got = 0;
  while ((got = read(terminal, buffer.data(), buffer.size())) > 0) {
    output.append(buffer.data(), static_cast<size_t>(got));
  }
  close(terminal);
  waitpid(pid, nullptr, 0);
  return output;
}

class TerminalTest : public ::testing::Test {
 protected:
  std::string Command(const std::string& environment, const std::string& arguments) const {
    return absl::StrCat("TERM=xterm TZ=UTC ", environment, " ", kProgramDir, "/pedigree ",
                        arguments, " --data_dir ", history_.data_dir());
  }

  const HistoryStore history_;
};

TEST_F(TerminalTest, HasColoursAndLocalTimes) {
  const std::string text = RunOnTerminal(Command("", "ls artifacts"), 200);
  EXPECT_TRUE(absl::StrContains(text, "\033[32mLIVE")) << text;
  EXPECT_TRUE(absl::StrContains(text, "2026-03-02 09:04:12")) << text;
  EXPECT_FALSE(absl::StrContains(text, "\033[31mred")) << text;  // Of an artifact's uri.
  const std::string elsewhere = RunOnTerminal(Command("TZ=JST-9", "ls artifacts"), 200);
  EXPECT_TRUE(absl::StrContains(elsewhere, "2026-03-02 18:04:12")) << elsewhere;
}

TEST_F(TerminalTest, RespectsNoColor) {
  for (const char* environment : {"NO_COLOR=1", "TERM=dumb"}) {
    const std::string text = RunOnTerminal(Command(environment, "ls artifacts"), 200);
    EXPECT_FALSE(absl::StrContains(text, "\033")) << text;
    EXPECT_TRUE(absl::StrContains(text, "2026-03-02 09:04:12")) << text;
  }
}

TEST_F(TerminalTest, FitsTheWidth) {
  const std::string text = RunOnTerminal(Command("NO_COLOR=1", "ls artifacts"), 80);
  EXPECT_TRUE(absl::StrContains(text, "churn-v2")) << text;
  for (absl::string_view line : absl::StrSplit(text, "\r\n")) EXPECT_LE(WidthOf(line), 80U) << line;
}

TEST_F(TerminalTest, IsNotWhatAPipeIs) {
  const std::string text = RunOnTerminal(Command("", "ls artifacts") + " | cat", 80);
  EXPECT_FALSE(absl::StrContains(text, "\033")) << text;
  EXPECT_TRUE(absl::StrContains(text, "2026-03-02T09:04:12.000Z")) << text;
}

TEST_F(TerminalTest, SaysHowFarLongWorkIs) {
  const std::string to = history_.Below("x.jsonl");
  const std::string text =
      RunOnTerminal(Command("", absl::StrCat("export --format jsonl --to ", to)), 80);
  EXPECT_TRUE(absl::StrContains(text, "exporting: ")) << text;
  const std::string piped = RunOnTerminal(Command("", "verify") + " 2>&1 | cat", 80);
  EXPECT_TRUE(absl::StrContains(piped, "no problems")) << piped;
  EXPECT_FALSE(absl::StrContains(piped, "checking")) << piped;
}

}  // namespace
}  // namespace pedigree::cli
