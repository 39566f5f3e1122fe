// A history that is imported into a running server is there as one that is imported into a
// directory, whichever side is killed meanwhile. MIGRATE_KILLS says how often to kill.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "migrate/follow.h"
#include "migrate/grpc_source.h"
#include "migrate/import_target.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/migrate/answers.h"
#include "tests/migrate/mlmd_files.h"
#include "tests/store/random.h"
#include "tests/support/raw_client.h"
#include "tests/support/server_process.h"

namespace pedigree::migrate {
namespace {

using absl::StatusCode;
using testing::RawClient;
using testing::ServerProcess;

int64_t KillsToMake() {
  const char* text = std::getenv("MIGRATE_KILLS");
  int64_t kills = 0;
  return text != nullptr && absl::SimpleAtoi(text, &kills) ? kills : 10;
}

class ServerTargetTest : public ::testing::Test {
 protected:
  void SetUp() override { Serve({"--allow_import"}); }

  // A server of its own store.
  void Serve(std::vector<std::string> flags) {
    server_.reset();
    auto server = ServerProcess::Start({.program = PEDIGREED, .extra_args = std::move(flags)});
    ASSERT_TRUE(IsOk(server));
    server_ = *std::move(server);
    auto client = GrpcClient::Open(server_->address());
    ASSERT_TRUE(IsOk(client));
    client_ = *std::move(client);
  }

  absl::StatusOr<FollowResult> Import(const std::string& url, std::function<Stop()> stop = nullptr,
                                      const std::vector<std::string>& repairs = {}) {
    return ImportBy(client_.get(), url, std::move(stop), repairs);
  }
  static absl::StatusOr<FollowResult> ImportBy(GrpcClient* client, const std::string& url,
                                               std::function<Stop()> stop = nullptr,
                                               const std::vector<std::string>& repairs = {}) {
    FollowOptions options;
    options.server = client;
    options.stop = std::move(stop);
    options.pause = std::chrono::milliseconds(1);
    auto parsed = ParseRepairs(repairs);
    if (!parsed.ok()) return parsed.status();
    options.import.repairs = *parsed;
    Progress silent(Progress::Style::kSilent);
    return ImportAndFollow([&] { return OpenSource(url); }, options, &silent);
  }

  absl::StatusOr<ImportProof> ProveServer(const std::string& url,
                                          const std::vector<std::string>& repairs = {}) {
    auto source = OpenSource(url);
    if (!source.ok()) return source.status();
    auto parsed = ParseRepairs(repairs);
    if (!parsed.ok()) return parsed.status();
    Progress silent(Progress::Style::kSilent);
    return VerifyImport(
        source->get(), [&] { return OpenGrpcSource(client_.get()); }, *parsed, &silent);
  }

  // Over the wire, and from the files of the stopped server.
  void ExpectProved(const std::string& url, const std::vector<std::string>& repairs = {}) {
    const auto proof = ProveServer(url, repairs);
    ASSERT_TRUE(IsOk(proof));
    EXPECT_TRUE(proof->ok()) << proof->ToTable();
    ASSERT_TRUE(IsOk(server_->Stop()));
    const auto direct = ProveUrl(url, server_->data_dir(), repairs);
    ASSERT_TRUE(IsOk(direct));
    EXPECT_TRUE(direct->ok()) << direct->ToTable();
    for (size_t digest = 0; digest < kDigestCount; ++digest) {
      EXPECT_EQ(proof->actual.digests[digest].ToHex(), direct->actual.digests[digest].ToHex());
    }
    EXPECT_EQ(proof->actual.counts, direct->actual.counts);
  }

  absl::Status Put(const google::protobuf::Message& request, absl::string_view rpc) {
    RawClient client(server_->address());
    const auto response = testing::NewMessage(testing::FindMethod(rpc)->output_type());
    const grpc::Status status = client.Call(rpc, request, response.get());
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  }
  absl::Status PutType(const std::string& name) {
    ml_metadata::PutContextTypeRequest request;
    request.mutable_context_type()->set_name(name);
    return Put(request, "PutContextType");
  }

  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<GrpcClient> client_;
};

TEST_F(ServerTargetTest, AnswersAsThePeerDidOverEachDatabase) {
  const std::pair<const char*, const char*> databases[] = {
      {"every_value_kind.sqlite", "every_value_kind.expected.json"},
      {"kfp_two_runs.sqlite", "kfp_two_runs.expected.json"},
      {"kfp_two_runs.schema6.sqlite", "kfp_two_runs.expected.json"},
      {"random_history.sqlite", "random_history.expected.json"}};
  for (const auto& [database, expected] : databases) {
    SCOPED_TRACE(database);
    Serve({"--allow_import"});
    const std::string url = "sqlite:" + DataFile(database);
    const auto result = Import(url);
    ASSERT_TRUE(IsOk(result));
    EXPECT_TRUE(result->is_settled);
    EXPECT_GT(result->brought.events, 0);
    ExpectAnswers(server_->address(), DataFile(expected));
    ExpectProved(url);
  }
}

TEST_F(ServerTargetTest, TakesAServersHistory) {
  ScratchDirectory scratch;
  const std::string database = "sqlite:" + DataFile("random_history.sqlite");
  ASSERT_TRUE(IsOk(ImportUrl(database, scratch.path() + "/store")));
  auto other = ServerProcess::Start(
      {.program = PEDIGREED, .extra_args = {"--data_dir=" + scratch.path() + "/store"}});
  ASSERT_TRUE(IsOk(other));
  const auto result = Import("grpc://" + (*other)->address());
  ASSERT_TRUE(IsOk(result));
  EXPECT_TRUE(result->is_settled);
  ExpectProved(database);
}

TEST_F(ServerTargetTest, NeedsTheFlagAndAnEmptyStore) {
  const std::string url = "sqlite:" + DataFile("kfp_two_runs.sqlite");
  ASSERT_TRUE(IsOk(PutType("mine")));
  EXPECT_TRUE(Fails(Import(url), StatusCode::kFailedPrecondition, "not empty"));
  Serve({});
  EXPECT_TRUE(Fails(Import(url), StatusCode::kPermissionDenied, "--allow_import"));
  EXPECT_TRUE(IsOk(PutType("mine")));
}

TEST_F(ServerTargetTest, BeginsNothingIfRowsBreakARule) {
  SqliteCopy copy("kfp_two_runs.sqlite");
  copy.Run(
      "INSERT INTO Event (artifact_id, execution_id, type, milliseconds_since_epoch) "
      "VALUES (7777, 1, 4, 5), (7778, 1, 4, 5)");
  EXPECT_TRUE(
      Fails(Import(copy.url()), StatusCode::kFailedPrecondition, "dangling-event: 2 times"));
  EXPECT_EQ(ReadFile(server_->data_dir() + "/PEDIGREE"), "pedigree store\nformat 1\nstate ready\n");
  const auto result = Import(copy.url(), nullptr, {"dangling-event"});
  ASSERT_TRUE(IsOk(result));
  // Each is told once, though it is read more often.
  EXPECT_EQ(result->findings.total(), 2);
  ExpectProved(copy.url(), {"dangling-event"});
}

// Names that two nodes have are mended as an import into a directory mends them.
TEST_F(ServerTargetTest, MendsDuplicates) {
  SqliteCopy copy("random_history.sqlite");
  copy.Run(
      "CREATE TABLE New AS SELECT * FROM Context; DROP TABLE Context; "
      "ALTER TABLE New RENAME TO Context; "
      "UPDATE Context SET name = 'same', type_id = (SELECT type_id FROM Context WHERE id = 1) "
      "WHERE id IN (1, 2, 3)");
  // One comes later, and only the server knows that its name is taken.
  int asked = 0;
  const auto stop = [&] {
    if (++asked == 2) {
      copy.Run(
          "INSERT INTO Context SELECT 500, type_id, name, NULL, 1900000000000, 1900000000000 FROM "
          "Context WHERE id = 1");
    }
    return asked < 3 ? Stop::kGoOn : Stop::kFinish;
  };
  const auto result = Import(copy.url(), stop, {"all"});
  ASSERT_TRUE(IsOk(result));
  EXPECT_EQ(result->findings.count(Problem::kDuplicateName), 3);
  ExpectProved(copy.url(), {"all"});
}

TEST_F(ServerTargetTest, NobodyElseWritesUntilItEndsAlsoAfterAKill) {
  const std::string url = "sqlite:" + DataFile("kfp_two_runs.sqlite");
  auto source = OpenSource(url);
  ASSERT_TRUE(IsOk(source));
  ASSERT_TRUE(IsOk(OpenServerTarget(client_.get(), (*source)->info().name)));
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(Fails(PutType("mine"), StatusCode::kFailedPrecondition, "an import is going on"));
    EXPECT_TRUE(IsOk(Put(ml_metadata::GetContextsRequest(), "GetContexts")));
    ASSERT_TRUE(IsOk(server_->Kill9()));
    ASSERT_TRUE(IsOk(server_->Restart()));
  }
  EXPECT_TRUE(absl::StrContains(server_->LogTail(), "has not ended"));
  EXPECT_TRUE(Fails(Import("sqlite:" + DataFile("every_value_kind.sqlite")),
                    StatusCode::kFailedPrecondition, "an import is going on already"));
  ASSERT_TRUE(IsOk(Import(url)));
  EXPECT_TRUE(Fails(Import(url), StatusCode::kFailedPrecondition, "not empty"));
  EXPECT_TRUE(IsOk(ProveServer(url)));
  EXPECT_TRUE(IsOk(PutType("mine")));
}

// The server is killed before one of the calls, or after it, when the answer is lost.
TEST_F(ServerTargetTest, GoesOnWhereTheServerWasKilled) {
  SqliteCopy copy("random_history.sqlite");
  copy.Grow();
  Random random;
  const int64_t kills = KillsToMake();
  int calls_of_one = 60;
  for (int64_t i = 0; i < kills; ++i) {
    Serve({"--allow_import"});
    const int at = static_cast<int>(random.Between(1, calls_of_one));
    const bool is_before = random.OneIn(2);
    SCOPED_TRACE(absl::StrCat("killed ", is_before ? "before" : "after", " call ", at));
    int calls = 0;
    GrpcClient client(server_->address(),
                      [&](const std::string& path, const google::protobuf::MessageLite& request,
                          google::protobuf::MessageLite* response) -> absl::Status {
                        const bool is_the_one = ++calls == at;
                        absl::Status status;
                        if (!is_the_one || !is_before)
                          status = client_->TryOnce(path, request, response);
                        if (!is_the_one) return status;
                        EXPECT_TRUE(IsOk(server_->Kill9()));
                        EXPECT_TRUE(IsOk(server_->Restart()));
                        return absl::UnavailableError("killed");
                      });
    ASSERT_TRUE(IsOk(ImportBy(&client, copy.url())));
    calls_of_one = calls;
    ASSERT_NO_FATAL_FAILURE(ExpectProved(copy.url()));
  }
}

// Once more without anything beyond what one call of import does: a process for each.
class KilledClient : public ServerTargetTest {
 protected:
  KilledClient() { copy_.Grow(); }

  pid_t Start(const char* command, const char* flag = nullptr) const {
    const pid_t pid = fork();
    if (pid != 0) return pid;
    execl(PEDIGREE, "pedigree", command, copy_.url().c_str(), "--server",
          server_->address().c_str(), flag, nullptr);
    _exit(127);
  }
  // 0 if it ended well, -1 if it was killed.
  static int WaitFor(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  SqliteCopy copy_{"random_history.sqlite"};
};

TEST_F(KilledClient, GoesOnWhenItIsRunAgain) {
  Random random;
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(WaitFor(Start("import")), 0);
  const auto whole = std::chrono::steady_clock::now() - begin;
  ASSERT_EQ(WaitFor(Start("verify-import")), 0);
  const int64_t kills = KillsToMake();
  int64_t done = 0;
  while (done < kills) {
    Serve({"--allow_import"});
    bool is_over = false;
    for (int i = 0; i < 3 && !is_over && done < kills; ++i) {
      const pid_t pid = Start("import");
      std::this_thread::sleep_for(whole * random.Between(0, 999) / 1000);
      kill(pid, SIGKILL);
      is_over = WaitFor(pid) == 0;
      done += is_over ? 0 : 1;
    }
    // It may have ended just before the kill, and then there is nothing to go on with.
    if (!is_over && WaitFor(Start("import")) != 0) {
      EXPECT_TRUE(Fails(Import(copy_.url()), StatusCode::kFailedPrecondition, "not empty"));
    }
    ASSERT_NO_FATAL_FAILURE(ExpectProved(copy_.url()));
  }
}

TEST_F(KilledClient, FollowsUntilItIsToldToStop) {
  copy_.Run("PRAGMA journal_mode = WAL");
  const pid_t pid = Start("import", "--follow");
  const auto count = [&] {
    RawClient client(server_->address());
    ml_metadata::GetArtifactsByIDRequest request;
    request.add_artifact_ids(10'000);
    ml_metadata::GetArtifactsByIDResponse response;
    EXPECT_TRUE(client.Call("GetArtifactsByID", request, &response).ok());
    return response.artifacts_size();
  };
  // The first row of all comes last of its round.
  const auto has_event = [&] {
    RawClient client(server_->address());
    ml_metadata::GetEventsByExecutionIDsRequest request;
    request.add_execution_ids(1 + 4499 / 4 + 100);
    ml_metadata::GetEventsByExecutionIDsResponse response;
    EXPECT_TRUE(client.Call("GetEventsByExecutionIDs", request, &response).ok());
    return response.events_size() > 0;
  };
  while (!has_event()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  copy_.Run(
      "BEGIN; INSERT INTO Artifact SELECT 10000, type_id, 'u', 2, 'late', NULL, 1900000000000, "
      "1900000000000 FROM Artifact WHERE id = 1;"
      "INSERT INTO Event VALUES (10000, 10000, 200, 4, 1900000000000);"
      "UPDATE Execution SET last_known_state = 4, last_update_time_since_epoch = 1900000000000 "
      "WHERE id = 200; COMMIT");
  while (count() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(Fails(PutType("mine"), StatusCode::kFailedPrecondition, "an import is going on"));
  kill(pid, SIGTERM);
  ASSERT_EQ(WaitFor(pid), 0);
  EXPECT_EQ(WaitFor(Start("verify-import")), 0);
  copy_.Run("UPDATE Artifact SET uri = 'other' WHERE id = 300");
  EXPECT_NE(WaitFor(Start("verify-import")), 0);
  copy_.Run("UPDATE Artifact SET uri = 'u' || 300 % 77 WHERE id = 300");
  ExpectProved(copy_.url());
}

// What is renamed between two rounds, and a source that goes away for a moment.
TEST_F(ServerTargetTest, FollowsNamesThatMove) {
  SqliteCopy copy("random_history.sqlite");
  copy.Run(
      "UPDATE Context SET name = 'first' WHERE id = 1; UPDATE Context SET type_id = "
      "(SELECT type_id FROM Context WHERE id = 1) WHERE id = 2");
  int asked = 0;
  ASSERT_TRUE(IsOk(Import(copy.url(), [&] {
    if (++asked == 2) {
      copy.Run(
          "UPDATE Context SET name = 'other', last_update_time_since_epoch = 1900000000000 "
          "WHERE id = 2;"
          "UPDATE Context SET name = 'second', last_update_time_since_epoch = 1900000000000 "
          "WHERE id = 1;"
          "UPDATE Context SET name = 'first' WHERE id = 2");
    }
    return asked < 3 ? Stop::kGoOn : Stop::kFinish;
  })));
  ExpectProved(copy.url());
}

TEST_F(ServerTargetTest, WaitsForTheServerWhileItFollows) {
  SqliteCopy copy("random_history.sqlite");
  int asked = 0;
  std::string said;
  FollowOptions options;
  options.server = client_.get();
  options.pause = std::chrono::milliseconds(1);
  options.say = [&](absl::string_view line) {
    absl::StrAppend(&said, line, "\n");
    if (absl::StrContains(said, "trying again") && !server_->IsRunning()) {
      EXPECT_TRUE(IsOk(server_->Restart()));
    }
  };
  options.stop = [&] {
    if (++asked == 3) {
      EXPECT_TRUE(IsOk(server_->Kill9()));
    }
    return absl::StrContains(said, "trying again") ? Stop::kFinish : Stop::kGoOn;
  };
  Progress silent(Progress::Style::kSilent);
  const auto result = ImportAndFollow([&] { return OpenSource(copy.url()); }, options, &silent);
  ASSERT_TRUE(IsOk(result)) << said;
  ExpectProved(copy.url());
}

TEST(ImportCommand, NeedsOneTarget) {
  const auto run = [](std::vector<const char*> arguments) {
    const pid_t pid = fork();
    if (pid == 0) {
      arguments.insert(arguments.begin(), "pedigree");
      arguments.push_back(nullptr);
      execv(PEDIGREE, const_cast<char**>(arguments.data()));
      _exit(127);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  for (const char* command : {"import", "verify-import"}) {
    EXPECT_NE(run({command, "sqlite:/nowhere"}), 0);
    EXPECT_NE(run({command, "sqlite:/nowhere", "--data_dir", "/nowhere", "--server", "h:1"}), 0);
  }
  EXPECT_NE(run({"import", "jsonl:/nowhere", "--server", "h:1"}), 0);
}

}  // namespace
}  // namespace pedigree::migrate
