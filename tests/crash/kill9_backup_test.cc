// kill -9 while a backup is made and while one is restored, with clients that write all the time.
//
// Whatever the moment: the store starts again, every backup that is listed restores whole and has
// what was acknowledged before it was asked for, an interrupted restore is no store and can be run
// again, and a server on what was restored gives the answers that the first one gave.
// BACKUP_SEED and BACKUP_KILLS say where to begin and how often to kill.
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "store/backup.h"
#include "tests/crash/environment.h"
#include "tests/server/program.h"
#include "tests/store/random.h"
#include "tests/support/raw_client.h"
#include "tests/support/server_process.h"

namespace pedigree::crash {
namespace {

namespace fs = std::filesystem;
namespace mlmd = ml_metadata;
using testing::Program;
using testing::RawClient;
using testing::ServerProcess;

constexpr int kWriters = 3;

void SleepMs(int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

// Steps, each with an output, in the order of their numbers.
class Writer {
 public:
  Writer(int number, const std::string& address) : number_(number), client_(address) {}

  // Until a write fails.
  void Run() {
    while (Write()) {
    }
  }
  bool Write() {
    mlmd::PutExecutionRequest request;
    const std::string name = absl::StrCat(number_, "-", next_);
    request.mutable_execution()->set_type_id(11);
    request.mutable_execution()->set_name(name);
    auto* pair = request.add_artifact_event_pairs();
    pair->mutable_artifact()->set_type_id(10);
    pair->mutable_artifact()->set_uri(name);
    (*pair->mutable_artifact()->mutable_custom_properties())["p"].set_string_value(
        std::string(3000, static_cast<char>('a' + next_ % 26)));
    pair->mutable_event()->set_type(mlmd::Event::OUTPUT);
    mlmd::PutExecutionResponse response;
    const grpc::Status status = client_.Call("PutExecution", request, &response);
    // One that was under way when the server was killed may be there.
    if (status.ok() || status.error_code() == grpc::StatusCode::ALREADY_EXISTS) {
      acknowledged_ = next_++;
      return true;
    }
    return false;
  }
  int64_t acknowledged() const { return acknowledged_; }

 private:
  const int number_;
  RawClient client_;
  int64_t next_ = 1;
  std::atomic<int64_t> acknowledged_ = 0;
};

class KillBackups : public ::testing::Test {
 protected:
  KillBackups() : random_(SeedOf("BACKUP_SEED")) {}

  void SetUp() override {
    auto server = ServerProcess::Start(
        {.program = PEDIGREED,
         .extra_args = {"--backup_root=/", "--write_buffer_bytes=1MiB", "--sync=never"}});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    RawClient client(server_->address());
    mlmd::PutTypesRequest types;
    types.add_artifact_types()->set_name("data");
    types.add_execution_types()->set_name("step");
    mlmd::PutTypesResponse ids;
    ASSERT_TRUE(client.Call("PutTypes", types, &ids).ok());
    ASSERT_EQ(ids.artifact_type_ids(0), 10);
    ASSERT_EQ(ids.execution_type_ids(0), 11);
    for (int i = 0; i < kWriters; ++i) {
      writers_.push_back(std::make_unique<Writer>(i, server_->address()));
    }
  }

  static int64_t Kills() { return FromEnvironment("BACKUP_KILLS", 8); }

  // Beside the data directory, which the server's end removes with it.
  std::string root() const { return fs::path(server_->data_dir()).parent_path(); }
  std::string backups() const { return root() + "/backups"; }
  std::string target() const { return root() + "/restored"; }

  std::unique_ptr<Program> Start(std::vector<std::string> args) const {
    return std::make_unique<Program>(
        testing::ProgramOptions{.path = PEDIGREE, .args = std::move(args)});
  }
  // 0 if it ended well.
  static int CodeOf(Program& program) {
    const auto end = program.WaitForEnd(absl::Seconds(120));
    if (!end.has_value()) return -1;
    return end->signal != 0 ? -end->signal : end->code;
  }
  std::unique_ptr<Program> StartBackup() const {
    return Start({"backup", backups(), "--server", server_->address()});
  }
  std::unique_ptr<Program> StartRestore(uint32_t id) const {
    return Start({"restore", backups(), "--data_dir", target(), "--backup_id", absl::StrCat(id)});
  }

  std::vector<int64_t> Acknowledged() const {
    std::vector<int64_t> counts;
    for (const auto& writer : writers_) counts.push_back(writer->acknowledged());
    return counts;
  }

  // What a server on the restored store says of all nodes and events, and must say of those that
  // were acknowledged.
  static void ExpectHolds(const std::string& address, const std::vector<int64_t>& acknowledged) {
    RawClient client(address);
    for (size_t writer = 0; writer < acknowledged.size(); ++writer) {
      // The last ones; that those before are there, Verify and the ids say.
      for (int64_t n = std::max<int64_t>(1, acknowledged[writer] - 20); n <= acknowledged[writer];
           ++n) {
        mlmd::GetExecutionByTypeAndNameRequest request;
        request.set_type_name("step");
        request.set_execution_name(absl::StrCat(writer, "-", n));
        mlmd::GetExecutionByTypeAndNameResponse response;
        ASSERT_TRUE(client.Call("GetExecutionByTypeAndName", request, &response).ok());
        ASSERT_TRUE(response.has_execution()) << request.execution_name();
        mlmd::GetEventsByExecutionIDsRequest events;
        events.add_execution_ids(response.execution().id());
        mlmd::GetEventsByExecutionIDsResponse found;
        ASSERT_TRUE(client.Call("GetEventsByExecutionIDs", events, &found).ok());
        EXPECT_EQ(found.events_size(), 1) << request.execution_name();
      }
    }
  }

  // All nodes and events.
  static std::string AnswersOf(const std::string& address) {
    RawClient client(address);
    mlmd::GetArtifactsResponse artifacts;
    EXPECT_TRUE(client.Call("GetArtifacts", mlmd::GetArtifactsRequest(), &artifacts).ok());
    mlmd::GetExecutionsResponse executions;
    EXPECT_TRUE(client.Call("GetExecutions", mlmd::GetExecutionsRequest(), &executions).ok());
    mlmd::GetContextsResponse contexts;
    EXPECT_TRUE(client.Call("GetContexts", mlmd::GetContextsRequest(), &contexts).ok());
    mlmd::GetEventsByExecutionIDsRequest request;
    for (const auto& execution : executions.executions()) request.add_execution_ids(execution.id());
    mlmd::GetEventsByExecutionIDsResponse events;
    if (request.execution_ids_size() > 0) {
      EXPECT_TRUE(client.Call("GetEventsByExecutionIDs", request, &events).ok());
    }
    EXPECT_GT(events.events_size(), 0);
    std::string answers;
    for (google::protobuf::Message* message : std::initializer_list<google::protobuf::Message*>{
             &artifacts, &executions, &contexts, &events}) {
      google::protobuf::io::StringOutputStream stream(&answers);
      google::protobuf::io::CodedOutputStream output(&stream);
      output.SetSerializationDeterministic(true);
      EXPECT_TRUE(message->SerializeToCodedStream(&output));
    }
    return answers;
  }

  std::unique_ptr<ServerProcess> ServeRestored() const {
    auto server =
        ServerProcess::Start({.program = PEDIGREED, .extra_args = {"--data_dir=" + target()}});
    EXPECT_TRUE(server.ok()) << server.status();
    return server.ok() ? *std::move(server) : nullptr;
  }

  Random random_;
  std::unique_ptr<ServerProcess> server_;
  std::vector<std::unique_ptr<Writer>> writers_;
};

TEST_F(KillBackups, TheServerDiesInTheMiddle) {
  // What was acknowledged before each backup was asked for that has ended well.
  std::map<size_t, std::vector<int64_t>> before;
  int killed = 0;
  for (int64_t round = 0; round < Kills(); ++round) {
    SCOPED_TRACE(round);
    std::vector<std::thread> threads;
    for (auto& writer : writers_) threads.emplace_back([&writer] { writer->Run(); });
    SleepMs(random_.Between(20, 100));
    const std::vector<int64_t> acknowledged = Acknowledged();
    auto backup = StartBackup();
    // Now and then one may end.
    if (round % 3 == 2) {
      EXPECT_EQ(CodeOf(*backup), 0) << backup->Output();
    } else {
      SleepMs(random_.Between(5, 120));
    }
    ASSERT_TRUE(server_->Kill9().ok());
    for (std::thread& thread : threads) thread.join();
    const int code = CodeOf(*backup);
    killed += code != 0;
    const auto listed = fs::exists(backups() + "/PEDIGREE_BACKUPS")
                            ? ListBackups(backups())
                            : absl::StatusOr<std::vector<Backup>>(std::vector<Backup>());
    ASSERT_TRUE(listed.ok()) << listed.status();
    for (const Backup& one : *listed) EXPECT_FALSE(one.is_damaged) << one.id;
    if (code == 0) {
      ASSERT_FALSE(listed->empty());
      before[listed->back().id] = acknowledged;
    }
    ASSERT_TRUE(server_->Restart().ok()) << server_->LogTail();
    ExpectHolds(server_->address(), Acknowledged());
  }
  std::cout << killed << " of " << Kills() << " backups were killed" << std::endl;
  EXPECT_FALSE(before.empty());
  // What the last one left is tidied up by the next.
  auto last = StartBackup();
  ASSERT_EQ(CodeOf(*last), 0) << last->Output();
  const auto listed = ListBackups(backups());
  ASSERT_TRUE(listed.ok()) << listed.status();
  before[listed->back().id] = Acknowledged();
  for (const Backup& backup : *listed) {
    SCOPED_TRACE(backup.id);
    fs::remove_all(target());
    auto restore = StartRestore(backup.id);
    ASSERT_EQ(CodeOf(*restore), 0) << restore->Output();
    EXPECT_NE(restore->Output().find("no problems"), std::string::npos) << restore->Output();
    if (before.find(backup.id) == before.end()) continue;
    auto restored = ServeRestored();
    ASSERT_NE(restored, nullptr);
    ExpectHolds(restored->address(), before[backup.id]);
  }
}

TEST_F(KillBackups, TheRestoreDiesInTheMiddle) {
  for (int i = 0; i < 300; ++i) {
    for (auto& writer : writers_) ASSERT_TRUE(writer->Write());
  }
  auto backup = StartBackup();
  ASSERT_EQ(CodeOf(*backup), 0) << backup->Output();
  const std::string answers = AnswersOf(server_->address());
  int killed = 0;
  for (int64_t round = 0; round < Kills(); ++round) {
    SCOPED_TRACE(round);
    // Sometimes into what the last one left.
    if (random_.OneIn(2)) fs::remove_all(target());
    auto restore = StartRestore(1);
    SleepMs(random_.Between(1, 60));
    restore->Signal(SIGKILL);
    const int code = CodeOf(*restore);
    if (code != -SIGKILL) {
      fs::remove_all(target());
      continue;
    }
    ++killed;
    if (!fs::exists(target() + "/PEDIGREE")) continue;
    // It is a store, whole, or none.
    Program server({.path = PEDIGREED,
                    .args = {"--data_dir=" + target(), "--verify", "--write_buffer_bytes=1MiB"}});
    const int verified = CodeOf(server);
    if (verified == 0) {
      fs::remove_all(target());
    } else {
      EXPECT_NE(server.Output().find("has not been finished"), std::string::npos)
          << server.Output();
    }
  }
  std::cout << killed << " of " << Kills() << " restores were killed" << std::endl;
  EXPECT_GT(killed, 0);
  auto restore = StartRestore(1);
  ASSERT_EQ(CodeOf(*restore), 0) << restore->Output();
  auto restored = ServeRestored();
  ASSERT_NE(restored, nullptr);
  EXPECT_EQ(AnswersOf(restored->address()), answers);
}

// The commands, as people use them.
TEST_F(KillBackups, TheCommandsSayWhatTheyDoAndFail) {
  for (auto& writer : writers_) ASSERT_TRUE(writer->Write());
  auto verify = Start({"verify", "--server", server_->address()});
  EXPECT_EQ(CodeOf(*verify), 0) << verify->Output();
  EXPECT_NE(verify->Output().find("3 executions\n"), std::string::npos) << verify->Output();
  EXPECT_NE(verify->Output().find("no problems\n"), std::string::npos) << verify->Output();
  auto backup = StartBackup();
  ASSERT_EQ(CodeOf(*backup), 0) << backup->Output();
  EXPECT_NE(backup->Output().find("backup 1 of "), std::string::npos) << backup->Output();
  // Without a server, on the store of one that has stopped.
  ASSERT_TRUE(server_->Stop().ok());
  auto closed = Start({"backup", backups(), "--data_dir", server_->data_dir()});
  ASSERT_EQ(CodeOf(*closed), 0) << closed->Output();
  EXPECT_NE(closed->Output().find("backup 2 of "), std::string::npos) << closed->Output();
  auto list = Start({"backup", "list", backups()});
  ASSERT_EQ(CodeOf(*list), 0) << list->Output();
  const std::string rows = list->Output();
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 3) << rows;
  verify = Start({"verify", "--data_dir", server_->data_dir()});
  EXPECT_EQ(CodeOf(*verify), 0) << verify->Output();
  auto onto = Start({"restore", backups(), "--data_dir", server_->data_dir()});
  EXPECT_EQ(CodeOf(*onto), 1);
  EXPECT_NE(onto->Output().find("holds a store already"), std::string::npos) << onto->Output();
  auto older = StartRestore(1);
  EXPECT_EQ(CodeOf(*older), 0) << older->Output();
  EXPECT_NE(older->Output().find("there are newer backups"), std::string::npos) << older->Output();
  auto unknown = Start({"restore", backups(), "--data_dir", target() + "2", "--backup_id", "9"});
  EXPECT_EQ(CodeOf(*unknown), 3);
  EXPECT_FALSE(fs::exists(target() + "2"));
  // A flipped bit in the middle of a table file.
  fs::path table;
  for (const auto& entry : fs::directory_iterator(target() + "/db")) {
    if (entry.path().extension() == ".sst") table = entry.path();
  }
  ASSERT_FALSE(table.empty());
  {
    std::fstream file(table, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(100);
    const int byte = file.get();
    file.seekp(100);
    file.put(static_cast<char>(byte ^ 1));
  }
  verify = Start({"verify", "--data_dir", target()});
  EXPECT_EQ(CodeOf(*verify), 1) << verify->Output();
}

}  // namespace
}  // namespace pedigree::crash
