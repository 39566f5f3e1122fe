// The real program: data directories that are in use, foreign, newer, read-only or damaged.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "tests/server/refused_start.h"

namespace pedigree::testing {
namespace {

namespace fs = std::filesystem;

TEST(DataDirectory, IsOpenedByOneServerOnly) {
  const auto first = StartServer();
  ASSERT_NE(first, nullptr);
  ExpectServes(*first);
  ExpectRefusesInOneLine(Flags(first->data_dir()), {"open in another process"});
  ExpectServes(*first);
  ASSERT_TRUE(first->Stop().ok());
  ASSERT_TRUE(first->Restart().ok());
  ExpectServes(*first);
}

TEST(DataDirectory, OfSomeoneElseIsLeftAsItIs) {
  const TempDirectory directory;
  WriteFile(directory.Below("precious.txt"), "data");
  const auto before = Contents(directory.path());
  ExpectRefusesInOneLine(Flags(directory.path()),
                         {directory.path(), "is not a Pedigree store", "precious.txt"});
  EXPECT_EQ(Contents(directory.path()), before);
}

TEST(DataDirectory, WithAForeignMarkerIsLeftAsItIs) {
  const TempDirectory directory;
  WriteFile(directory.Below("PEDIGREE"), "ancestors of a dog\n");
  const auto before = Contents(directory.path());
  ExpectRefusesInOneLine(Flags(directory.path()), {directory.path(), "is not a Pedigree store"});
  EXPECT_EQ(Contents(directory.path()), before);
}

TEST(DataDirectory, ThatIsAFileIsRefused) {
  const TempDirectory directory;
  WriteFile(directory.Below("file"), "data");
  ExpectRefusesInOneLine(Flags(directory.Below("file")),
                         {directory.Below("file"), "must name a directory"});
  ExpectRefusesInOneLine(Flags(directory.Below("file/below")), {"must name a directory"});
  EXPECT_EQ(ReadFile(directory.Below("file")), "data");
}

// A store that was used and stopped in good order.
class UsedStore : public ::testing::Test {
 protected:
  void SetUp() override {
    server_ = StartServer();
    ASSERT_NE(server_, nullptr);
    ExpectServes(*server_);
    const absl::Status stopped = server_->Stop();
    ASSERT_TRUE(stopped.ok()) << stopped;
  }
  const std::string& data_dir() const { return server_->data_dir(); }
  std::string marker() const { return data_dir() + "/PEDIGREE"; }

  void ExpectStartsAgain() {
    const absl::Status restarted = server_->Restart();
    ASSERT_TRUE(restarted.ok()) << restarted;
    ExpectServes(*server_);
  }

  std::unique_ptr<ServerProcess> server_;
};

TEST_F(UsedStore, OfANewerFormatIsRefusedAndUnharmed) {
  const std::string text = ReadFile(marker());
  WriteFile(marker(), absl::StrReplaceAll(text, {{"format ", "format 9"}}));
  const auto before = Contents(data_dir());
  ExpectRefusesInOneLine(Flags(data_dir()), {data_dir(), "format 91", "use a newer pedigreed"});
  EXPECT_EQ(Contents(data_dir()), before);
  WriteFile(marker(), text);
  ExpectStartsAgain();
}

TEST_F(UsedStore, ThatCannotBeWrittenIsRefusedAndUnharmed) {
  const bool is_root = geteuid() == 0;
  // Who owns nothing can read everything and write nothing.
  fs::permissions(fs::path(data_dir()).parent_path(), fs::perms(0755));
  for (const auto& entry : fs::recursive_directory_iterator(data_dir())) {
    fs::permissions(entry.path(), entry.is_directory() ? fs::perms(0555) : fs::perms(0444));
  }
  fs::permissions(data_dir(), fs::perms(0555));
  ExpectRefusesInOneLine(Flags(data_dir()), {data_dir(), "write permission"}, is_root);
  for (const auto& entry : fs::recursive_directory_iterator(data_dir())) {
    fs::permissions(entry.path(), entry.is_directory() ? fs::perms(0755) : fs::perms(0644));
  }
  fs::permissions(data_dir(), fs::perms(0755));
  ExpectStartsAgain();
}

TEST_F(UsedStore, ThatCannotEvenBeReadIsRefused) {
  const bool is_root = geteuid() == 0;
  fs::permissions(fs::path(data_dir()).parent_path(), fs::perms(0755));
  fs::permissions(data_dir(), fs::perms(0000));
  ExpectRefusesInOneLine(Flags(data_dir()), {data_dir(), "permission"}, is_root);
  fs::permissions(data_dir(), fs::perms(0755));
  ExpectStartsAgain();
}

TEST(DataDirectory, ThatCannotBeMadeIsRefused) {
  const bool is_root = geteuid() == 0;
  const TempDirectory directory;
  fs::permissions(directory.path(), fs::perms(0555));
  ExpectRefusesInOneLine(Flags(directory.Below("new")), {directory.Below("new"), "permission"},
                         is_root);
  ExpectRefusesInOneLine(Flags(directory.path()), {directory.path(), "permission"}, is_root);
  EXPECT_TRUE(fs::is_empty(directory.path()));
}

TEST_F(UsedStore, WithAMissingOrCutFileIsRefusedNeverReplaced) {
  const std::string database = data_dir() + "/db";
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(database)) {
    const std::string name = entry.path().filename();
    // Logs for people, and what RocksDB makes anew.
    if (absl::StartsWith(name, "LOG") || name == "LOCK" || name == "IDENTITY" ||
        absl::StartsWith(name, "OPTIONS") || entry.file_size() == 0) {
      continue;
    }
    files.push_back(entry.path());
  }
  ASSERT_GE(files.size(), 3U);
  for (const std::string& file : files) {
    SCOPED_TRACE(file);
    const std::string bytes = ReadFile(file);
    fs::remove(file);
    ExpectRefuses(Flags(data_dir()), {data_dir(), "restore a backup"});
    EXPECT_FALSE(fs::exists(file)) << "made anew, as if nothing had been there";
    WriteFile(file, bytes);
    if (absl::StrContains(file, ".log")) continue;  // A torn end of a log was never acknowledged.
    WriteFile(file, bytes.substr(0, bytes.size() / 2));
    ExpectRefuses(Flags(data_dir()), {data_dir(), "restore a backup"});
    WriteFile(file, bytes);
  }
  fs::rename(database, database + ".away");
  ExpectRefuses(Flags(data_dir()), {data_dir(), "restore a backup"});
  fs::remove_all(database);
  fs::rename(database + ".away", database);
  ExpectStartsAgain();
}

}  // namespace
}  // namespace pedigree::testing
