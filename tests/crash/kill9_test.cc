// kill -9 under load: pedigreed is killed at random moments while several clients write, and
// started again on the same directory.
//
// After each start, every acknowledged write must be there, whole; of the writes that were under
// way each must be there whole or not at all; no id may be given twice. In the end the server stops
// by SIGTERM with status 0, and Store::Verify must find nothing in what it leaves. KILL9_SEED and
// KILL9_ROUNDS say where to begin and how often to kill.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/store.h"
#include "tests/crash/environment.h"
#include "tests/crash/load_client.h"
#include "tests/store/random.h"
#include "tests/support/server_process.h"

namespace pedigree::crash {
namespace {

constexpr int64_t kDefaultRounds = 24;
constexpr int kClients = 8;
// Small, so that kills meet flushes and compactions too.
constexpr char kWriteBuffer[] = "--write_buffer_bytes=1MiB";

void SleepMs(int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

class Kills {
 public:
  explicit Kills(uint64_t seed) : seed_(seed), random_(seed) {}

  // "" or what went wrong.
  std::string Start() {
    auto server =
        testing::ServerProcess::Start({.program = PEDIGREED, .extra_args = {kWriteBuffer}});
    if (!server.ok()) return server.status().ToString();
    server_ = *std::move(server);
    testing::RawClient client(server_->address());
    const auto shared = PutSharedNodes(&client);
    if (!shared.ok()) return shared.status().ToString();
    for (int i = 0; i < kClients; ++i) {
      clients_.push_back(std::make_unique<LoadClient>(i, seed_ + static_cast<uint64_t>(i),
                                                      server_->address(), *shared));
    }
    return "";
  }

  std::string Round() {
    std::vector<std::thread> threads;
    for (auto& client : clients_) threads.emplace_back([&client] { client->Run(); });
    SleepMs(random_.Between(10, 400));
    const bool was_running = server_->IsRunning();
    const absl::Status killed = server_->Kill9();
    for (std::thread& thread : threads) thread.join();
    if (!was_running) return absl::StrCat("the server ended by itself:\n", server_->LogTail());
    if (!killed.ok()) return killed.ToString();
    if (random_.OneIn(4)) KillInOpening();
    if (absl::Status started = server_->Restart(); !started.ok()) return started.ToString();
    for (auto& client : clients_) {
      if (std::string failure = client->Settle(); !failure.empty()) return failure;
    }
    return CheckIds();
  }

  // Checks everything once more, stops the server and verifies what it leaves.
  std::string Finish() {
    for (auto& client : clients_) {
      if (std::string failure = client->CheckAll(); !failure.empty()) return failure;
    }
    if (absl::Status stopped = server_->Stop(); !stopped.ok()) return stopped.ToString();
    StoreOptions options;
    options.data_dir = server_->data_dir();
    auto store = Store::Open(std::move(options));
    if (!store.ok()) return store.status().ToString();
    const auto report = (*store)->Verify();
    if (!report.ok()) return report.status().ToString();
    if (!report->ok()) return absl::StrCat("Verify: ", report->problems[0]);
    return CheckCounts(*report);
  }

  void PrintCounts() const {
    int64_t acknowledged = 0;
    int64_t kept = 0;
    int64_t lost = 0;
    for (const auto& client : clients_) {
      acknowledged += client->acknowledged();
      kept += client->kept_unacknowledged();
      lost += client->lost_unacknowledged();
    }
    std::cout << acknowledged << " writes acknowledged; of those under way " << kept << " kept, "
              << lost << " lost; " << kills_in_opening_ << " kills in opening" << std::endl;
  }

 private:
  // Starts another server on the directory and kills it before or while it opens the store.
  void KillInOpening() {
    std::string program = PEDIGREED;
    std::string data_dir = absl::StrCat("--data_dir=", server_->data_dir());
    std::string listen = "--listen=127.0.0.1";
    std::string port = "--grpc_port=0";
    std::string buffer = kWriteBuffer;
    char* argv[] = {program.data(), data_dir.data(), listen.data(),
                    port.data(),    buffer.data(),   nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t pid = 0;
    if (posix_spawn(&pid, program.c_str(), &actions, nullptr, argv, environ) == 0) {
      SleepMs(random_.Between(0, 80));
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
      ++kills_in_opening_;
    }
    posix_spawn_file_actions_destroy(&actions);
  }

  // No id may belong to two clients: each looks after its own.
  std::string CheckIds() const {
    std::set<int64_t> executions;
    std::set<int64_t> artifacts;
    for (const auto& client : clients_) {
      for (const auto& [id, name] : client->executions()) {
        if (!executions.insert(id).second) return absl::StrCat("execution ", id, " twice: ", name);
      }
      for (const auto& [id, name] : client->artifacts()) {
        if (!artifacts.insert(id).second) return absl::StrCat("artifact ", id, " twice: ", name);
      }
    }
    return "";
  }

  // The store must hold what the clients know of, and nothing else.
  std::string CheckCounts(const VerifyReport& report) const {
    int64_t executions = 0;
    int64_t artifacts = 0;
    for (const auto& client : clients_) {
      executions += static_cast<int64_t>(client->executions().size());
      artifacts += static_cast<int64_t>(client->artifacts().size());
    }
    if (report.nodes[IndexOf(NodeKind::kExecution)] == executions &&
        report.nodes[IndexOf(NodeKind::kArtifact)] == artifacts) {
      return "";
    }
    return absl::StrCat("the store holds ", report.nodes[IndexOf(NodeKind::kExecution)],
                        " executions and ", report.nodes[IndexOf(NodeKind::kArtifact)],
                        " artifacts, the clients know of ", executions, " and ", artifacts);
  }

  const uint64_t seed_;
  Random random_;
  std::unique_ptr<testing::ServerProcess> server_;
  std::vector<std::unique_ptr<LoadClient>> clients_;
  int64_t kills_in_opening_ = 0;
};

TEST(Kill9, LosesNothingAcknowledgedAndLeavesNoHalves) {
  Kills kills(SeedOf("KILL9_SEED"));
  std::string failure = kills.Start();
  ASSERT_TRUE(failure.empty()) << failure;
  const int64_t rounds = FromEnvironment("KILL9_ROUNDS", kDefaultRounds);
  for (int64_t round = 0; round < rounds; ++round) {
    failure = kills.Round();
    ASSERT_TRUE(failure.empty()) << "round " << round << ": " << failure;
  }
  failure = kills.Finish();
  EXPECT_TRUE(failure.empty()) << failure;
  std::cout << rounds << " kills; ";
  kills.PrintCounts();
}

}  // namespace
}  // namespace pedigree::crash
