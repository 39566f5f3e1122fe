// The high-water mark: never ahead of what is durable, not far behind it, and in nobody's way.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "store/directory.h"
#include "store/high_water.h"
#include "store/rocksdb_engine.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using ml_metadata::Artifact;

std::string MarkPath(const std::string& data_dir) { return data_dir + "/HIGH_WATER"; }

// The mark once it is more than `than`; fails the test if it does not come.
uint64_t MarkAbove(uint64_t than, const std::string& data_dir) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::chrono::steady_clock::now() < deadline) {
    const auto mark = ReadHighWater(data_dir);
    EXPECT_TRUE(IsOk(mark));
    if (mark.value_or(0) > than) return *mark;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ADD_FAILURE() << "the mark does not come";
  return 0;
}

uint64_t LastSequenceOf(const std::string& data_dir) {
  RocksDbOptions options;
  options.directory = DatabaseDirectory(data_dir);
  options.mode = OpenMode::kReadOnly;
  const auto engine = OpenRocksDb(options);
  EXPECT_TRUE(IsOk(engine));
  return engine.ok() ? (*engine)->LastSequence() : 0;
}

TEST(HighWater, IsReadAsWritten) {
  const ScratchDirectory scratch;
  for (const uint64_t sequence : {uint64_t{0}, uint64_t{1}, uint64_t{184}, UINT64_MAX}) {
    ASSERT_TRUE(IsOk(WriteHighWater(scratch.path(), sequence)));
    EXPECT_EQ(*ReadHighWater(scratch.path()), sequence);
  }
  EXPECT_FALSE(fs::exists(MarkPath(scratch.path()) + ".next"));
}

TEST(HighWater, IsAsFormatSays) {
  std::string block;
  const std::string page = ReadFile(PEDIGREE_STORE_DIR "/FORMAT.md");
  const std::vector<std::string> lines = absl::StrSplit(page, '\n');
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i] != "```high_water") continue;
    for (++i; lines[i] != "```"; ++i) block += lines[i] + "\n";
  }
  const ScratchDirectory scratch;
  ASSERT_TRUE(IsOk(WriteHighWater(scratch.path(), 184)));
  EXPECT_EQ(ReadFile(MarkPath(scratch.path())), block);
}

TEST(HighWater, IsZeroWhereThereIsNone) {
  const ScratchDirectory scratch;
  EXPECT_EQ(*ReadHighWater(scratch.path()), 0u);
}

TEST(HighWater, AnyDamageIsDataLoss) {
  const ScratchDirectory scratch;
  ASSERT_TRUE(IsOk(WriteHighWater(scratch.path(), 184)));
  const std::string text = ReadFile(MarkPath(scratch.path()));
  const auto expect_damaged = [&](const std::string& damaged) {
    WriteFile(MarkPath(scratch.path()), damaged);
    EXPECT_TRUE(Fails(ReadHighWater(scratch.path()), StatusCode::kDataLoss, "HIGH_WATER"))
        << damaged;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    expect_damaged(text.substr(0, i));
    std::string flipped = text;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    expect_damaged(flipped);
  }
  expect_damaged(text + "\n");
  expect_damaged(std::string(text.size(), '\0'));
}

TEST(HighWater, ComesAfterTheWritesAndIsExactAfterClosing) {
  for (const Sync sync : {Sync::kAlways, Sync::kInterval, Sync::kNever}) {
    TestStore store(sync);
    ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
    store.Reopen();
    const uint64_t before = *ReadHighWater(store.data_dir());
    EXPECT_GT(before, 0u);
    ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
    // What is never synced is not known to be durable before it is closed.
    if (sync != Sync::kNever) MarkAbove(before, store.data_dir());
    store.Close();
    const uint64_t after = *ReadHighWater(store.data_dir());
    EXPECT_GT(after, before);
    EXPECT_EQ(after, LastSequenceOf(store.data_dir()));
  }
}

TEST(HighWater, OfWritesThatAreNotSyncedStaysBehind) {
  TestStore store(Sync::kNever);
  store.Reopen();
  const uint64_t before = *ReadHighWater(store.data_dir());
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
  std::this_thread::sleep_for(2 * kHighWaterInterval);
  EXPECT_EQ(*ReadHighWater(store.data_dir()), before);
}

// Sequence numbers must not run backwards by themselves: opening and closing, with and without
// writes, with and without a log to replay.
TEST(HighWater, IsNeverAheadOfAStoreThatIsWhole) {
  Random random;
  TestStore store(Sync::kAlways);
  int64_t artifacts = 0;
  for (int round = 0; round < 30; ++round) {
    for (int64_t writes = random.Between(0, 3); writes > 0; --writes) {
      ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
      ++artifacts;
    }
    if (random.OneIn(2)) {  // As after a crash that came when everything had its mark.
      const ScratchDirectory scratch;
      StoreOptions options = store.options();
      options.data_dir = scratch.path() + "/store";
      fs::create_directory(options.data_dir);
      CopyDirectory(store.database(), options.data_dir + "/db");
      fs::copy_file(store.data_dir() + "/PEDIGREE", options.data_dir + "/PEDIGREE");
      ASSERT_TRUE(IsOk(WriteHighWater(options.data_dir, LastSequenceOf(options.data_dir))));
      for (int twice = 0; twice < 2; ++twice) {
        auto crashed = Store::Open(options);
        ASSERT_TRUE(IsOk(crashed));
        EXPECT_EQ((*crashed)->Verify()->nodes[IndexOf(NodeKind::kArtifact)], artifacts);
      }
    }
    store.Reopen();
  }
}

TEST(HighWater, ThatCannotBeWrittenStopsNothing) {
  TestStore store(Sync::kAlways);
  store.Reopen();
  const uint64_t before = *ReadHighWater(store.data_dir());
  const std::string in_the_way = MarkPath(store.data_dir()) + ".next";
  fs::create_directory(in_the_way);
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
  std::this_thread::sleep_for(2 * kHighWaterInterval);
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
  store.Reopen();
  EXPECT_EQ(*ReadHighWater(store.data_dir()), before);
  EXPECT_EQ(Problems(store), "");
  fs::remove(in_the_way);
  MarkAbove(before, store.data_dir());
}

// A file that a crash left in the middle of writing the mark.
TEST(HighWater, HalfWrittenBesideItsPlaceIsIgnored) {
  TestStore store(Sync::kAlways);
  store.Close();
  WriteFile(MarkPath(store.data_dir()) + ".next", "pedi");
  store.Open();
  EXPECT_EQ(Problems(store), "");
}

TEST(HighWater, AheadOfTheDatabaseIsRefusedInOneLine) {
  TestStore store(Sync::kAlways);
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
  store.Close();
  const uint64_t mark = *ReadHighWater(store.data_dir());
  ASSERT_TRUE(IsOk(WriteHighWater(store.data_dir(), mark + 1)));
  const absl::Status refused = Store::Open(store.options()).status();
  EXPECT_TRUE(Fails(refused, StatusCode::kDataLoss, "acknowledged writes are missing"));
  for (const std::string& part : {store.data_dir(), std::string("restore a backup"),
                                  absl::StrCat(mark), absl::StrCat(mark + 1)}) {
    EXPECT_TRUE(absl::StrContains(refused.message(), part)) << part << ": " << refused;
  }
  EXPECT_FALSE(absl::StrContains(refused.message(), "\n"));
  // The way out for who has no backup.
  fs::remove(MarkPath(store.data_dir()));
  store.Open();
  EXPECT_EQ(Problems(store), "");
}

TEST(HighWater, ThatIsDamagedIsRefusedInOneLine) {
  TestStore store(Sync::kAlways);
  store.Close();
  WriteFile(MarkPath(store.data_dir()), "pedigree high water\nsequence 1\n");
  const absl::Status refused = Store::Open(store.options()).status();
  EXPECT_TRUE(Fails(refused, StatusCode::kDataLoss, "restore a backup"));
  EXPECT_TRUE(absl::StrContains(refused.message(), store.data_dir())) << refused;
  EXPECT_FALSE(absl::StrContains(refused.message(), "\n"));
}

}  // namespace
}  // namespace pedigree
