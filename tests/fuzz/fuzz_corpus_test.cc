// Every input of the corpus, through what the fuzzer drives, in the normal build.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "server/methods.h"
#include "tests/fuzz/request_driver.h"

namespace pedigree::testing {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> CorpusFiles() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(FUZZ_CORPUS)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::string ReadFile(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

TEST(FuzzCorpus, EveryInputIsAnsweredProperly) {
  RequestDriver driver;
  // Twice: the second time the inputs meet what the first time stored.
  for (int round = 0; round < 2; ++round) {
    for (const fs::path& file : CorpusFiles()) {
      EXPECT_EQ(driver.Run(ReadFile(file)), "") << file;
    }
  }
  EXPECT_EQ(driver.Verify(), "");
}

TEST(FuzzCorpus, PrefixesOfEveryInputAreAnsweredProperly) {
  RequestDriver driver;
  for (const fs::path& file : CorpusFiles()) {
    const std::string input = ReadFile(file);
    const size_t step = 1 + input.size() / 20;
    for (size_t size = 0; size < input.size(); size += step) {
      EXPECT_EQ(driver.Run(input.substr(0, size)), "") << file << " cut to " << size;
    }
  }
  EXPECT_EQ(driver.Verify(), "");
}

TEST(FuzzCorpus, HasInputsForEveryMethodAndIsSmall) {
  std::set<std::string> methods;
  uintmax_t bytes = 0;
  for (const fs::path& file : CorpusFiles()) {
    const std::string input = ReadFile(file);
    if (!input.empty()) methods.insert(std::string(RequestDriver::MethodOf(input)));
    bytes += input.size();
  }
  for (const Method& method : AllMethods()) {
    EXPECT_TRUE(methods.contains(std::string(method.name))) << method.name;
  }
  EXPECT_LT(bytes, 200'000U);
}

}  // namespace
}  // namespace pedigree::testing
