// The real program: SIGTERM and SIGINT under load.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/server/bytes_client.h"
#include "tests/server/process_fixture.h"

namespace pedigree::testing {
namespace {

namespace mlmd = ml_metadata;

// Clients that store artifacts until they are told to end or refused, and keep what was said to
// them.
class Load {
 public:
  Load(const std::string& address, int clients) {
    for (int i = 0; i < clients; ++i) {
      threads_.emplace_back([this, address, i] { Run(address, i); });
    }
  }
  ~Load() { Join(); }

  void Join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  int acknowledged_count() const { return count_; }

  // After Join(): external ids by acknowledged id, and the codes of the calls that failed.
  const std::map<int64_t, std::string>& acknowledged() const { return acknowledged_; }
  const std::map<int, int>& failures() const { return failures_; }
  const std::string& first_failure() const { return first_failure_; }

 private:
  void Run(const std::string& address, int number) {
    RawClient client(address);
    for (int i = 0; i < 1'000'000; ++i) {
      mlmd::PutArtifactsRequest request;
      auto* artifact = request.add_artifacts();
      artifact->set_type_id(1);
      artifact->set_external_id(absl::StrCat(number, "-", i));
      mlmd::PutArtifactsResponse response;
      const grpc::Status status = client.Call("PutArtifacts", request, &response);
      std::lock_guard<std::mutex> lock(mutex_);
      if (!status.ok()) {
        ++failures_[status.error_code()];
        if (first_failure_.empty()) first_failure_ = status.error_message();
        return;
      }
      acknowledged_[response.artifact_ids(0)] = artifact->external_id();
      ++count_;
    }
  }

  std::mutex mutex_;
  std::map<int64_t, std::string> acknowledged_;
  std::map<int, int> failures_;
  std::string first_failure_;
  std::atomic<int> count_ = 0;
  std::vector<std::thread> threads_;
};

void WaitForWrites(const Load& load, int count) {
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (load.acknowledged_count() < count && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(1));
  }
  EXPECT_GE(load.acknowledged_count(), count);
}

bool EndsWithin(ServerProcess& server, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (server.IsRunning()) {
    if (absl::Now() >= deadline) return false;
    absl::SleepFor(absl::Milliseconds(2));
  }
  return true;
}

class Stop : public ::testing::TestWithParam<int> {};

TEST_P(Stop, KeepsEveryAcknowledgedWriteAndRefusesTheRest) {
  constexpr int kClients = 16;
  const auto server = StartServer();
  ASSERT_NE(server, nullptr);
  Load load(server->address(), kClients);
  WaitForWrites(load, 500);
  ASSERT_EQ(kill(server->pid(), GetParam()), 0);
  ASSERT_TRUE(EndsWithin(*server, absl::Seconds(30)));
  EXPECT_TRUE(server->last_exit()->ok()) << server->last_exit()->ToString() << server->LogTail();
  EXPECT_TRUE(absl::StrContains(server->LogTail(), "pedigreed: stopping on ")) << server->LogTail();
  EXPECT_TRUE(absl::EndsWith(server->LogTail(), "pedigreed: stopped\n")) << server->LogTail();
  load.Join();

  int failed = 0;
  for (const auto& [code, count] : load.failures()) {
    EXPECT_TRUE(code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::CANCELLED)
        << code << ": " << load.first_failure();
    failed += count;
  }
  EXPECT_EQ(failed, kClients);

  ASSERT_TRUE(server->Restart().ok());
  RawClient client(server->address());
  mlmd::GetArtifactsByIDRequest request;
  for (const auto& [id, external_id] : load.acknowledged()) request.add_artifact_ids(id);
  mlmd::GetArtifactsByIDResponse response;
  const grpc::Status status = client.Call("GetArtifactsByID", request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  std::map<int64_t, std::string> stored;
  for (const auto& artifact : response.artifacts()) stored[artifact.id()] = artifact.external_id();
  EXPECT_EQ(stored, load.acknowledged());
  ExpectServes(*server);
  const absl::Status stopped = server->Stop();
  EXPECT_TRUE(stopped.ok()) << stopped;
}

INSTANTIATE_TEST_SUITE_P(OnSignal, Stop, ::testing::Values(SIGTERM, SIGINT),
                         [](const auto& signal) {
                           return std::string(signal.param == SIGTERM ? "Sigterm" : "Sigint");
                         });

TEST(Stop, OfAnIdleServerIsQuickThoughClientsStayConnected) {
  const auto server = StartServer();
  ASSERT_NE(server, nullptr);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<RawClient>(server->address()));
    mlmd::GetArtifactsResponse response;
    EXPECT_TRUE(clients.back()->Call("GetArtifacts", mlmd::GetArtifactsRequest(), &response).ok());
  }
  const absl::Time begin = absl::Now();
  const absl::Status stopped = server->Stop();
  EXPECT_TRUE(stopped.ok()) << stopped;
  EXPECT_LT(absl::Now() - begin, absl::Seconds(10));
}

// A health watch never ends by itself; it must not keep the server from its end.
TEST(Stop, DoesNotWaitForStreamsForever) {
  const auto server = StartServer();
  ASSERT_NE(server, nullptr);
  grpc::GenericStub stub(NewChannel(server->address()));
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  void* tag = nullptr;
  bool ok = false;
  auto watch = stub.PrepareCall(&context, "/grpc.health.v1.Health/Watch", &queue);
  watch->StartCall(nullptr);
  ASSERT_TRUE(queue.Next(&tag, &ok) && ok);
  watch->WriteLast(ToBuffer(""), grpc::WriteOptions(), nullptr);
  ASSERT_TRUE(queue.Next(&tag, &ok) && ok);
  grpc::ByteBuffer health;
  watch->Read(&health, nullptr);
  ASSERT_TRUE(queue.Next(&tag, &ok) && ok);
  EXPECT_EQ(NumberIn(ToString(health), 1), 1U) << "SERVING";

  ASSERT_EQ(kill(server->pid(), SIGTERM), 0);
  watch->Read(&health, nullptr);
  EXPECT_TRUE(queue.Next(&tag, &ok) && ok);
  EXPECT_EQ(NumberIn(ToString(health), 1), 2U) << "NOT_SERVING";
  EXPECT_TRUE(EndsWithin(*server, absl::Seconds(28))) << "longer than Kubernetes waits";
  EXPECT_TRUE(server->last_exit()->ok()) << server->LogTail();
  grpc::Status status;
  watch->Finish(&status, nullptr);
  queue.Next(&tag, &ok);
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
}

TEST(Stop, ASecondSignalDoesNoHarm) {
  const auto server = StartServer();
  ASSERT_NE(server, nullptr);
  Load load(server->address(), 4);
  WaitForWrites(load, 50);
  kill(server->pid(), SIGTERM);
  kill(server->pid(), SIGINT);
  kill(server->pid(), SIGTERM);
  ASSERT_TRUE(EndsWithin(*server, absl::Seconds(30)));
  EXPECT_TRUE(server->last_exit()->ok()) << server->last_exit()->ToString();
}

}  // namespace
}  // namespace pedigree::testing
