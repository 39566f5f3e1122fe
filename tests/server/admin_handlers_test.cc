// The calls of pedigree.v1.AdminService: numbers that are right whenever they are asked for, a
// check in steps, and who may have a backup made where.
#include "server/admin_handlers.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "store/directory.h"
#include "store/keys.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Execution;

absl::StatusOr<v1::GetStatisticsResponse> Ask(TestStore& store, Admin& admin,
                                              Blocking blocking = Blocking::kAllowed) {
  v1::GetStatisticsResponse response;
  const absl::Status status = store->Read(blocking, [&](const Reader& reader) -> absl::Status {
    Answer answer(reader.catalog());
    absl::Status asked = GetStatistics(admin, reader, {}, &answer);
    if (!asked.ok()) return asked;
    EXPECT_TRUE(response.ParseFromString(answer.Release()));
    return asked;
  });
  if (!status.ok()) return status;
  return response;
}

// All messages of a stream, as a server makes them.
template <class Response, class Maker, class Request>
absl::StatusOr<std::vector<Response>> AllOf(TestStore& store, Admin& admin,
                                            const Request& request) {
  Maker maker;
  maker.SetAdmin(&admin);
  const auto version = store->CurrentVersion();
  std::vector<Response> messages;
  bool is_last = false;
  while (!is_last) {
    absl::Status status =
        store->Read(version, Blocking::kAllowed, [&](const Reader& reader) -> absl::Status {
          auto part = maker.Next(reader, request);
          if (!part.ok()) return part.status();
          is_last = part->place == StreamPart::Place::kLast;
          if (part->place == StreamPart::Place::kNothingYet) {
            std::this_thread::sleep_until(part->wait_until);
            return absl::OkStatus();
          }
          EXPECT_TRUE(messages.emplace_back().ParseFromString(part->message));
          return absl::OkStatus();
        });
    if (!status.ok()) return status;
  }
  return messages;
}

absl::StatusOr<v1::VerifyStoreResponse> Verify(TestStore& store, Admin& admin) {
  auto all =
      AllOf<v1::VerifyStoreResponse, VerifyStoreAnswer>(store, admin, v1::VerifyStoreRequest());
  if (!all.ok()) return all.status();
  return all->back();
}

absl::StatusOr<v1::BackupResponse> BackUp(TestStore& store, Admin& admin,
                                          const v1::BackupRequest& request) {
  auto all = AllOf<v1::BackupResponse, BackupAnswer>(store, admin, request);
  if (!all.ok()) return all.status();
  return all->back();
}

v1::BackupRequest To(const std::string& directory) {
  v1::BackupRequest request;
  request.set_directory(directory);
  return request;
}

TEST(Statistics, CountEveryTypeHoweverOftenTheyAreAsked) {
  TestStore store;
  Admin admin(&*store, {.version = "1.2.3", .backup_root = ""});
  std::vector<int64_t> types;
  std::map<int64_t, int64_t> wanted;
  Random random;
  for (int round = 0; round < 12; ++round) {
    types.push_back(PutType<Execution>(store, absl::StrCat("t", round)));
    const int64_t nodes = random.Between(0, 300);
    for (int64_t i = 0; i < nodes; ++i) {
      const int64_t type = random.Pick(types);
      ASSERT_TRUE(IsOk(Insert(store, NewNode<Execution>(type))));
      ++wanted[type];
    }
    if (random.OneIn(3)) continue;
    const auto statistics = Ask(store, admin);
    ASSERT_TRUE(IsOk(statistics));
    int64_t rows = 0;
    for (const auto& row : statistics->execution_types()) {
      EXPECT_EQ(row.nodes(), wanted[row.type_id()]) << row.name();
      rows += row.nodes();
    }
    EXPECT_EQ(rows, store->CurrentVersion()->last_id(NodeKind::kExecution));
  }
}

TEST(Statistics, SayWhatTheStoreIs) {
  TestStore store;
  Admin admin(&*store, {.version = "1.2.3", .backup_root = ""});
  const int64_t artifact_type = PutType<Artifact>(store, "m");
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(artifact_type))));
  store.SetClock(TestStore::kStartMs + 5);
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Artifact>(artifact_type))));
  const auto statistics = Ask(store, admin);
  ASSERT_TRUE(IsOk(statistics));
  EXPECT_EQ(statistics->version(), "1.2.3");
  EXPECT_EQ(statistics->last_write_ms(), TestStore::kStartMs + 5);
  EXPECT_GT(statistics->disk_bytes(), 0);
  EXPECT_GT(statistics->block_cache_bytes() + statistics->graph_bytes(), 0);
  EXPECT_GE(statistics->uptime_ms(), 0);
  EXPECT_EQ(statistics->events(), 0);
  bool is_found = false;
  for (const auto& row : statistics->artifact_types()) {
    is_found = is_found || (row.name() == "m" && row.nodes() == 2);
  }
  EXPECT_TRUE(is_found);
  // Numbers of the engine may wait: a transport's thread does not get them.
  EXPECT_TRUE(IsWouldBlock(Ask(store, admin, Blocking::kCacheOnly).status()));
}

TEST(VerifyStore, IsDoneByOneAtATime) {
  TestStore store;
  Admin admin(&*store, {});
  auto first = admin.BeginCheck(CheckOf::kStore);
  ASSERT_TRUE(IsOk(first));
  EXPECT_TRUE(Fails(Verify(store, admin), StatusCode::kAlreadyExists));
  EXPECT_TRUE(IsOk(admin.BeginCheck(CheckOf::kJournal)));
  first->reset();
  EXPECT_TRUE(IsOk(Verify(store, admin)));
}

TEST(VerifyStore, CountsAndFindsNothingInASoundStore) {
  TestStore store;
  Admin admin(&*store, {});
  const int64_t type = PutType<Context>(store, "c");
  // More than one step.
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(IsOk(Insert(store, NewNode<Context>(type, absl::StrCat(i)))));
  }
  const auto last = Verify(store, admin);
  ASSERT_TRUE(IsOk(last));
  EXPECT_TRUE(last->done());
  EXPECT_EQ(last->contexts(), 2000);
  EXPECT_GT(last->keys(), 4000);
  EXPECT_EQ(last->problems_size(), 0);
  auto whole = store->Verify();
  ASSERT_TRUE(IsOk(whole));
  EXPECT_EQ(whole->nodes[IndexOf(NodeKind::kContext)], last->contexts());
}

TEST(VerifyStore, TellsProblemsAtTheEnd) {
  TestStore store;
  const int64_t type = PutType<Context>(store, "c");
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Context>(type, "a"))));
  store.Close();
  RawDatabase(store.database()).Delete(NameKey{NodeKind::kContext, type, "a"}.Encode());
  store.Open();
  Admin admin(&*store, {});
  const auto last = Verify(store, admin);
  ASSERT_TRUE(IsOk(last));
  EXPECT_EQ(last->problems_size(), 1);
  EXPECT_EQ(last->more_problems(), 0);
}

TEST(BackupCall, IsRefusedWithoutARoot) {
  TestStore store;
  Admin admin(&*store, {});
  EXPECT_TRUE(Fails(BackUp(store, admin, To(store.scratch().path() + "/b")),
                    StatusCode::kPermissionDenied, "--backup_root"));
  EXPECT_EQ(admin.Backups().failed, 0u);
}

TEST(BackupCall, StaysInTheRoot) {
  TestStore store;
  const std::string root = store.scratch().path() + "/root";
  const std::string outside = store.scratch().path() + "/outside";
  fs::create_directories(root);
  fs::create_directories(outside);
  fs::create_directory_symlink(outside, root + "/link");
  fs::create_directory_symlink(root, store.scratch().path() + "/alias");
  Admin admin(&*store, {.version = "", .backup_root = root});
  for (const std::string& directory :
       {outside, root + "/link", root + "/link/b", root + "x", std::string("/")}) {
    EXPECT_TRUE(
        Fails(BackUp(store, admin, To(directory)), StatusCode::kPermissionDenied, "--backup_root"))
        << directory;
  }
  for (const std::string& directory :
       {std::string(), std::string("b"), root + "/../outside", root + "/a/../b"}) {
    EXPECT_TRUE(Fails(BackUp(store, admin, To(directory)), StatusCode::kInvalidArgument))
        << directory;
  }
  EXPECT_TRUE(fs::is_empty(outside));
  v1::BackupRequest negative = To(root + "/b");
  negative.set_keep(-1);
  EXPECT_TRUE(Fails(BackUp(store, admin, negative), StatusCode::kInvalidArgument));
  EXPECT_TRUE(IsOk(BackUp(store, admin, To(root + "/b"))));
  EXPECT_TRUE(IsOk(BackUp(store, admin, To(store.scratch().path() + "/alias/c/"))));
  EXPECT_TRUE(fs::exists(root + "/c/PEDIGREE_BACKUPS"));
}

TEST(BackupCall, TellsWhatItHasMade) {
  TestStore store;
  const std::string root = store.scratch().path() + "/root";
  fs::create_directories(root);
  Admin admin(&*store, {.version = "", .backup_root = root});
  auto last = BackUp(store, admin, To(root));
  ASSERT_TRUE(IsOk(last));
  EXPECT_TRUE(last->done());
  EXPECT_EQ(last->backup_id(), 1u);
  EXPECT_GT(last->bytes(), 0);
  EXPECT_EQ(last->bytes_copied(), last->bytes());
  EXPECT_EQ(last->bytes_read_back(), last->bytes());
  BackupNumbers numbers = admin.Backups();
  EXPECT_EQ(numbers.succeeded, 1u);
  EXPECT_FALSE(numbers.is_under_way);
  EXPECT_EQ(numbers.last_bytes, static_cast<uint64_t>(last->bytes()));
  EXPECT_GT(numbers.last_end_s, 0);
  v1::BackupRequest one = To(root);
  one.set_keep(1);
  last = BackUp(store, admin, one);
  ASSERT_TRUE(IsOk(last));
  EXPECT_EQ(last->backup_id(), 2u);
  EXPECT_LT(last->bytes_copied(), last->bytes());
  const auto backups = ListBackups(root);
  ASSERT_TRUE(IsOk(backups));
  EXPECT_EQ(backups->size(), 1u);
  fs::create_directory(root + "/store");
  EXPECT_TRUE(Fails(BackUp(store, admin, To(store.data_dir())), StatusCode::kPermissionDenied));
}

// A copy of a few MiB at a few KiB a second is under way for as long as the test likes.
TEST(BackupCall, OneAtATimeAndEndsWithItsStream) {
  TestStore store;
  const std::string root = store.scratch().path() + "/root";
  fs::create_directories(root);
  const int64_t type = PutType<Artifact>(store, "m");
  Random random(1);
  for (int i = 0; i < 40; ++i) {
    Artifact artifact = NewNode<Artifact>(type);
    std::string text(100'000, '\0');
    for (char& character : text) character = static_cast<char>(random.Between(' ', '~'));
    artifact.set_uri(text);
    ASSERT_TRUE(IsOk(Insert(store, artifact)));
  }
  Admin admin(&*store, {.version = "", .backup_root = root});
  v1::BackupRequest slow = To(root + "/slow");
  slow.set_max_bytes_per_second(100'000);
  {
    BackupAnswer first;
    first.SetAdmin(&admin);
    EXPECT_TRUE(IsOk(store->Read(Blocking::kAllowed, [&](const Reader& reader) {
      return first.Next(reader, slow).status();
    })));
    EXPECT_TRUE(admin.Backups().is_under_way);
    EXPECT_TRUE(Fails(BackUp(store, admin, To(root + "/other")), StatusCode::kAlreadyExists));
    // Writes go on.
    EXPECT_TRUE(IsOk(Insert(store, NewNode<Artifact>(type))));
  }
  for (int i = 0; i < 600 && admin.Backups().is_under_way; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_FALSE(admin.Backups().is_under_way);
  EXPECT_EQ(admin.Backups().failed, 1u);
  auto backups = ListBackups(root + "/slow");
  ASSERT_TRUE(IsOk(backups));
  EXPECT_TRUE(backups->empty());
  EXPECT_TRUE(IsOk(BackUp(store, admin, To(root + "/slow"))));
}

}  // namespace
}  // namespace pedigree
