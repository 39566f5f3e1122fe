// Backups: what is in them, what shares a directory, what a restore makes of them, and what is done
// about damage and interruption.
#include "store/backup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/backup_directory.h"
#include "store/directory.h"
#include "store/high_water.h"
#include "store/restore.h"
#include "tests/store/graph_difference.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Event;
using ml_metadata::Execution;

// A store with some of everything, and a directory for its backups.
class BackupTest : public testing::Test {
 protected:
  BackupTest() {
    artifact_type_ = PutType<Artifact>(store_, "m");
    execution_type_ = PutType<Execution>(store_, "e");
    context_type_ = PutType<Context>(store_, "c");
    Write(20);
  }

  std::string directory() const { return store_.scratch().path() + "/backups"; }
  std::string target() const { return store_.scratch().path() + "/restored"; }

  // Steps with an output each, in one context.
  void Write(int steps) {
    for (int i = 0; i < steps; ++i) {
      EXPECT_TRUE(IsOk(store_->Write([&](Transaction& transaction) {
        const std::string name = absl::StrCat("n", ++written_);
        Context context = NewNode<Context>(context_type_, name);
        absl::Status status = transaction.Insert(&context, {}).status();
        Artifact artifact = NewNode<Artifact>(artifact_type_, name);
        artifact.set_uri("s3://" + name);
        status.Update(transaction.Insert(&artifact, {context.id()}).status());
        Execution execution = NewNode<Execution>(execution_type_, name);
        status.Update(transaction.Insert(&execution, {context.id()}).status());
        Event event;
        event.set_artifact_id(artifact.id());
        event.set_execution_id(execution.id());
        event.set_type(Event::OUTPUT);
        event.set_milliseconds_since_epoch(5);
        if (status.ok()) status = AddEvents(transaction, {&event});
        return status;
      })));
    }
  }

  absl::StatusOr<Backup> BackUp(uint32_t keep = 0) {
    return store_->BackUp({.directory = directory(), .keep = keep});
  }
  // Backs up, without a write, until a backup finds its table files there: compactions in the
  // background may bring new ones for a while.
  absl::StatusOr<Backup> BackUpWhatIsThere() {
    absl::StatusOr<Backup> backup;
    for (int i = 0; i < 50; ++i) {
      backup = BackUp();
      if (!backup.ok() || backup->new_bytes < backup->bytes / 2) break;
    }
    return backup;
  }
  absl::StatusOr<RestoreReport> Restore(uint32_t id = 0) const {
    return RestoreBackup({.directory = directory(), .data_dir = target(), .backup_id = id});
  }

  // All keys of the store in a directory, which nobody has open.
  static std::vector<std::pair<std::string, std::string>> KeysOf(const std::string& data_dir) {
    return RawDatabase(DatabaseDirectory(data_dir)).All();
  }

  // Opens what was restored as a server does, and looks whether it is sound and can be written.
  void ExpectUsable() {
    StoreOptions options = store_.options();
    options.data_dir = target();
    auto opened = Store::Open(options);
    ASSERT_TRUE(IsOk(opened));
    auto report = (*opened)->Verify();
    ASSERT_TRUE(IsOk(report));
    EXPECT_EQ(report->problem_count, 0) << report->problems.front();
    EXPECT_TRUE(IsOk((*opened)->Read(Blocking::kAllowed, [&](const Reader& reader) {
      EXPECT_EQ(GraphDifference(reader), "");
      return absl::OkStatus();
    })));
    EXPECT_TRUE(IsOk((*opened)->Write([&](Transaction& transaction) {
      Artifact artifact = NewNode<Artifact>(artifact_type_, "after");
      return transaction.Insert(&artifact, {}).status();
    })));
  }

  TestStore store_;
  int64_t artifact_type_ = 0;
  int64_t execution_type_ = 0;
  int64_t context_type_ = 0;
  int64_t written_ = 0;
};

TEST_F(BackupTest, RestoresEveryKey) {
  const auto backup = BackUp();
  ASSERT_TRUE(IsOk(backup));
  EXPECT_EQ(backup->id, 1u);
  EXPECT_EQ(backup->new_bytes, backup->bytes);
  store_.Close();
  const auto report = Restore();
  ASSERT_TRUE(IsOk(report));
  EXPECT_EQ(report->backup.id, 1u);
  EXPECT_TRUE(report->is_newest);
  EXPECT_EQ(report->verified.problem_count, 0);
  EXPECT_EQ(report->verified.nodes[IndexOf(NodeKind::kExecution)], written_);
  EXPECT_EQ(report->verified.events, written_);
  EXPECT_GT(report->keys, written_);
  EXPECT_EQ(KeysOf(target()), KeysOf(store_.data_dir()));
  ExpectUsable();
}

TEST_F(BackupTest, HasWhatWasWrittenBeforeAndNothingOfAfter) {
  ASSERT_TRUE(IsOk(BackUp()));
  const int64_t before = written_;
  Write(5);
  const auto report = Restore();
  ASSERT_TRUE(IsOk(report));
  EXPECT_EQ(report->verified.nodes[IndexOf(NodeKind::kArtifact)], before);
}

TEST_F(BackupTest, TheNextCopiesWhatIsNewOnly) {
  Write(500);
  const auto first = BackUp();
  ASSERT_TRUE(IsOk(first));
  const auto second = BackUpWhatIsThere();
  ASSERT_TRUE(IsOk(second));
  EXPECT_LT(second->new_bytes, second->bytes / 2);
  Write(1);
  const auto third = BackUp();
  ASSERT_TRUE(IsOk(third));
  EXPECT_EQ(third->id, second->id + 1);
  const auto backups = ListBackups(directory());
  ASSERT_TRUE(IsOk(backups));
  ASSERT_EQ(backups->size(), third->id);
  EXPECT_EQ((*backups)[0].bytes, first->bytes);
  EXPECT_LT((*backups)[0].sequence, backups->back().sequence);
  EXPECT_EQ((*backups)[0].store, (*backups)[1].store);
  EXPECT_EQ((*backups)[1].format, kFirstFormatVersion);
}

// RocksDB's buffer grows with the rate.
TEST_F(BackupTest, TakesEveryRate) {
  for (const uint64_t rate : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 40, ~uint64_t{0}}) {
    BackupOptions options = {.directory = directory()};
    options.max_bytes_per_second = rate;
    EXPECT_TRUE(IsOk(store_->BackUp(options))) << rate;
  }
}

TEST_F(BackupTest, KeepsTheNewestWhenToldTo) {
  ASSERT_TRUE(IsOk(BackUp()));
  Write(1);
  ASSERT_TRUE(IsOk(BackUp()));
  Write(1);
  ASSERT_TRUE(IsOk(BackUp(2)));
  const auto backups = ListBackups(directory());
  ASSERT_TRUE(IsOk(backups));
  ASSERT_EQ(backups->size(), 2u);
  EXPECT_EQ((*backups)[0].id, 2u);
  ASSERT_TRUE(IsOk(Restore(2)));
  EXPECT_TRUE(Fails(Restore(1), StatusCode::kNotFound));
}

TEST_F(BackupTest, AnOlderOneIsNotTakenForTheNewest) {
  ASSERT_TRUE(IsOk(BackUp()));
  const int64_t old = written_;
  Write(3);
  ASSERT_TRUE(IsOk(BackUp()));
  const auto report = Restore(1);
  ASSERT_TRUE(IsOk(report));
  EXPECT_FALSE(report->is_newest);
  EXPECT_EQ(report->verified.events, old);
  StoreOptions options = store_.options();
  options.data_dir = target();
  auto restored = Store::Open(options);
  ASSERT_TRUE(IsOk(restored));
  // However much it writes.
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(IsOk((*restored)->Write([&](Transaction& transaction) {
      Artifact artifact = NewNode<Artifact>(artifact_type_);
      return transaction.Insert(&artifact, {}).status();
    })));
  }
  EXPECT_TRUE(Fails((*restored)->BackUp({.directory = directory()}),
                    StatusCode::kFailedPrecondition, "use a directory of its own"));
  ASSERT_TRUE(IsOk((*restored)->BackUp({.directory = directory() + "2"})));
  EXPECT_TRUE(IsOk(BackUp()));
}

TEST_F(BackupTest, TheNewestIsGoneOnFrom) {
  ASSERT_TRUE(IsOk(BackUp()));
  store_.Close();
  ASSERT_TRUE(IsOk(Restore()));
  StoreOptions options = store_.options();
  options.data_dir = target();
  auto restored = Store::Open(options);
  ASSERT_TRUE(IsOk(restored));
  const auto next = (*restored)->BackUp({.directory = directory()});
  ASSERT_TRUE(IsOk(next));
  EXPECT_EQ(next->id, 2u);
}

TEST_F(BackupTest, ACopyOfTheStoreThatIsBehindIsRefused) {
  ASSERT_TRUE(IsOk(BackUp()));
  store_.Close();
  CopyDirectory(store_.data_dir(), target());
  store_.Open();
  Write(1);
  ASSERT_TRUE(IsOk(BackUp()));
  StoreOptions options = store_.options();
  options.data_dir = target();
  auto copy = Store::Open(options);
  ASSERT_TRUE(IsOk(copy));
  EXPECT_TRUE(Fails((*copy)->BackUp({.directory = directory()}), StatusCode::kFailedPrecondition));
}

TEST_F(BackupTest, OfARestoredStoreTheMarkStandsWhereItEnds) {
  ASSERT_TRUE(IsOk(BackUp()));
  const auto report = Restore();
  ASSERT_TRUE(IsOk(report));
  const auto mark = ReadHighWater(target());
  ASSERT_TRUE(IsOk(mark));
  EXPECT_GE(*mark, report->backup.sequence);
  EXPECT_GT(*mark, 0u);
  // The database of an older backup in its place is found.
  Write(1);
  ASSERT_TRUE(IsOk(BackUp()));
  const std::string newer = target() + "2";
  ASSERT_TRUE(IsOk(RestoreBackup({.directory = directory(), .data_dir = newer})));
  fs::remove_all(newer + "/db");
  CopyDirectory(target() + "/db", newer + "/db");
  StoreOptions options = store_.options();
  options.data_dir = newer;
  EXPECT_TRUE(Fails(Store::Open(options), StatusCode::kDataLoss));
}

TEST_F(BackupTest, DoesWithoutTheSnapshotOfLineage) {
  store_.Close();
  StoreOptions options = store_.options();
  options.log_events_per_snapshot = 1;
  {
    auto opened = Store::Open(options);
    ASSERT_TRUE(IsOk(opened));
    for (int i = 0; i < 600 && !fs::exists(store_.data_dir() + "/LINEAGE"); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    ASSERT_TRUE(fs::exists(store_.data_dir() + "/LINEAGE"));
  }
  store_.Open();
  ASSERT_TRUE(IsOk(BackUp()));
  ASSERT_TRUE(IsOk(Restore()));
  EXPECT_FALSE(fs::exists(target() + "/LINEAGE"));
  ExpectUsable();
}

TEST_F(BackupTest, NothingThatIsThereIsOverwritten) {
  ASSERT_TRUE(IsOk(BackUp()));
  EXPECT_TRUE(Fails(RestoreBackup({.directory = directory(), .data_dir = store_.data_dir()}),
                    StatusCode::kFailedPrecondition, "holds a store already"));
  fs::create_directory(target());
  WriteFile(target() + "/mine", "text");
  EXPECT_TRUE(Fails(Restore(), StatusCode::kFailedPrecondition, "'mine'"));
  EXPECT_EQ(ReadFile(target() + "/mine"), "text");
  EXPECT_TRUE(Fails(RestoreBackup({.directory = directory(), .data_dir = directory() + "/new"}),
                    StatusCode::kInvalidArgument));
  EXPECT_EQ(Problems(store_), "");
}

TEST_F(BackupTest, AnUnfinishedRestoreIsNoStoreAndCanBeRunAgain) {
  ASSERT_TRUE(IsOk(BackUp()));
  RestoreOptions options = {.directory = directory(), .data_dir = target()};
  options.report = [](const CopyProgress&) { return false; };
  EXPECT_TRUE(Fails(RestoreBackup(options), StatusCode::kCancelled));
  StoreOptions store = store_.options();
  store.data_dir = target();
  EXPECT_TRUE(Fails(Store::Open(store), StatusCode::kFailedPrecondition, "pedigree restore"));
  EXPECT_TRUE(Fails(PrepareImport(target(), 1), StatusCode::kFailedPrecondition, "a restore into"));
  EXPECT_TRUE(Fails(ReadMarkerFormat(target()), StatusCode::kFailedPrecondition));
  // As a kill in the middle leaves it.
  fs::create_directories(target() + "/db");
  WriteFile(target() + "/db/000099.sst", "half");
  WriteFile(target() + "/db/CURRENT", "MANIFEST-000099\n");
  ASSERT_TRUE(IsOk(Restore()));
  EXPECT_FALSE(fs::exists(target() + "/db/000099.sst"));
  ExpectUsable();
}

TEST_F(BackupTest, WhoComesWhileARestoreRunsLeavesItsMarkerAlone) {
  ASSERT_TRUE(IsOk(BackUp()));
  {
    const auto lock = DirectoryLock::Take(target());
    ASSERT_TRUE(IsOk(lock));
    ASSERT_TRUE(IsOk(PrepareRestore(target(), 1)));
    EXPECT_TRUE(Fails(Restore(), StatusCode::kFailedPrecondition, "another process"));
    ASSERT_TRUE(IsOk(MarkReady(target())));
    EXPECT_TRUE(Fails(Restore(), StatusCode::kFailedPrecondition, "another process"));
  }
  EXPECT_TRUE(Fails(Restore(), StatusCode::kFailedPrecondition, "holds a store already"));
  EXPECT_EQ(*ReadMarkerFormat(target()), 1u);
}

TEST_F(BackupTest, OneThatIsEndedEarlyLeavesTheOthers) {
  ASSERT_TRUE(IsOk(BackUp()));
  Write(5);
  for (const auto phase : {CopyProgress::Phase::kReadingBack}) {
    BackupOptions options = {.directory = directory()};
    options.report = [&](const CopyProgress& progress) { return progress.phase != phase; };
    EXPECT_TRUE(Fails(store_->BackUp(options), StatusCode::kCancelled));
    const auto backups = ListBackups(directory());
    ASSERT_TRUE(IsOk(backups));
    EXPECT_EQ(backups->size(), 1u);
  }
  ASSERT_TRUE(IsOk(Restore(1)));
  Write(5);
  EXPECT_TRUE(IsOk(BackUp()));
  fs::remove_all(target());
  ASSERT_TRUE(IsOk(Restore()));
  EXPECT_EQ(Problems(store_), "");
}

TEST_F(BackupTest, WhatAKilledOneLeavesIsNoBackup) {
  ASSERT_TRUE(IsOk(BackUp()));
  // RocksDB names a backup when all of it is there.
  fs::create_directories(directory() + "/private/2");
  WriteFile(directory() + "/private/2/MANIFEST-000005", "half");
  WriteFile(directory() + "/shared_checksum/000099_sABCDEF_10.sst.tmp", "half");
  WriteFile(directory() + "/meta/.2.tmp", "half");
  auto backups = ListBackups(directory());
  ASSERT_TRUE(IsOk(backups));
  EXPECT_EQ(backups->size(), 1u);
  ASSERT_TRUE(IsOk(Restore()));
  Write(1);
  const auto next = BackUp();
  ASSERT_TRUE(IsOk(next));
  EXPECT_EQ(next->id, 2u);
  EXPECT_FALSE(fs::exists(directory() + "/shared_checksum/000099_sABCDEF_10.sst.tmp"));
}

// Every file that a backup has, and what a flipped bit in it does.
TEST_F(BackupTest, AFlippedBitIsFound) {
  Write(50);
  ASSERT_TRUE(IsOk(BackUp()));
  Random random;
  int flipped = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory())) {
    const std::string path = entry.path();
    if (!entry.is_regular_file() || entry.file_size() == 0 ||
        (path.find("/private/") == std::string::npos &&
         path.find("/shared_checksum/") == std::string::npos)) {
      continue;
    }
    SCOPED_TRACE(path);
    const std::string whole = ReadFile(path);
    std::string damaged = whole;
    damaged[random.Index(damaged.size())] ^= static_cast<char>(1 << random.Between(0, 7));
    WriteFile(path, damaged);
    fs::remove_all(target());
    EXPECT_TRUE(Fails(Restore(), StatusCode::kDataLoss));
    StoreOptions store = store_.options();
    store.data_dir = target();
    EXPECT_TRUE(Fails(Store::Open(store), StatusCode::kFailedPrecondition));
    WriteFile(path, whole);
    ++flipped;
  }
  EXPECT_GE(flipped, 4);  // A table, the manifest, CURRENT and the options.
  ASSERT_TRUE(IsOk(Restore()));
}

// A damaged table file has the right name and size: without a look at its bytes, the next backup
// would take it for its own.
TEST_F(BackupTest, DamageThatTheNextBackupWouldShareIsFound) {
  Write(500);
  const auto last = BackUpWhatIsThere();
  ASSERT_TRUE(IsOk(last));
  ASSERT_LT(last->new_bytes, last->bytes / 2);
  for (const auto& entry : fs::directory_iterator(directory() + "/shared_checksum")) {
    std::string damaged = ReadFile(entry.path());
    damaged[damaged.size() / 2] ^= 1;
    WriteFile(entry.path(), damaged);
  }
  EXPECT_TRUE(Fails(BackUp(), StatusCode::kDataLoss));
  auto backups = ListBackups(directory());
  ASSERT_TRUE(IsOk(backups));
  EXPECT_EQ(backups->size(), last->id);
}

TEST_F(BackupTest, AMissingFileIsListedAndNothingIsAddedToIt) {
  ASSERT_TRUE(IsOk(BackUp()));
  Write(1);
  ASSERT_TRUE(IsOk(BackUp()));
  fs::path manifest;
  for (const auto& entry : fs::directory_iterator(directory() + "/private/2")) {
    if (entry.path().filename().string().starts_with("MANIFEST")) manifest = entry.path();
  }
  ASSERT_TRUE(fs::remove(manifest));
  const auto backups = ListBackups(directory());
  ASSERT_TRUE(IsOk(backups));
  ASSERT_EQ(backups->size(), 2u);
  EXPECT_FALSE((*backups)[0].is_damaged);
  EXPECT_TRUE((*backups)[1].is_damaged);
  EXPECT_TRUE(Fails(BackUp(), StatusCode::kDataLoss, "backups 2"));
  EXPECT_TRUE(Fails(Restore(), StatusCode::kDataLoss, "backup 2"));
  const auto report = Restore(1);
  ASSERT_TRUE(IsOk(report));
  EXPECT_FALSE(report->is_newest);
}

TEST_F(BackupTest, OneAtATime) {
  ASSERT_TRUE(IsOk(BackUp()));
  {
    auto lock = BackupLock::Take(directory(), LockKind::kExclusive);
    ASSERT_TRUE(IsOk(lock));
    EXPECT_TRUE(Fails(BackUp(), StatusCode::kAlreadyExists));
    EXPECT_TRUE(Fails(Restore(), StatusCode::kFailedPrecondition, "is being made"));
    EXPECT_TRUE(IsOk(ListBackups(directory())));
  }
  {
    auto lock = BackupLock::Take(directory(), LockKind::kShared);
    ASSERT_TRUE(IsOk(lock));
    EXPECT_TRUE(Fails(BackUp(), StatusCode::kAlreadyExists));
    EXPECT_TRUE(IsOk(Restore()));
  }
  EXPECT_TRUE(IsOk(BackUp()));
}

TEST_F(BackupTest, OtherDirectoriesAreLeftAlone) {
  const std::string foreign = store_.scratch().path() + "/foreign";
  fs::create_directory(foreign);
  WriteFile(foreign + "/mine", "text");
  EXPECT_TRUE(Fails(store_->BackUp({.directory = foreign}), StatusCode::kFailedPrecondition));
  EXPECT_EQ(std::distance(fs::directory_iterator(foreign), fs::directory_iterator()), 1);
  const std::string link = store_.scratch().path() + "/link";
  fs::create_directory_symlink(store_.data_dir(), link);
  for (const std::string& inside :
       {store_.data_dir(), store_.data_dir() + "/backups", store_.data_dir() + "/db/../b",
        link + "/backups", link + "/", store_.scratch().path()}) {
    EXPECT_TRUE(Fails(store_->BackUp({.directory = inside}), StatusCode::kInvalidArgument))
        << inside;
  }
  EXPECT_TRUE(Fails(ListBackups(foreign), StatusCode::kFailedPrecondition));
  EXPECT_TRUE(Fails(ListBackups(foreign + "/none"), StatusCode::kNotFound));
  EXPECT_TRUE(Fails(RestoreBackup({.directory = foreign, .data_dir = target()}),
                    StatusCode::kFailedPrecondition));
  EXPECT_FALSE(fs::exists(target()));
}

TEST_F(BackupTest, LeavesRoomForTheStoreOnTheSameDisk) {
  EXPECT_TRUE(Fails(store_->BackUp({.directory = directory(), .reserve_bytes = uint64_t{1} << 62}),
                    StatusCode::kResourceExhausted, "same disk"));
  Write(1);
  EXPECT_TRUE(IsOk(ListBackups(directory())));
}

// Writers that never stop; what was acknowledged when a backup was begun is in it, and it is one
// state.
class BackupUnderLoad : public testing::TestWithParam<Sync> {};

TEST_P(BackupUnderLoad, HasAllThatWasAcknowledged) {
  TestStore store(GetParam());
  const int64_t artifact_type = PutType<Artifact>(store, "m");
  const int64_t execution_type = PutType<Execution>(store, "e");
  constexpr int kWriters = 3;
  std::atomic<bool> stopping = false;
  std::vector<std::atomic<int64_t>> acknowledged(kWriters);
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      for (int64_t n = 1; !stopping; ++n) {
        // Two nodes that come together, or not at all.
        const absl::Status status = store->Write([&](Transaction& transaction) {
          const std::string name = absl::StrCat(writer, "-", n);
          Artifact artifact = NewNode<Artifact>(artifact_type, name);
          (*artifact.mutable_custom_properties())["p"].set_string_value(std::string(2000, 'x'));
          absl::Status inserted = transaction.Insert(&artifact, {}).status();
          Execution execution = NewNode<Execution>(execution_type, name);
          inserted.Update(transaction.Insert(&execution, {}).status());
          return inserted;
        });
        EXPECT_TRUE(IsOk(status));
        acknowledged[static_cast<size_t>(writer)] = n;
        // All that is written is looked up later: not more than that takes a moment.
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
  }
  const std::string directory = store.scratch().path() + "/backups";
  std::vector<std::vector<int64_t>> before;
  for (int i = 0; i < 6; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    before.emplace_back();
    for (const auto& count : acknowledged) before.back().push_back(count);
    EXPECT_TRUE(IsOk(store->BackUp({.directory = directory})));
  }
  stopping = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Problems(store), "");
  for (uint32_t id = 1; id <= before.size(); ++id) {
    SCOPED_TRACE(id);
    const std::string target = absl::StrCat(store.scratch().path(), "/restored", id);
    const auto report =
        RestoreBackup({.directory = directory, .data_dir = target, .backup_id = id});
    ASSERT_TRUE(IsOk(report));
    EXPECT_EQ(report->verified.problem_count, 0);
    StoreOptions options = store.options();
    options.data_dir = target;
    auto opened = Store::Open(options);
    ASSERT_TRUE(IsOk(opened));
    EXPECT_TRUE(IsOk((*opened)->Read(Blocking::kAllowed, [&](const Reader& reader) {
      EXPECT_EQ(reader.version().last_id(NodeKind::kArtifact),
                reader.version().last_id(NodeKind::kExecution));
      for (int writer = 0; writer < kWriters; ++writer) {
        for (int64_t n = 1; n <= before[id - 1][static_cast<size_t>(writer)]; ++n) {
          const auto found = reader.FindIdByName(NodeKind::kExecution, execution_type,
                                                 absl::StrCat(writer, "-", n));
          EXPECT_TRUE(found.ok() && found->has_value()) << writer << "-" << n;
        }
      }
      return absl::OkStatus();
    })));
  }
}

INSTANTIATE_TEST_SUITE_P(EverySync, BackupUnderLoad,
                         testing::Values(Sync::kAlways, Sync::kInterval, Sync::kNever));

TEST(BackupDescription, IsReadAsItWasWritten) {
  const BackupDescription description = {2, 184, "a b"};
  const auto read = BackupDescription::Decode(description.Encode());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->format, 2u);
  EXPECT_EQ(read->sequence, 184u);
  EXPECT_EQ(read->store, "a b");
  for (const char* text : {"", "pedigree backup 1\n", "pedigree backup 2\nformat 1\nsequence 1\n",
                           "pedigree backup 1\nformat x\nsequence 1\nstore a\n"}) {
    EXPECT_FALSE(BackupDescription::Decode(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace pedigree
