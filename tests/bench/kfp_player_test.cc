#include "bench/kfp_player.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bench/child_process.h"
#include "bench/scratch_directory.h"
#include "tests/bench/kfp_fixture.h"
#include "tests/support/loopback_port.h"

namespace pedigree::bench {
namespace {

TEST(BuiltInPipelines, AreKnownByNameAndSize) {
  for (const std::string& name : BuiltInPipelines()) {
    EXPECT_TRUE(BuiltInPipeline(name).ok()) << name;
  }
  EXPECT_EQ(BuiltInPipeline("linear:3")->tasks.size(), 3u);
  EXPECT_EQ(BuiltInPipeline("fan-out:3")->tasks.size(), 5u);
  EXPECT_EQ(BuiltInPipeline("parallel-for:7")->tasks.at(0).iterations, 7);
  for (const char* wrong : {"", "lines", "linear:", "linear:0", "linear:10001", "linear:x"}) {
    EXPECT_EQ(BuiltInPipeline(wrong).status().code(), absl::StatusCode::kInvalidArgument) << wrong;
  }
}

TEST(KfpPlayer, CountsWhatItPlays) {
  const auto server = StartServer();
  ASSERT_NE(server, nullptr);
  const auto player = ConnectTo(server->address(), KfpTaskService::kUnused);
  ASSERT_NE(player, nullptr);
  const KfpPlay play = MustPlay(*player, "linear:3", {.clients = 2, .runs = 4});
  EXPECT_EQ(play.tally.runs, 4u);
  EXPECT_EQ(play.tally.launched, 12u);
  EXPECT_EQ(play.tasks.calls, 12u);
  EXPECT_EQ(play.tally.task_times.count(), 12u);
  EXPECT_EQ(play.tally.pods[static_cast<size_t>(PodKind::kLauncher)], 12u);
  // 12 calls to drive the first and 15 the others, 19 to launch each.
  EXPECT_DOUBLE_EQ(play.CallsPerTask(), (12 + 15 + 15) / 3.0 + 18);
}

TEST(KfpPlayer, PlaysForATime) {
  const auto server = StartServer();
  ASSERT_NE(server, nullptr);
  const auto player = ConnectTo(server->address(), KfpTaskService::kUnused);
  ASSERT_NE(player, nullptr);
  const KfpPlay play = MustPlay(*player, "linear:3",
                                {.clients = 4,
                                 .warm_up = std::chrono::milliseconds(50),
                                 .duration = std::chrono::milliseconds(300),
                                 .server_pid = server->pid()});
  EXPECT_GT(play.tally.launched, 0u);
  EXPECT_GT(play.tasks.server_cpu_us, 0);
}

TEST(KfpPlayer, FindsCachedStepsWithAndWithoutTaskService) {
  for (const KfpTaskService use : {KfpTaskService::kUnused, KfpTaskService::kRequired}) {
    const auto server = StartServer();
    ASSERT_NE(server, nullptr);
    const auto player = ConnectTo(server->address(), use);
    ASSERT_NE(player, nullptr);
    EXPECT_EQ(player->uses_task_service(), use == KfpTaskService::kRequired);
    EXPECT_EQ(MustPlay(*player, "recorded", {.runs = 1}).tally.cached, 0u);
    EXPECT_EQ(MustPlay(*player, "recorded", {.runs = 1}).tally.cached, 2u);
    // Not of another pipeline.
    EXPECT_EQ(MustPlay(*player, "mixed", {.runs = 1}).tally.cached, 0u);
  }
}

TEST(KfpPlayer, ARunWhoseServerDiesFailsAndSaysWhy) {
  const auto server = StartServer();
  ASSERT_NE(server, nullptr);
  const auto player = ConnectTo(server->address(), KfpTaskService::kUnused);
  ASSERT_NE(player, nullptr);
  int calls = 0;
  const KfpPlayOptions options{
      .clients = 2,
      .runs = 3,
      .listener = [&](const KfpIdentity&, int, PodKind, const std::string&, absl::StatusCode) {
        if (++calls == 20) {
          EXPECT_TRUE(server->Kill9().ok());
        }
      }};
  const auto play = player->Play(*BuiltInPipeline("linear:3"), options);
  ASSERT_TRUE(play.ok()) << play.status();
  EXPECT_EQ(play->failed_runs, 3u);
  EXPECT_EQ(play->first_failure.code(), absl::StatusCode::kUnavailable) << play->first_failure;
  EXPECT_TRUE(absl::StrContains(play->first_failure.message(), " of bench-linear: "))
      << play->first_failure;
}

TEST(KfpPlayer, NobodyListens) {
  const auto port = testing::FreeLoopbackPort();
  ASSERT_TRUE(port.ok()) << port.status();
  EXPECT_EQ(KfpPlayer::Connect(absl::StrCat("127.0.0.1:", *port), {}).status().code(),
            absl::StatusCode::kUnavailable);
}

// The echo, which plays the bare server.
class ReplayTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto directory = ScratchDirectory::Create(::testing::TempDir());
    ASSERT_TRUE(directory.ok()) << directory.status();
    directory_ = *std::move(directory);
    const auto port = testing::FreeLoopbackPort();
    ASSERT_TRUE(port.ok()) << port.status();
    auto echo =
        ChildProcess::Start({PEDIGREE_BENCH, "--role=echo", absl::StrCat("--echo_port=", *port)},
                            directory_->path() + "/echo.log");
    ASSERT_TRUE(echo.ok()) << echo.status();
    echo_ = *std::move(echo);
    while (!testing::IsListening(*port)) {
      ASSERT_TRUE(echo_->CheckAlive().ok());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    address_ = absl::StrCat("127.0.0.1:", *port);
  }

  std::unique_ptr<ScratchDirectory> directory_;
  std::unique_ptr<ChildProcess> echo_;
  std::string address_;
};

TEST_F(ReplayTest, MakesTheSameCallsAgain) {
  for (const KfpTaskService use : {KfpTaskService::kUnused, KfpTaskService::kRequired}) {
    const auto server = StartServer();
    ASSERT_NE(server, nullptr);
    const auto player = ConnectTo(server->address(), use);
    const auto replayer = ConnectTo(address_, KfpTaskService::kUnused);
    ASSERT_TRUE(player != nullptr && replayer != nullptr);
    MustPlay(*player, "mixed", {.runs = 1});
    const auto recording = player->Record(*BuiltInPipeline("mixed"));
    ASSERT_TRUE(recording.ok()) << recording.status();
    const KfpPlay again =
        MustPlay(*replayer, "mixed", {.clients = 3, .runs = 6, .replay = &*recording});
    EXPECT_EQ(again.tally.runs, 6u);
    EXPECT_EQ(again.tally.cached, 12u);
    size_t calls = 0;
    for (const KfpRecording::Call& call : recording->calls) calls += call.method[0] != '(' ? 1 : 0;
    EXPECT_EQ(again.tally.AllCalls(), 6 * calls);
    EXPECT_EQ(again.tally.CallsWith(absl::StatusCode::kAlreadyExists), 6 * 2u);
  }
}

TEST_F(ReplayTest, AnotherPipelineThanTheRecordedIsAFailure) {
  const auto server = StartServer();
  ASSERT_NE(server, nullptr);
  const auto player = ConnectTo(server->address(), KfpTaskService::kUnused);
  const auto replayer = ConnectTo(address_, KfpTaskService::kUnused);
  ASSERT_TRUE(player != nullptr && replayer != nullptr);
  const auto recording = player->Record(*BuiltInPipeline("linear:2"));
  ASSERT_TRUE(recording.ok()) << recording.status();
  const auto play =
      replayer->Play(*BuiltInPipeline("linear:3"), {.runs = 1, .replay = &*recording});
  ASSERT_TRUE(play.ok()) << play.status();
  EXPECT_EQ(play->failed_runs, 1u);
  EXPECT_EQ(play->first_failure.code(), absl::StatusCode::kInternal) << play->first_failure;
}

}  // namespace
}  // namespace pedigree::bench
