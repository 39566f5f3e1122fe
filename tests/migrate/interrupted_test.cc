// An import that is killed, or whose disk is full, goes on when it is run again and makes the same.
// MIGRATE_KILLS says how often to kill.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/migrate/mlmd_files.h"
#include "tests/store/random.h"

namespace pedigree::migrate {
namespace {

int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  int64_t value = 0;
  return text != nullptr && absl::SimpleAtoi(text, &value) ? value : otherwise;
}

class Interrupted : public ::testing::Test {
 protected:
  Interrupted() : copy_("random_history.sqlite") { copy_.Grow(); }

  pid_t StartImport(const char* flag = nullptr) const {
    const pid_t pid = fork();
    if (pid != 0) return pid;
    // Small buffers, so that much is on the disk by the time of the kill.
    execl(PEDIGREE, "pedigree", "import", copy_.url().c_str(), "--data_dir", data_dir_.c_str(),
          "--write_buffer_bytes", "131072", flag, nullptr);
    _exit(127);
  }

  // An import that has begun to write and is not done; it stands still. -1 if none could be caught.
  pid_t StopInTheMiddle() const {
    constexpr int kMostAttempts = 20;
    for (int i = 0; i < kMostAttempts; ++i) {
      std::filesystem::remove_all(data_dir_);
      const pid_t pid = StartImport();
      while (!std::filesystem::exists(data_dir_ + "/db/CURRENT")) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      kill(pid, SIGSTOP);
      if (ReadFile(data_dir_ + "/PEDIGREE").find("importing") != std::string::npos) return pid;
      kill(pid, SIGKILL);
      WaitFor(pid);
    }
    return -1;
  }

  // 0 if it ended well, -1 if it was killed.
  static int WaitFor(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  SqliteCopy copy_;
  ScratchDirectory scratch_;
  const std::string data_dir_ = scratch_.path() + "/store";
};

TEST_F(Interrupted, ByKillsAtRandomPointsMakesTheSame) {
  const int64_t kills = FromEnvironment("MIGRATE_KILLS", 50);
  Random random;
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(WaitFor(StartImport()), 0);
  const auto whole = std::chrono::steady_clock::now() - begin;
  const auto expected = ProveUrl(copy_.url(), data_dir_);
  ASSERT_TRUE(IsOk(expected));
  ASSERT_TRUE(expected->ok()) << expected->ToTable();
  int64_t done = 0;
  int64_t finished = 0;
  while (done < kills) {
    std::filesystem::remove_all(data_dir_);
    // Up to three kills of one import before it may end.
    for (int i = 0; i < 3 && done < kills; ++i) {
      const pid_t pid = StartImport();
      std::this_thread::sleep_for(whole * random.Between(0, 999) / 1000);
      kill(pid, SIGKILL);
      if (WaitFor(pid) == 0) {
        ++finished;
        break;
      }
      ++done;
    }
    const bool is_done = std::filesystem::exists(data_dir_ + "/PEDIGREE") &&
                         ReadFile(data_dir_ + "/PEDIGREE").find("ready") != std::string::npos;
    if (!is_done) {
      ASSERT_EQ(WaitFor(StartImport()), 0) << "after " << done << " kills";
    }
    const auto proof = ProveUrl(copy_.url(), data_dir_);
    ASSERT_TRUE(IsOk(proof));
    ASSERT_TRUE(proof->ok()) << proof->ToTable();
    for (size_t digest = 0; digest < kDigestCount; ++digest) {
      ASSERT_EQ(proof->actual.digests[digest].ToHex(), expected->actual.digests[digest].ToHex());
    }
    // So many that end in time are no kills.
    ASSERT_LT(finished, 10 * kills);
  }
}

// The source is written to all the time; each kill hits the load, or a round, or the end.
TEST_F(Interrupted, WhileItFollowsGoesOn) {
  const int64_t kills = FromEnvironment("MIGRATE_KILLS", 50) / 2;
  Random random;
  copy_.Run("PRAGMA journal_mode = WAL");
  int64_t next_id = 10'000;
  const auto write = [&] {
    const int64_t id = ++next_id;
    const int64_t old = random.Between(101, 4000);
    const int64_t now_ms = 1'900'000'000'000 + 1000 * id;
    copy_.Run(absl::StrCat(
        "BEGIN; INSERT INTO Artifact SELECT ", id, ", type_id, 'u', 2, 'late", id, "', NULL, ",
        now_ms, ", ", now_ms, " FROM Artifact WHERE id = 1;",
        "INSERT OR IGNORE INTO Attribution (context_id, artifact_id) VALUES (2, ", id, "), (3, ",
        old, "); INSERT INTO Event VALUES (", id, ", ", id, ", ", old, ", 4, ", now_ms, ");",
        "UPDATE Execution SET last_known_state = 4, last_update_time_since_epoch = ", now_ms,
        " WHERE id = ", old, "; COMMIT"));
  };
  for (int64_t done = 0; done < kills; ++done) {
    // Every fifth begins anew.
    if (done % 5 == 0) std::filesystem::remove_all(data_dir_);
    const pid_t pid = StartImport("--follow");
    const int64_t writes = random.Between(0, 60);
    for (int64_t i = 0; i < writes; ++i) {
      write();
      std::this_thread::sleep_for(std::chrono::milliseconds(random.Between(0, 40)));
    }
    kill(pid, SIGKILL);
    ASSERT_EQ(WaitFor(pid), -1);
    if (done % 5 != 4) continue;
    const pid_t last = StartImport("--follow");
    while (!std::filesystem::exists(data_dir_ + "/PEDIGREE") ||
           ReadFile(data_dir_ + "/PEDIGREE").find("following") == std::string::npos) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    for (int64_t i = 0; i < 20; ++i) write();
    // A signal that comes before it waits for one ends it as any other; the next one goes on.
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    kill(last, SIGTERM);
    if (WaitFor(last) != 0) {
      ASSERT_EQ(WaitFor(StartImport()), 0);
    }
    const auto proof = ProveUrl(copy_.url(), data_dir_);
    ASSERT_TRUE(IsOk(proof));
    ASSERT_TRUE(proof->ok()) << "after " << done + 1 << " kills\n" << proof->ToTable();
  }
}

TEST_F(Interrupted, GoesOnOnlyIfTheSourceHasNotChanged) {
  const pid_t pid = StopInTheMiddle();
  ASSERT_GT(pid, 0) << "every import was done before it could be stopped";
  // It reads a snapshot, so the file can only be changed once it is gone.
  kill(pid, SIGKILL);
  EXPECT_EQ(WaitFor(pid), -1);
  copy_.Run("UPDATE Artifact SET uri = 'new', last_update_time_since_epoch = 99999 WHERE id = 200");
  const auto refused = ImportUrl(copy_.url(), data_dir_);
  // Nothing may have been written yet, and then nothing is continued.
  if (!refused.ok()) {
    EXPECT_TRUE(Fails(refused, absl::StatusCode::kFailedPrecondition, "source has changed"));
  }
}

}  // namespace
}  // namespace pedigree::migrate
