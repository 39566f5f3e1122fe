// Which of the two programs answers: `pedigree` alone where a server is asked, pedigree-full for
// all else.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "tests/cli/session.h"
#include "tests/store/scratch_directory.h"

namespace pedigree::cli {
namespace {

namespace fs = std::filesystem;

TEST(Program, AsksServersAloneAndSaysWhatItMissesForTheRest) {
  const ScratchDirectory scratch;
  fs::copy_file(fs::path(PEDIGREE_PROGRAM_DIR) / "pedigree", fs::path(scratch.path()) / "pedigree");
  const Shell alone = {
      .program_dir = scratch.path(), .server = "127.0.0.1:1", .data_dir = "", .work_dir = ""};
  EXPECT_TRUE(absl::StartsWith(alone.Run("pedigree --version"), "pedigree "));
  EXPECT_TRUE(absl::StrContains(alone.Run("pedigree get artifact:1"), "cannot reach 127.0.0.1:1"));
  EXPECT_TRUE(absl::StrContains(alone.Run("pedigree get --help"), "Examples:"));
  for (const char* command :
       {"pedigree", "pedigree --help", "pedigree lineage artifact:1", "pedigree no-such-command",
        "pedigree get artifact:1 --data_dir d", "pedigree ls artifacts --data_dir=d"}) {
    EXPECT_EQ(alone.Run(command), "pedigree: cannot start " + scratch.path() +
                                      "/pedigree-full, which belongs beside pedigree: No such file "
                                      "or directory\n[exit code 1]\n")
        << command;
  }
  const Shell both = {
      .program_dir = PEDIGREE_PROGRAM_DIR, .server = "127.0.0.1:1", .data_dir = "", .work_dir = ""};
  EXPECT_TRUE(absl::StrContains(both.Run("pedigree lineage artifact:1"), "cannot reach"));
  EXPECT_TRUE(
      absl::StrContains(both.Run("pedigree get artifact:1 --data_dir none"), "[exit code 3]"));
}

}  // namespace
}  // namespace pedigree::cli
