#include "tests/cli/lineage/golden.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace pedigree::cli::testing {

void ExpectGolden(const std::string& file, absl::string_view text) {
  const std::string path = std::string(PEDIGREE_SOURCE_DIR "/tests/data/cli/lineage/") + file;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  std::ifstream stream(path, std::ios::binary);
  ASSERT_TRUE(stream) << path << " is missing; UPDATE_GOLDEN=1 writes it";
  std::stringstream expected;
  expected << stream.rdbuf();
  EXPECT_EQ(text, expected.str()) << "as in " << path;
}

}  // namespace pedigree::cli::testing
