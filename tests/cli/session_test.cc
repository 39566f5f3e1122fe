// What every command prints, word for word: the sessions of tests/data/cli/sessions and the page in
// README.md, against a server and against its stopped store. With UPDATE_GOLDEN=1 the files are
// written instead of compared; look at the difference before you commit it.
#include "tests/cli/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/cli/fixture.h"

namespace pedigree::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kReadme[] = PEDIGREE_README;
constexpr char kPageBegin[] = "<!-- sessions -->\n";
constexpr char kPageEnd[] = "<!-- /sessions -->";

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool IsUpdate() {
  const char* value = std::getenv("UPDATE_GOLDEN");
  return value != nullptr && *value != '\0';
}

// Without what is of this run: the server's address, the store's directory, times that are not of
// the history, ages, and how many bytes files and memory have.
std::string Normal(std::string text, const std::string& address, const std::string& data_dir) {
  text = absl::StrReplaceAll(text, {{address, "localhost:8080"}, {data_dir, "pedigree-data"}});
  static const std::regex kNow(R"(20\d\d-(?!03-)\d\d-\d\dT[\d:.]+Z)");
  text = std::regex_replace(text, kNow, "NOW");
  static const std::regex kSpaced(R"(20\d\d-(?!03-)\d\d-\d\d \d\d:\d\d:\d\d)");
  text = std::regex_replace(text, kSpaced, "YYYY-MM-DD hh:mm:ss");
  static const std::regex kNumber(
      R"re((completed (?=\d+ ms)|"(?:age_ms|since_ms|created_s|bytes)": ")\d+)re");
  text = std::regex_replace(text, kNumber, "$1NNN");
  static const std::regex kUpTime(R"(( up for +).*)");
  text = std::regex_replace(text, kUpTime, "$1NNN");
  // Of backups and statistics.
  static const std::regex kSize(
      R"((backup \d+ of |, ?|hh:mm:ss  |disk +|memory +|cache +)\d+(\.\d)? [KMG]?i?B\b)");
  return std::regex_replace(text, kSize, "$1NN.N KiB");
}

// Commands that are about servers, files, or the program alone, not about a store.
bool IsOfAnyStore(const std::string& command) {
  for (const char* part : {"--server", "--tls", "--help", "--version", "completion", "--data_dir",
                           "export verify", "backup list"}) {
    if (absl::StrContains(command, part)) return false;
  }
  // The first is about what a server did since it started, the second has no options.
  if (absl::StrContains(command, "cache stats") || command == "pedigree cache") return false;
  return absl::StrContains(command, "pedigree ");
}

// The text as it is played against a server, and then against the store; both must be the same.
std::string PlayTwice(const std::string& text, Text kind) {
  const HistoryStore history;
  const auto server = history.Serve();
  if (server == nullptr) return "";
  const Shell by_server = {.program_dir = kProgramDir,
                           .server = server->address(),
                           .data_dir = "",
                           .work_dir = history.WorkDirectory("by-server")};
  std::vector<std::string> outputs;
  const std::string played = Replay(text, kind, [&](const std::string& command) {
    outputs.push_back(Normal(by_server.Run(command), server->address(), history.data_dir()));
    return outputs.back();
  });
  const Shell by_store = {.program_dir = kProgramDir,
                          .server = "",
                          .data_dir = history.data_dir(),
                          .work_dir = history.WorkDirectory("by-store")};
  size_t next = 0;
  Replay(text, kind, [&](const std::string& command) {
    const std::string& output = outputs[next++];
    // What comes after may need the files that such a command makes.
    if (!absl::StrContains(command, "pedigree ")) by_store.Run(command);
    if (!IsOfAnyStore(command)) return output;
    EXPECT_EQ(Normal(by_store.Run(command), server->address(), history.data_dir()), output)
        << command << " with --data_dir";
    return output;
  });
  return played;
}

std::vector<std::string> Sessions() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kTestData + "/sessions")) {
    names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Session : public ::testing::TestWithParam<std::string> {};

TEST_P(Session, PrintsWhatItDid) {
  const std::string path = absl::StrCat(kTestData, "/sessions/", GetParam(), ".txt");
  const std::string text = ReadFile(path);
  const std::string played = PlayTwice(text, Text::kSession);
  if (IsUpdate()) {
    std::ofstream(path, std::ios::binary) << played;
  } else {
    EXPECT_EQ(played, text) << path << " (UPDATE_GOLDEN=1 writes it anew)";
  }
}

INSTANTIATE_TEST_SUITE_P(All, Session, ::testing::ValuesIn(Sessions()),
                         [](const auto& session) { return session.param; });

TEST(Readme, HasThePageThatTheCommandsPrint) {
  const std::string readme = ReadFile(kReadme);
  const size_t begin = readme.find(kPageBegin);
  const size_t end = readme.find(kPageEnd);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const size_t from = begin + std::string(kPageBegin).size();
  const std::string page = readme.substr(from, end - from);
  ASSERT_TRUE(absl::StrContains(page, "$ pedigree "));
  const std::string played = PlayTwice(page, Text::kPage);
  if (IsUpdate()) {
    std::ofstream(kReadme, std::ios::binary)
        << readme.substr(0, from) << played << readme.substr(end);
  } else {
    EXPECT_EQ(played, page) << "(UPDATE_GOLDEN=1 writes it anew)";
  }
}

TEST(Replay, ReplacesOutputAndKeepsTheRest) {
  const auto run = [](const std::string& command) { return absl::StrCat("<", command, ">\n"); };
  EXPECT_EQ(Replay("# one\n$ a\nold\n$ b\n# two\n", Text::kSession, run),
            "# one\n$ a\n<a>\n$ b\n<b>\n# two\n");
  EXPECT_EQ(Replay("$ no\n```\n$ a\nold\n```\ntext\n", Text::kPage, run),
            "$ no\n```\n$ a\n<a>\n```\ntext\n");
}

}  // namespace
}  // namespace pedigree::cli
