// What Store::Open refuses, and that it then changes nothing: never a silent empty store, never an
// overwritten file.
#include "store/directory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "store/codec.h"
#include "store/keys.h"
#include "tests/store/other_process.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using ml_metadata::Artifact;

constexpr char kReady[] = "pedigree store\nformat 1\nstate ready\n";
constexpr char kCreating[] = "pedigree store\nformat 1\nstate creating\n";

StoreOptions OptionsFor(const std::string& data_dir) {
  StoreOptions options;
  options.data_dir = data_dir;
  options.block_cache_bytes = size_t{4} << 20;
  options.write_buffer_bytes = size_t{4} << 20;
  return options;
}

absl::StatusOr<std::unique_ptr<Store>> Open(const std::string& data_dir) {
  return Store::Open(OptionsFor(data_dir));
}

// Every file below `directory` with its content. The database's own log of what it did (LOG) is no
// content, and its lock is empty.
std::map<std::string, std::string> ContentOf(const std::string& directory) {
  std::map<std::string, std::string> content;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    const std::string name = entry.path().filename();
    if (absl::StartsWith(name, "LOG") || name == "LOCK") continue;
    content[entry.path()] = entry.is_regular_file() ? ReadFile(entry.path()) : "";
  }
  return content;
}

// A closed store with 100 artifacts, in table files. Each test damages copies of it, since a store
// that opens may begin to rewrite its files.
class ClosedStore {
 public:
  ClosedStore() {
    EXPECT_TRUE(IsOk(store_->Write([](Transaction& transaction) -> absl::Status {
      for (int i = 0; i < kArtifacts; ++i) {
        Artifact artifact = NewNode<Artifact>(1, absl::StrCat("artifact ", i));
        (*artifact.mutable_custom_properties())["p"].set_string_value(std::string(100, 'p'));
        if (auto id = transaction.Insert(&artifact, {}); !id.ok()) return id.status();
      }
      return absl::OkStatus();
    })));
    store_.Close();
  }

  static constexpr int kArtifacts = 100;
  std::string data_dir() const { return store_.data_dir(); }

 private:
  TestStore store_;
};

class Copy {
 public:
  explicit Copy(const ClosedStore& original) { CopyDirectory(original.data_dir(), data_dir()); }

  std::string data_dir() const { return scratch_.path() + "/store"; }
  std::string database() const { return data_dir() + "/db"; }
  std::string marker() const { return data_dir() + "/PEDIGREE"; }
  // The database's files with this in their names.
  std::vector<std::string> Files(const std::string& part) const {
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(database())) {
      const std::string name = entry.path().filename();
      if (absl::StrContains(name, part)) files.push_back(entry.path());
    }
    EXPECT_FALSE(files.empty()) << part;
    return files;
  }

  // Open refuses with this, changes nothing, and refuses again.
  void ExpectRefused(StatusCode code, const std::string& part = "") const {
    const auto before = ContentOf(data_dir());
    for (int twice = 0; twice < 2; ++twice) {
      const auto opened = Open(data_dir());
      EXPECT_TRUE(Fails(opened, code, part));
      if (opened.ok()) return;
      const absl::string_view why = opened.status().message();
      EXPECT_TRUE(absl::StrContains(why, data_dir())) << why;
      EXPECT_FALSE(absl::StrContains(why, "\n")) << why;
      EXPECT_TRUE(ContentOf(data_dir()) == before) << "Open changed the directory";
    }
  }

  // What a whole look at the store says: an error, or its first problem, or "".
  std::string LookAtAll() const {
    auto store = Open(data_dir());
    if (!store.ok()) return store.status().ToString();
    auto report = (*store)->Verify();
    if (!report.ok()) return report.status().ToString();
    if (!report->ok()) return report->problems[0];
    const int64_t artifacts = report->nodes[IndexOf(NodeKind::kArtifact)];
    if (artifacts == ClosedStore::kArtifacts) return "";
    return absl::StrCat("silently, ", artifacts, " artifacts are left");
  }

 private:
  ScratchDirectory scratch_;
};

TEST(Directory, AMissingOneIsCreatedWithItsParents) {
  const ScratchDirectory scratch;
  const std::string data_dir = scratch.path() + "/a/b/c";
  ASSERT_TRUE(IsOk(Open(data_dir)));
  EXPECT_EQ(ReadFile(data_dir + "/PEDIGREE"), kReady);
  EXPECT_TRUE(fs::is_directory(data_dir + "/db"));
  EXPECT_FALSE(fs::exists(data_dir + "/PEDIGREE.next"));
}

TEST(Directory, AnEmptyOneIsTakenAndSoIsTheRootOfADisk) {
  const ScratchDirectory scratch;
  fs::create_directory(scratch.path() + "/empty");
  EXPECT_TRUE(IsOk(Open(scratch.path() + "/empty")));
  fs::create_directories(scratch.path() + "/disk/lost+found");
  EXPECT_TRUE(IsOk(Open(scratch.path() + "/disk")));
}

TEST(Directory, ALinkToOneIsFollowed) {
  const ScratchDirectory scratch;
  fs::create_directory(scratch.path() + "/real");
  fs::create_directory_symlink(scratch.path() + "/real", scratch.path() + "/link");
  ASSERT_TRUE(IsOk(Open(scratch.path() + "/link")));
  EXPECT_EQ(ReadFile(scratch.path() + "/real/PEDIGREE"), kReady);
}

TEST(Directory, AForeignOneIsRefusedAndLeftAlone) {
  const ScratchDirectory scratch;
  for (const char* name : {"notes.txt", ".hidden", "CURRENT", "lost+found2"}) {
    const std::string data_dir = scratch.path() + "/with " + name;
    fs::create_directory(data_dir);
    WriteFile(data_dir + "/" + name, "mine");
    const auto before = ContentOf(data_dir);
    EXPECT_TRUE(Fails(Open(data_dir), StatusCode::kFailedPrecondition, name));
    EXPECT_TRUE(ContentOf(data_dir) == before) << name;
  }
}

TEST(Directory, AFileInItsPlaceIsRefusedAndLeftAlone) {
  const ScratchDirectory scratch;
  const std::string file = scratch.path() + "/file";
  WriteFile(file, "mine");
  EXPECT_TRUE(Fails(Open(file), StatusCode::kFailedPrecondition, "must name a directory"));
  EXPECT_TRUE(Fails(Open(file + "/below"), StatusCode::kFailedPrecondition));
  EXPECT_EQ(ReadFile(file), "mine");
}

TEST(Marker, OtherTextIsRefused) {
  const ClosedStore store;
  const Copy copy(store);
  for (const char* text :
       {"", "\n", "mine", "pedigree", "pedigree store", "pedigree store\n",
        "pedigree store\nformat\nstate ready\n", "pedigree store\nformat x\nstate ready\n",
        "pedigree store\nformat -1\nstate ready\n", "PEDIGREE STORE\nformat 1\nstate ready\n",
        "pedigree store 2\nformat 1\nstate ready\n"}) {
    SCOPED_TRACE(text);
    WriteFile(copy.marker(), text);
    copy.ExpectRefused(StatusCode::kFailedPrecondition, "not a Pedigree store");
  }
  WriteFile(copy.marker(), kReady);
  EXPECT_EQ(copy.LookAtAll(), "");
}

// Neither was ever written: format 1 is the first, and a state is one of two.
TEST(Marker, AFormatOrAStateThatNeverWasIsRefused) {
  const ClosedStore store;
  for (const char* text :
       {"pedigree store\nformat 0\nstate ready\n", "pedigree store\nformat 1\nstate steady\n",
        "pedigree store\nformat 1\n"}) {
    SCOPED_TRACE(text);
    const Copy copy(store);
    WriteFile(copy.marker(), text);
    copy.ExpectRefused(StatusCode::kFailedPrecondition);
  }
}

TEST(Marker, AMissingOneIsNoReasonToBeginAnew) {
  const ClosedStore store;
  const Copy copy(store);
  fs::remove(copy.marker());
  copy.ExpectRefused(StatusCode::kFailedPrecondition, "'db'");
}

TEST(Marker, ADirectoryInItsPlaceIsRefused) {
  const ClosedStore store;
  const Copy copy(store);
  fs::remove(copy.marker());
  fs::create_directory(copy.marker());
  copy.ExpectRefused(StatusCode::kFailedPrecondition);
}

TEST(Format, ANewerOneInTheMarkerIsRefused) {
  const ClosedStore store;
  for (const char* text :
       {"pedigree store\nformat 3\nstate ready\n", "pedigree store\nformat 3\nstate creating\n",
        "pedigree store\nformat 4000000000\nstate ready\nand more\n"}) {
    SCOPED_TRACE(text);
    const Copy copy(store);
    WriteFile(copy.marker(), text);
    copy.ExpectRefused(StatusCode::kFailedPrecondition, "use a newer pedigreed");
  }
}

TEST(Format, ANewerOneInTheDatabaseIsRefused) {
  const ClosedStore store;
  const Copy copy(store);
  std::string format;
  AppendBe32(&format, kFormatVersion + 1);
  RawDatabase(copy.database()).Put(FormatKey().Encode(), format);
  copy.ExpectRefused(StatusCode::kFailedPrecondition, "use a newer pedigreed");
}

TEST(Format, ADatabaseWithoutOneIsDamaged) {
  const ClosedStore store;
  const Copy copy(store);
  RawDatabase(copy.database()).Delete(FormatKey().Encode());
  copy.ExpectRefused(StatusCode::kDataLoss);
}

TEST(Creating, IsCompletedFromEveryStepThatACrashCanLeave) {
  const ScratchDirectory scratch;
  const std::string data_dir = scratch.path() + "/store";
  const std::vector<std::pair<const char*, std::function<void()>>> steps = {
      {"the marker's first half", [&] { WriteFile(data_dir + "/PEDIGREE.next", "pedi"); }},
      {"the marker", [&] { WriteFile(data_dir + "/PEDIGREE", kCreating); }},
      {"an empty db",
       [&] {
         WriteFile(data_dir + "/PEDIGREE", kCreating);
         fs::create_directory(data_dir + "/db");
       }},
      {"a db without CURRENT",
       [&] {
         WriteFile(data_dir + "/PEDIGREE", kCreating);
         fs::create_directory(data_dir + "/db");
         WriteFile(data_dir + "/db/LOCK", "");
         WriteFile(data_dir + "/db/IDENTITY", "9c7ad3f2-");
         WriteFile(data_dir + "/db/MANIFEST-000001", "half a man");
         WriteFile(data_dir + "/db/000001.dbtmp", "MANIFEST");
       }},
      {"all but the last marker",
       [&] {
         ASSERT_TRUE(IsOk(Open(data_dir)));
         WriteFile(data_dir + "/PEDIGREE", kCreating);
         WriteFile(data_dir + "/PEDIGREE.next", kReady);
       }},
  };
  for (const auto& [what, prepare] : steps) {
    SCOPED_TRACE(what);
    fs::create_directory(data_dir);
    prepare();
    {
      auto store = Open(data_dir);
      ASSERT_TRUE(IsOk(store));
      auto report = (*store)->Verify();
      ASSERT_TRUE(IsOk(report));
      EXPECT_TRUE(report->ok());
      EXPECT_EQ(report->types, kLastPredefinedTypeId);
    }
    EXPECT_EQ(ReadFile(data_dir + "/PEDIGREE"), kReady);
    EXPECT_TRUE(IsOk(Open(data_dir)));
    fs::remove_all(data_dir);
  }
}

// Two processes may find the marker `creating` before one of them gets the lock: the second may go
// on after the first has acknowledged writes and closed. Then the database is whole, and nothing
// of it may be written again.
TEST(Creating, NeverWritesOverADatabaseThatIsWhole) {
  const ClosedStore closed;
  const Copy copy(closed);
  WriteFile(copy.marker(), kCreating);
  auto store = Open(copy.data_dir());
  ASSERT_TRUE(IsOk(store));
  int64_t next_id = 0;
  ASSERT_TRUE(IsOk((*store)->Write([&](Transaction& transaction) {
    Artifact artifact = NewNode<Artifact>(1, "next");
    auto id = transaction.Insert(&artifact, {});
    next_id = id.value_or(0);
    return id.status();
  })));
  EXPECT_EQ(next_id, ClosedStore::kArtifacts + 1)
      << "an id was handed out again: its artifact is overwritten";
  auto report = (*store)->Verify();
  ASSERT_TRUE(IsOk(report));
  EXPECT_TRUE(report->ok()) << report->problems[0];
}

TEST(Lock, ASecondOpenerInThisProcessIsRefused) {
  TestStore store;
  EXPECT_TRUE(Fails(Open(store.data_dir()), StatusCode::kFailedPrecondition, "another process"));
  EXPECT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
  EXPECT_EQ(Problems(store), "");
}

TEST(Lock, ASecondOpenerInAnotherProcessIsRefusedAndTheFirstIsUnharmed) {
  TestStore store;
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
  for (int i = 0; i < 2; ++i) {
    OtherProcess other({"open", store.data_dir()});
    const std::string answer = other.ReadLine();
    EXPECT_TRUE(absl::StartsWith(answer, "FAILED_PRECONDITION")) << answer;
    EXPECT_TRUE(absl::StrContains(answer, "another process")) << answer;
  }
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(1))));
  EXPECT_EQ(Problems(store), "");
  store.Reopen();
  EXPECT_EQ(AllNodes(store, NodeKind::kArtifact).size(), 2u);
  EXPECT_EQ(Problems(store), "");
}

TEST(Lock, ThisProcessAsTheSecondIsRefusedUntilTheFirstEnds) {
  const ClosedStore closed;
  const Copy copy(closed);
  {
    OtherProcess holder({"hold", copy.data_dir()});
    ASSERT_EQ(holder.ReadLine(), "OK");
    EXPECT_TRUE(Fails(Open(copy.data_dir()), StatusCode::kFailedPrecondition, "another process"));
    holder.WriteLine("insert");
    EXPECT_EQ(holder.ReadLine(), "OK");
    EXPECT_TRUE(Fails(Open(copy.data_dir()), StatusCode::kFailedPrecondition, "another process"));
  }
  auto store = Open(copy.data_dir());
  ASSERT_TRUE(IsOk(store));
  auto report = (*store)->Verify();
  ASSERT_TRUE(IsOk(report));
  EXPECT_EQ(report->nodes[IndexOf(NodeKind::kArtifact)], ClosedStore::kArtifacts + 1);
}

TEST(Files, AMissingOneStopsTheStart) {
  const ClosedStore store;
  for (const char* part : {"CURRENT", "MANIFEST", ".sst"}) {
    SCOPED_TRACE(part);
    for (size_t i = 0; i < Copy(store).Files(part).size(); ++i) {
      const Copy copy(store);
      fs::remove(copy.Files(part)[i]);
      copy.ExpectRefused(StatusCode::kDataLoss, "restore a backup");
    }
  }
}

TEST(Files, AMissingOrEmptyDatabaseStopsTheStart) {
  const ClosedStore store;
  const Copy copy(store);
  for (const std::string& file : copy.Files("")) fs::remove(file);
  EXPECT_TRUE(Fails(Open(copy.data_dir()), StatusCode::kDataLoss, "restore a backup"));
  fs::remove_all(copy.database());
  EXPECT_TRUE(Fails(Open(copy.data_dir()), StatusCode::kDataLoss, "restore a backup"));
  EXPECT_FALSE(fs::exists(copy.database() + "/CURRENT"));
  EXPECT_EQ(ReadFile(copy.marker()), kReady);
}

TEST(Files, NoiseInCurrentOrManifestStopsTheStart) {
  const ClosedStore store;
  for (const char* part : {"CURRENT", "MANIFEST"}) {
    SCOPED_TRACE(part);
    const Copy copy(store);
    for (const std::string& file : copy.Files(part)) {
      std::string content = ReadFile(file);
      for (size_t i = 0; i < content.size(); i += 3) {
        content[i] = static_cast<char>(content[i] ^ 0x55);
      }
      WriteFile(file, content);
    }
    copy.ExpectRefused(StatusCode::kDataLoss, "restore a backup");
  }
}

// RocksDB takes a manifest that ends early for an older one, and deletes the files that it does not
// name. Whatever is cut off, the store must be whole, or be refused and stay as it is.
TEST(Files, ACutManifestLosesNothing) {
  const ClosedStore store;
  const std::string whole = ReadFile(Copy(store).Files("MANIFEST")[0]);
  int refused = 0;
  for (size_t size = 0; size < whole.size(); size += 11) {
    SCOPED_TRACE(size);
    const Copy copy(store);
    const std::string manifest = copy.Files("MANIFEST")[0];
    WriteFile(manifest, whole.substr(0, size));
    const auto before = ContentOf(copy.data_dir());
    const std::string answer = copy.LookAtAll();
    if (answer.empty()) continue;
    ++refused;
    EXPECT_TRUE(absl::StartsWith(answer, "DATA_LOSS")) << answer;
    EXPECT_TRUE(absl::StrContains(answer, copy.data_dir())) << answer;
    EXPECT_TRUE(ContentOf(copy.data_dir()) == before) << "Open changed the directory";
    WriteFile(manifest, whole);
    EXPECT_EQ(copy.LookAtAll(), "");
  }
  EXPECT_GT(refused, 10);
}

// A table file is data blocks, then indexes, then a footer with unused bytes. In the first half
// every bit counts; beyond, a flip is found or does no harm.
TEST(Files, AFlippedBitInATableFileIsDataLoss) {
  Random random;
  const ClosedStore store;
  for (int i = 0; i < 6; ++i) {  // Each may cost a second, which RocksDB waits after a failure.
    const Copy copy(store);
    const std::string path = random.Pick(copy.Files(".sst"));
    std::string content = ReadFile(path);
    const bool in_first_half = i % 2 == 0;
    const size_t at = random.Index(in_first_half ? content.size() / 2 : content.size());
    content[at] = static_cast<char>(content[at] ^ (1 << random.Index(8)));
    WriteFile(path, content);
    const std::string answer = copy.LookAtAll();
    if (in_first_half || !answer.empty()) {
      EXPECT_TRUE(absl::StartsWith(answer, "DATA_LOSS"))
          << path << ", byte " << at << " of " << content.size() << ": " << answer;
    }
  }
}

TEST(Files, ATruncatedTableFileIsDataLoss) {
  const ClosedStore store;
  for (size_t file = 0; file < Copy(store).Files(".sst").size(); ++file) {
    for (const size_t part : {0, 2, 1}) {  // Nothing, half, and all but a byte.
      const Copy copy(store);
      const std::string path = copy.Files(".sst")[file];
      const size_t size = fs::file_size(path);
      fs::resize_file(path, part == 0 ? 0 : part == 1 ? size - 1 : size / 2);
      const std::string answer = copy.LookAtAll();
      EXPECT_TRUE(absl::StartsWith(answer, "DATA_LOSS")) << path << ": " << answer;
    }
  }
}

void AllowNobodyToLookInto(const std::string& path) { fs::permissions(path, fs::perms(0755)); }

// A store that another user may read but not write, as that user sees it.
std::string OpenAsNobody(const std::string& data_dir) {
  OtherProcess other({"open", data_dir}, OtherProcess::As::kNobody);
  return other.ReadLine();
}

TEST(Permissions, AReadOnlyStoreIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const ScratchDirectory scratch;
  AllowNobodyToLookInto(scratch.path());
  // "block " looks like the word lock to whoever reads error texts.
  for (const char* name : {"/store", "/block storage"}) {
    const std::string data_dir = scratch.path() + name;
    ASSERT_TRUE(IsOk(Open(data_dir)));
    const auto before = ContentOf(data_dir);
    const std::string answer = OpenAsNobody(data_dir);
    EXPECT_TRUE(absl::StartsWith(answer, "PERMISSION_DENIED")) << answer;
    EXPECT_TRUE(ContentOf(data_dir) == before);
    EXPECT_TRUE(IsOk(Open(data_dir)));
  }
}

TEST(Permissions, ADirectoryThatCannotBeWrittenIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const ScratchDirectory scratch;
  AllowNobodyToLookInto(scratch.path());
  fs::create_directory(scratch.path() + "/empty");
  for (const char* name : {"/empty", "/missing"}) {
    const std::string answer = OpenAsNobody(scratch.path() + name);
    EXPECT_TRUE(absl::StartsWith(answer, "PERMISSION_DENIED")) << answer;
    EXPECT_TRUE(absl::StrContains(answer, "write permission")) << answer;
  }
  EXPECT_TRUE(fs::is_empty(scratch.path() + "/empty"));
}

TEST(Permissions, AStoreThatCannotBeReadIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const ScratchDirectory scratch;
  AllowNobodyToLookInto(scratch.path());
  const std::string data_dir = scratch.path() + "/store";
  ASSERT_TRUE(IsOk(Open(data_dir)));
  fs::permissions(data_dir + "/PEDIGREE", fs::perms(0600));
  EXPECT_TRUE(absl::StartsWith(OpenAsNobody(data_dir), "PERMISSION_DENIED"));
  fs::permissions(data_dir, fs::perms(0700));
  EXPECT_TRUE(absl::StartsWith(OpenAsNobody(data_dir), "PERMISSION_DENIED"));
}

}  // namespace
}  // namespace pedigree
