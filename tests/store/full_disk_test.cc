// A disk that fills: what fails says so, what was acknowledged stays, and a restart writes again
// once there is room. Needs a user who may mount; else every test is skipped with the reason.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "store/backup.h"
#include "store/restore.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using ml_metadata::Artifact;

absl::StatusOr<std::unique_ptr<Store>> Open(const std::string& data_dir) {
  StoreOptions options;
  options.data_dir = data_dir;
  options.block_cache_bytes = size_t{4} << 20;
  options.write_buffer_bytes = size_t{4} << 20;
  return Store::Open(options);
}

// A program that dies leaves no mount behind: its mounts are its own. Mounting needs a program that
// has no threads yet, so this runs before the first test.
class OwnMounts final : public testing::Environment {
 public:
  void SetUp() override {
    if (unshare(CLONE_NEWNS) != 0 ||
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      error = errno;
    }
  }
  static inline int error = 0;
};
const auto* const kOwnMounts = testing::AddGlobalTestEnvironment(new OwnMounts);

// A small disk in memory, mounted at path(); not ok() where this user may not mount.
class SmallDisk {
 public:
  explicit SmallDisk(size_t bytes) {
    fs::create_directory(path());
    error_ = OwnMounts::error;
    const std::string size = absl::StrCat("size=", bytes);
    if (error_ == 0 && mount("tmpfs", path().c_str(), "tmpfs", 0, size.c_str()) != 0) {
      error_ = errno;
    }
  }
  ~SmallDisk() {
    if (!ok()) return;
    EXPECT_EQ(umount(path().c_str()), 0) << std::strerror(errno);
  }

  bool ok() const { return error_ == 0; }
  std::string why_not() const { return std::string("cannot mount: ") + std::strerror(error_); }
  std::string path() const { return scratch_.path() + "/disk"; }
  void Resize(size_t bytes) {
    const std::string size = absl::StrCat("size=", bytes);
    ASSERT_EQ(mount("tmpfs", path().c_str(), "tmpfs", MS_REMOUNT, size.c_str()), 0);
  }

 private:
  ScratchDirectory scratch_;
  int error_ = 0;
};

TEST(FullDisk, CreatingFailsAndIsCompletedOnceThereIsRoom) {
  for (const size_t bytes : {4096, 8192, 16384, 32768, 65536, 98304}) {
    SmallDisk disk(bytes);
    if (!disk.ok()) GTEST_SKIP() << disk.why_not();
    SCOPED_TRACE(bytes);
    const auto full = Open(disk.path() + "/store");
    if (full.ok()) continue;
    EXPECT_TRUE(Fails(full, StatusCode::kResourceExhausted, "free space"));
    disk.Resize(size_t{64} << 20);
    auto store = Open(disk.path() + "/store");
    ASSERT_TRUE(IsOk(store));
    auto report = (*store)->Verify();
    EXPECT_TRUE(report.ok() && report->ok());
  }
}

// An artifact of this size, which does not compress.
absl::Status InsertOfSize(Store& store, size_t bytes) {
  static Random random(1);
  std::string text(bytes, '\0');
  for (char& character : text) character = static_cast<char>(random.Between(' ', '~'));
  return store.Write([&](Transaction& transaction) {
    Artifact artifact = NewNode<Artifact>(1);
    (*artifact.mutable_custom_properties())["p"].set_string_value(text);
    return transaction.Insert(&artifact, {}).status();
  });
}

TEST(FullDisk, WritesFailReadsGoOnAndARestartWritesAgainOnceThereIsRoom) {
  SmallDisk disk(size_t{3} << 20);
  if (!disk.ok()) GTEST_SKIP() << disk.why_not();
  int64_t stored = 0;
  {
    auto store = Open(disk.path() + "/store");
    ASSERT_TRUE(IsOk(store));
    EXPECT_TRUE(IsOk((*store)->WriteStatus()));
    absl::Status status;
    while (stored < 100 && (status = InsertOfSize(**store, 100'000)).ok()) ++stored;
    ASSERT_TRUE(Fails(status, StatusCode::kResourceExhausted, "free space"));
    EXPECT_GT(stored, 0);
    EXPECT_TRUE(Fails((*store)->WriteStatus(), StatusCode::kResourceExhausted));
    EXPECT_TRUE(Fails(InsertOfSize(**store, 100), StatusCode::kResourceExhausted));
    EXPECT_TRUE(IsOk((*store)->Read(Blocking::kAllowed, [&](const Reader& reader) -> absl::Status {
      EXPECT_TRUE(reader.FindRecord(NodeKind::kArtifact, stored)->has_value());
      EXPECT_FALSE(reader.FindRecord(NodeKind::kArtifact, stored + 1)->has_value());
      return absl::OkStatus();
    })));

    disk.Resize(size_t{64} << 20);
    EXPECT_TRUE(Fails(InsertOfSize(**store, 100), StatusCode::kResourceExhausted, "restart"));
  }
  auto store = Open(disk.path() + "/store");
  ASSERT_TRUE(IsOk(store));
  ASSERT_TRUE(IsOk(InsertOfSize(**store, 100)));
  auto report = (*store)->Verify();
  ASSERT_TRUE(IsOk(report));
  EXPECT_TRUE(report->ok()) << report->problems[0];
  // The write that failed may have reached the disk whole; nobody was told that it had not.
  EXPECT_GE(report->nodes[IndexOf(NodeKind::kArtifact)], stored + 1);
  EXPECT_LE(report->nodes[IndexOf(NodeKind::kArtifact)], stored + 2);
}

void FillUp(const std::string& disk) {
  std::ofstream file(disk + "/filler", std::ios::binary);
  const std::string page(4096, 'f');
  while (file.write(page.data(), 4096).flush()) {
  }
}

TEST(FullDisk, AnOpenWithoutRoomKeepsTheStore) {
  SmallDisk disk(size_t{8} << 20);
  if (!disk.ok()) GTEST_SKIP() << disk.why_not();
  const std::string data_dir = disk.path() + "/store";
  {
    auto store = Open(data_dir);
    ASSERT_TRUE(IsOk(store));
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(IsOk(InsertOfSize(**store, 1000)));
  }
  FillUp(disk.path());
  EXPECT_TRUE(Fails(Open(data_dir), StatusCode::kResourceExhausted, "free space"));
  EXPECT_TRUE(Fails(Open(data_dir), StatusCode::kResourceExhausted, "free space"));
  fs::remove(disk.path() + "/filler");
  auto store = Open(data_dir);
  ASSERT_TRUE(IsOk(store));
  auto report = (*store)->Verify();
  ASSERT_TRUE(IsOk(report));
  EXPECT_TRUE(report->ok());
  EXPECT_EQ(report->nodes[IndexOf(NodeKind::kArtifact)], 10);
}

TEST(FullDisk, ABackupWithoutRoomLeavesTheOthersAndTheStore) {
  SmallDisk disk(size_t{8} << 20);
  if (!disk.ok()) GTEST_SKIP() << disk.why_not();
  ScratchDirectory scratch;
  auto store = Open(scratch.path() + "/store");
  ASSERT_TRUE(IsOk(store));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(IsOk(InsertOfSize(**store, 100'000)));
  BackupOptions options = {.directory = disk.path() + "/backups"};
  ASSERT_TRUE(IsOk((*store)->BackUp(options)));
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(IsOk(InsertOfSize(**store, 100'000)));
  EXPECT_TRUE(Fails((*store)->BackUp(options), StatusCode::kResourceExhausted, "no room"));
  // Somebody else takes the room that there was at the beginning.
  disk.Resize(size_t{64} << 20);
  options.report = [&](const CopyProgress& progress) {
    if (progress.bytes > 0) FillUp(disk.path());
    return true;
  };
  const auto full = (*store)->BackUp(options);
  EXPECT_TRUE(Fails(full, StatusCode::kResourceExhausted));
  auto backups = ListBackups(options.directory);
  ASSERT_TRUE(IsOk(backups));
  EXPECT_EQ(backups->size(), 1u);
  // The store does not care, and the old backup is whole.
  ASSERT_TRUE(IsOk(InsertOfSize(**store, 100)));
  const std::string restored = scratch.path() + "/restored";
  const auto report = RestoreBackup({.directory = options.directory, .data_dir = restored});
  ASSERT_TRUE(IsOk(report));
  EXPECT_EQ(report->verified.nodes[IndexOf(NodeKind::kArtifact)], 20);
  fs::remove(disk.path() + "/filler");
  options.report = nullptr;
  const auto next = (*store)->BackUp(options);
  ASSERT_TRUE(IsOk(next));
  EXPECT_EQ(next->id, 2u);
}

TEST(FullDisk, ARestoreWithoutRoomIsNoStoreAndCanBeRunAgain) {
  SmallDisk disk(size_t{2} << 20);
  if (!disk.ok()) GTEST_SKIP() << disk.why_not();
  ScratchDirectory scratch;
  auto store = Open(scratch.path() + "/store");
  ASSERT_TRUE(IsOk(store));
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(IsOk(InsertOfSize(**store, 100'000)));
  ASSERT_TRUE(IsOk((*store)->BackUp({.directory = scratch.path() + "/backups"})));
  RestoreOptions options = {.directory = scratch.path() + "/backups",
                            .data_dir = disk.path() + "/store"};
  EXPECT_TRUE(Fails(RestoreBackup(options), StatusCode::kResourceExhausted, "no room"));
  // The room goes in the middle.
  disk.Resize(size_t{64} << 20);
  options.report = [&](const CopyProgress& progress) {
    if (progress.bytes > 0) disk.Resize(size_t{2} << 20);
    return true;
  };
  EXPECT_TRUE(Fails(RestoreBackup(options), StatusCode::kResourceExhausted, "free space"));
  EXPECT_TRUE(Fails(Open(options.data_dir), StatusCode::kFailedPrecondition, "pedigree restore"));
  disk.Resize(size_t{64} << 20);
  options.report = nullptr;
  ASSERT_TRUE(IsOk(RestoreBackup(options)));
  EXPECT_TRUE(IsOk(Open(options.data_dir)));
}

}  // namespace
}  // namespace pedigree
