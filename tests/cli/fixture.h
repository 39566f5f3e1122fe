// The history of tests/data/cli in a directory of its own, and a server on a copy of it.
//
// Threads: one.
//
//   const HistoryStore history;
//   auto server = history.Serve();
//   Shell{.program_dir = kProgramDir, .data_dir = history.data_dir()}.Run("pedigree types");
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/cli/history.h"
#include "tests/support/server_process.h"

namespace pedigree::cli {

inline const std::string kTestData = PEDIGREE_TEST_DATA;
inline const std::string kProgramDir = PEDIGREE_PROGRAM_DIR;

class HistoryStore {
 public:
  HistoryStore() {
    std::string path = (std::filesystem::temp_directory_path() / "pedigree-cli-XXXXXX").string();
    EXPECT_NE(mkdtemp(path.data()), nullptr);
    root_ = path;
    const absl::Status status = WriteHistory(kTestData + "/history.txt", data_dir());
    EXPECT_TRUE(status.ok()) << status;
  }
  ~HistoryStore() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  HistoryStore(const HistoryStore&) = delete;
  HistoryStore& operator=(const HistoryStore&) = delete;

  std::string data_dir() const { return root_ + "/data"; }
  std::string Below(const std::string& name) const { return absl::StrCat(root_, "/", name); }

  // Makes an empty directory for a shell to work in.
  std::string WorkDirectory(const std::string& name) const {
    std::filesystem::create_directory(Below(name));
    return Below(name);
  }

  // A server on a copy, which may make backups in work directories; REQUIRES: this outlives it.
  // Null, and a failed test, if it does not start.
  std::unique_ptr<testing::ServerProcess> Serve() const {
    const std::string copy = Below("served");
    std::filesystem::copy(data_dir(), copy, std::filesystem::copy_options::recursive);
    auto server = testing::ServerProcess::Start(
        {.program = kProgramDir + "/pedigreed",
         .extra_args = {"--data_dir=" + copy, "--backup_root=" + root_}});
    EXPECT_TRUE(server.ok()) << server.status();
    return server.ok() ? *std::move(server) : nullptr;
  }

 private:
  std::string root_;
};

}  // namespace pedigree::cli
