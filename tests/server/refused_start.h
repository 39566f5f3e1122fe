// Starts of the real program that must fail, and the directories that they must leave alone.
//
// Threading: as Program.
//
// Example:
//   const TempDirectory directory;
//   ExpectRefusesInOneLine(Flags(directory.path()), {"is not a Pedigree store"});
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/server/process_fixture.h"
#include "tests/server/program.h"

namespace pedigree::testing {

// A directory that goes with the test.
class TempDirectory {
 public:
  TempDirectory() {
    path_ = (std::filesystem::temp_directory_path() / "pedigree-start-XXXXXX").string();
    if (mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "cannot create " << path_;
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string Below(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string ReadFile(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// Names and contents of everything below a directory.
inline std::map<std::string, std::string> Contents(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    files[entry.path()] = entry.is_regular_file() ? ReadFile(entry.path()) : "";
  }
  return files;
}

inline std::vector<std::string> Flags(const std::string& data_dir,
                                      std::vector<std::string> extra = {}) {
  std::vector<std::string> flags = {"--listen=127.0.0.1", "--grpc_port=0",
                                    "--data_dir=" + data_dir};
  flags.insert(flags.end(), extra.begin(), extra.end());
  return flags;
}

// Expects that the program ends with code 1 after one line of its own that holds all of `parts`.
inline void ExpectRefuses(const std::vector<std::string>& flags,
                          const std::vector<std::string>& parts, bool as_nobody = false) {
  Program program({.path = kPedigreed, .args = flags, .as_nobody = as_nobody});
  const auto end = program.WaitForEnd(absl::Seconds(10));
  const std::string output = program.Output();
  ASSERT_TRUE(end.has_value()) << "still runs; it printed:\n" << output;
  EXPECT_EQ(end->code, 1) << end->ToString() << "\n" << output;
  EXPECT_EQ(end->signal, 0) << end->ToString() << "\n" << output;
  EXPECT_EQ(program.OwnLines().size(), 1U) << output;
  for (const std::string& part : parts) {
    EXPECT_TRUE(absl::StrContains(output, part)) << "not there: " << part << "\n" << output;
  }
}

// The same, where nothing else may be printed.
inline void ExpectRefusesInOneLine(const std::vector<std::string>& flags,
                                   const std::vector<std::string>& parts, bool as_nobody = false) {
  ExpectRefuses(flags, parts, as_nobody);
  Program program({.path = kPedigreed, .args = flags, .as_nobody = as_nobody});
  program.WaitForEnd();
  const std::string output = program.Output();
  EXPECT_EQ(std::count(output.begin(), output.end(), '\n'), 1) << output;
  EXPECT_LT(output.size(), 1024U) << output;
}

}  // namespace pedigree::testing
