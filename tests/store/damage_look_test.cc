// Opening a database only to look at it: it changes nothing, keeps others out, and sees what
// RocksDB does not look for.
#include <gtest/gtest.h>
#include <rocksdb/file_system.h>
#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "store/directory.h"
#include "store/high_water.h"
#include "store/keys.h"
#include "store/rocksdb_engine.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using ml_metadata::Artifact;

RocksDbOptions OptionsToLook(const std::string& data_dir) {
  RocksDbOptions options;
  options.directory = DatabaseDirectory(data_dir);
  options.mode = OpenMode::kReadOnly;
  options.block_cache_bytes = size_t{1} << 20;
  options.write_buffer_bytes = size_t{1} << 20;
  return options;
}

// Everything about every file and directory that a change would change.
std::map<std::string, std::string> StateOf(const std::string& directory) {
  std::map<std::string, std::string> state;
  const auto add = [&](const fs::path& path) {
    struct stat entry = {};
    ASSERT_EQ(lstat(path.c_str(), &entry), 0) << path;
    state[path] = absl::StrCat(entry.st_ino, " ", entry.st_mode, " ", entry.st_size, " ",
                               entry.st_mtim.tv_sec, ".", entry.st_mtim.tv_nsec, " ",
                               S_ISREG(entry.st_mode) ? ReadFile(path) : "");
  };
  add(directory);
  for (const auto& entry : fs::recursive_directory_iterator(directory)) add(entry.path());
  return state;
}

TEST(Look, ChangesNoFileWhateverIsThere) {
  TestStore store(Sync::kAlways);
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
  // As closed, and as a crash leaves it, with a log that holds writes.
  const ScratchDirectory scratch;
  const std::string crashed = scratch.path() + "/crashed";
  CopyDirectory(store.data_dir(), crashed);
  store.Close();
  for (const std::string& data_dir : {store.data_dir(), crashed}) {
    SCOPED_TRACE(data_dir);
    const auto before = StateOf(data_dir);
    {
      auto engine = OpenRocksDb(OptionsToLook(data_dir));
      ASSERT_TRUE(IsOk(engine));
      EXPECT_TRUE(
          (*engine)->CurrentView()->Get(CountersKey().Encode(), Blocking::kAllowed)->has_value());
      EXPECT_GE((*engine)->LastSequence(), *ReadHighWater(data_dir));
      EXPECT_TRUE(Fails((*engine)->Apply({{true, "x", ""}}, Durability::kSynced),
                        StatusCode::kFailedPrecondition));
    }
    EXPECT_TRUE(StateOf(data_dir) == before);
    for (const char* part : {"CURRENT", "MANIFEST", ".sst", ".log"}) {
      for (const auto& entry : fs::directory_iterator(DatabaseDirectory(data_dir))) {
        if (!absl::StrContains(entry.path().string(), part) || entry.file_size() == 0) continue;
        const std::string content = ReadFile(entry.path());
        fs::resize_file(entry.path(), content.size() / 2);
        const auto damaged = StateOf(data_dir);
        (void)OpenRocksDb(OptionsToLook(data_dir));
        EXPECT_TRUE(StateOf(data_dir) == damaged) << entry.path();
        WriteFile(entry.path(), content);
      }
    }
  }
}

TEST(Look, KeepsOthersOutAndIsKeptOut) {
  TestStore store(Sync::kAlways);
  EXPECT_TRUE(Fails(OpenRocksDb(OptionsToLook(store.data_dir())), StatusCode::kFailedPrecondition,
                    "another process"));
  store.Close();
  auto engine = OpenRocksDb(OptionsToLook(store.data_dir()));
  ASSERT_TRUE(IsOk(engine));
  EXPECT_TRUE(
      Fails(Store::Open(store.options()), StatusCode::kFailedPrecondition, "another process"));
  engine->reset();
  EXPECT_TRUE(IsOk(Store::Open(store.options())));
}

// A file system on which no table file is begun until it is opened: so a log stays that would go
// with the flush.
class SlowTables final : public rocksdb::FileSystemWrapper {
 public:
  SlowTables() : rocksdb::FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "SlowTables"; }

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    if (absl::EndsWith(path, ".sst")) {
      std::unique_lock<std::mutex> lock(mutex_);
      opened_.wait(lock, [this] { return is_open_; });
    }
    return target()->NewWritableFile(path, options, file, debug);
  }

  void Open() {
    std::lock_guard<std::mutex> lock(mutex_);
    is_open_ = true;
    opened_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool is_open_ = false;  // Guarded by mutex_.
};

// The logs that hold something, the older first.
std::vector<std::string> LogsOf(const std::string& data_dir) {
  std::vector<std::string> logs;
  for (const auto& entry : fs::directory_iterator(DatabaseDirectory(data_dir))) {
    if (entry.path().extension() == ".log" && entry.file_size() > 0) logs.push_back(entry.path());
  }
  std::sort(logs.begin(), logs.end());
  return logs;
}

// What a crash leaves between two memtables: two logs.
class TwoLogs : public testing::Test {
 protected:
  void SetUp() override {
    store_.Close();
    StoreOptions options = store_.options();
    options.write_buffer_bytes = size_t{64} << 10;
    const auto files = std::make_shared<SlowTables>();
    options.file_system = files;
    auto store = Store::Open(options);
    ASSERT_TRUE(IsOk(store));
    while (artifacts_ < 100 && LogsOf(store_.data_dir()).size() < 2) {
      ASSERT_TRUE(IsOk((*store)->Write([](Transaction& transaction) {
        Artifact artifact = NewNode<Artifact>(1);
        artifact.set_uri(std::string(3000, 'u'));
        return transaction.Insert(&artifact, {}).status();
      })));
      ++artifacts_;
    }
    fs::create_directory(image());
    CopyDirectory(store_.database(), image() + "/db");
    fs::copy_file(store_.data_dir() + "/PEDIGREE", image() + "/PEDIGREE");
    files->Open();
    store->reset();
    ASSERT_EQ(LogsOf(image()).size(), 2u);
  }

  std::string image() const { return scratch_.path() + "/image"; }
  absl::StatusOr<int64_t> Open() const {
    StoreOptions options = store_.options();
    options.data_dir = image();
    auto store = Store::Open(options);
    if (!store.ok()) return store.status();
    return (*store)->Verify()->nodes[IndexOf(NodeKind::kArtifact)];
  }

  TestStore store_{Sync::kAlways};
  ScratchDirectory scratch_;
  int64_t artifacts_ = 0;
};

TEST_F(TwoLogs, AreBothReplayed) { EXPECT_EQ(*Open(), artifacts_); }

TEST_F(TwoLogs, WithTheEndOfTheFirstCutOffAreDataLoss) {
  const std::string log = LogsOf(image())[0];
  fs::resize_file(log, fs::file_size(log) - 1);
  const auto before = StateOf(image());
  EXPECT_TRUE(Fails(Open(), StatusCode::kDataLoss, "restore a backup"));
  EXPECT_TRUE(Fails(Open(), StatusCode::kDataLoss, image()));
  EXPECT_TRUE(StateOf(image()) == before);
}

TEST_F(TwoLogs, WithoutTheFirstAreDataLoss) {
  fs::remove(LogsOf(image())[0]);
  const auto opened = Open();
  EXPECT_TRUE(Fails(opened, StatusCode::kDataLoss, "restore a backup"))
      << opened.value_or(-1) << " of " << artifacts_ << " artifacts are left";
}

}  // namespace
}  // namespace pedigree
