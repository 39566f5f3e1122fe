// Every input of the filter corpus, through what the fuzzer checks, in the normal build.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "query/filter_parser.h"
#include "tests/fuzz/filter_driver.h"

namespace pedigree::testing {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> Corpus() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(FILTER_CORPUS)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> inputs;
  for (const fs::path& file : files) {
    std::stringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    inputs.push_back(text.str());
  }
  return inputs;
}

TEST(FilterCorpus, EveryInputAndItsPrefixesAreTreatedProperly) {
  for (const std::string& input : Corpus()) {
    for (size_t size = 0; size <= input.size(); ++size) {
      EXPECT_EQ(FaultOfFilter(absl::string_view(input).substr(0, size)), "")
          << input << " cut to " << size;
    }
  }
}

TEST(FilterCorpus, EveryInputWithAByteChangedIsTreatedProperly) {
  for (const std::string& input : Corpus()) {
    for (size_t at = 0; at < input.size(); ++at) {
      for (const char byte : {'(', ')', '\'', '`', '\\', '-', '.', ' ', '0', '\0', '\xff'}) {
        std::string changed = input;
        changed[at] = byte;
        EXPECT_EQ(FaultOfFilter(changed), "") << changed;
      }
    }
  }
}

TEST(FilterCorpus, IsSmallAndMostOfItParses) {
  const std::vector<std::string> inputs = Corpus();
  size_t bytes = 0;
  size_t parsed = 0;
  for (const std::string& input : inputs) {
    bytes += input.size();
    for (const NodeKind kind : kNodeKinds) {
      if (ParseFilter(kind, absl::string_view(input).substr(1)).ok()) {
        ++parsed;
        break;
      }
    }
  }
  EXPECT_GT(inputs.size(), 50U);
  EXPECT_GT(2 * parsed, inputs.size());
  EXPECT_LT(bytes, 20'000U);
}

}  // namespace
}  // namespace pedigree::testing
