// The whole tree keeps its rules.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/tidy/checker.h"

namespace pedigree::tidy {
namespace {

namespace fs = std::filesystem;

struct Checked {
  int files = 0;
  std::vector<std::string> problems;
};

Checked CheckFolder(const std::string& folder) {
  Checked checked;
  const fs::path root = PEDIGREE_SOURCE_DIR;
  if (!fs::is_directory(root / folder)) return checked;
  for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
    const std::string path = fs::relative(entry.path(), root);
    if (!entry.is_regular_file() || !IsChecked(path)) continue;
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    ++checked.files;
    for (std::string& problem : CheckFile(path, text.str())) {
      checked.problems.push_back(std::move(problem));
    }
  }
  return checked;
}

TEST(Tree, KeepsItsRules) {
  for (const char* folder : {"store", "query", "server", "bench", "tests", "cli", "migrate"}) {
    const Checked checked = CheckFolder(folder);
    for (const std::string& problem : checked.problems) ADD_FAILURE() << problem;
  }
}

// An empty or misspelt path would pass the test above.
TEST(Tree, IsWhereItIsLookedFor) {
  for (const char* folder : {"store", "query", "server", "tests"}) {
    EXPECT_GT(CheckFolder(folder).files, 2) << folder;
  }
}

}  // namespace
}  // namespace pedigree::tidy
