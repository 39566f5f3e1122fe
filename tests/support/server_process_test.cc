#include "tests/support/server_process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/support/raw_client.h"

namespace pedigree::testing {
namespace {

bool Contains(absl::string_view text, absl::string_view part) {
  return text.find(part) != absl::string_view::npos;
}

absl::StatusOr<std::unique_ptr<ServerProcess>> StartStub(std::vector<std::string> extra_args = {}) {
  return ServerProcess::Start({.program = STUB_SERVER,
                               .extra_args = std::move(extra_args),
                               .start_timeout = absl::Seconds(10),
                               .stop_timeout = absl::Seconds(5)});
}

grpc::StatusCode CallStub(const ServerProcess& server) {
  RawClient client(server.address(), absl::Seconds(5));
  ml_metadata::GetArtifactsResponse response;
  return client.Call("GetArtifacts", ml_metadata::GetArtifactsRequest(), &response).error_code();
}

// Waits for the end of a server that ends by itself.
bool EndsWithin(ServerProcess& server, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (server.IsRunning()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(5));
  }
  return true;
}

std::string FileText(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(ServerProcess, ServesUntilStoppedWithCodeZero) {
  auto server = StartStub();
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_TRUE((*server)->IsRunning());
  EXPECT_EQ(CallStub(**server), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_TRUE(Contains((*server)->LogTail(), "stub server on port"));
  const absl::Status stopped = (*server)->Stop();
  EXPECT_TRUE(stopped.ok()) << stopped;
  EXPECT_FALSE((*server)->IsRunning());
  EXPECT_EQ((*server)->last_exit()->ToString(), "exit code 0");
}

TEST(ServerProcess, RemovesItsDirectoryAndKillsWhenDestroyed) {
  auto server = StartStub();
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string directory = (*server)->data_dir();
  const pid_t pid = (*server)->pid();
  EXPECT_TRUE(std::filesystem::exists(directory));
  server->reset();
  EXPECT_FALSE(std::filesystem::exists(directory));
  EXPECT_EQ(kill(pid, 0), -1) << "the process still exists, or was not reaped";
}

TEST(ServerProcess, TwoServersHaveTheirOwnPortAndDirectory) {
  auto one = StartStub(), two = StartStub();
  ASSERT_TRUE(one.ok() && two.ok()) << one.status() << two.status();
  EXPECT_NE((*one)->address(), (*two)->address());
  EXPECT_NE((*one)->data_dir(), (*two)->data_dir());
}

TEST(ServerProcess, ReportsTheExitCodeAfterSigterm) {
  auto server = StartStub({"--exit_code=3"});
  ASSERT_TRUE(server.ok()) << server.status();
  const absl::Status stopped = (*server)->Stop();
  EXPECT_EQ(stopped.code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(Contains(stopped.message(), "exit code 3")) << stopped;
  EXPECT_EQ((*server)->last_exit()->code, 3);
}

TEST(ServerProcess, KillsAServerThatIgnoresSigterm) {
  auto server = ServerProcess::Start({.program = STUB_SERVER,
                                      .extra_args = {"--ignore_sigterm"},
                                      .stop_timeout = absl::Milliseconds(100)});
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ((*server)->Stop().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ((*server)->last_exit()->signal, SIGKILL);
}

TEST(ServerProcess, NoticesAServerThatEndedByItself) {
  auto server = StartStub({"--end_after_ms=300", "--exit_code=7"});
  ASSERT_TRUE(server.ok()) << server.status();
  ASSERT_TRUE(EndsWithin(**server, absl::Seconds(5)));
  EXPECT_EQ((*server)->last_exit()->code, 7);
}

TEST(ServerProcess, StopReportsAServerThatEndedByItself) {
  auto server = StartStub({"--end_after_ms=100", "--exit_code=7"});
  ASSERT_TRUE(server.ok()) << server.status();
  absl::SleepFor(absl::Milliseconds(500));
  const absl::Status stopped = (*server)->Stop();
  EXPECT_EQ(stopped.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Contains(stopped.message(), "ended by itself, exit code 7")) << stopped;
  EXPECT_TRUE(Contains(stopped.message(), "stub server on port")) << stopped;
}

TEST(ServerProcess, StartReportsAProgramThatDoesNotExist) {
  const auto server = ServerProcess::Start({.program = "/nonexistent/pedigreed"});
  EXPECT_EQ(server.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Contains(server.status().message(), "No such file")) << server.status();
}

TEST(ServerProcess, StartReportsAServerThatEndsAtOnceWithItsLog) {
  const auto server = StartStub({"--noserve", "--end_after_ms=0", "--exit_code=5"});
  EXPECT_EQ(server.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Contains(server.status().message(), "exit code 5")) << server.status();
  EXPECT_TRUE(Contains(server.status().message(), "stub server on port")) << server.status();
}

TEST(ServerProcess, StartGivesUpOnAServerThatNeverListens) {
  const auto server = ServerProcess::Start({.program = STUB_SERVER,
                                            .extra_args = {"--noserve"},
                                            .start_timeout = absl::Milliseconds(300)});
  EXPECT_EQ(server.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(Contains(server.status().message(), "stub server on port")) << server.status();
}

TEST(ServerProcess, RestartsOnTheSameDirectoryAndAddressAfterKill9) {
  auto server = StartStub();
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string address = (*server)->address();
  EXPECT_EQ((*server)->Restart().code(), absl::StatusCode::kFailedPrecondition);
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE((*server)->Kill9().ok());
    EXPECT_EQ((*server)->last_exit()->ToString(), "signal 9 (Killed)");
    EXPECT_EQ((*server)->Kill9().code(), absl::StatusCode::kFailedPrecondition);
    const absl::Status restarted = (*server)->Restart();
    ASSERT_TRUE(restarted.ok()) << restarted;
    EXPECT_EQ(CallStub(**server), grpc::StatusCode::UNIMPLEMENTED);
  }
  EXPECT_EQ((*server)->address(), address);
  EXPECT_EQ(FileText((*server)->data_dir() + "/starts"), "start\nstart\nstart\nstart\n");
}

TEST(ServerProcess, AClientOutlivesARestart) {
  auto server = StartStub();
  ASSERT_TRUE(server.ok()) << server.status();
  RawClient client((*server)->address(), absl::Seconds(5));
  ml_metadata::GetArtifactsRequest request;
  ml_metadata::GetArtifactsResponse response;
  EXPECT_EQ(client.Call("GetArtifacts", request, &response).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
  ASSERT_TRUE((*server)->Kill9().ok());
  EXPECT_EQ(client.Call("GetArtifacts", request, &response).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  ASSERT_TRUE((*server)->Restart().ok());
  absl::SleepFor(absl::Milliseconds(200));
  EXPECT_EQ(client.Call("GetArtifacts", request, &response).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace pedigree::testing
