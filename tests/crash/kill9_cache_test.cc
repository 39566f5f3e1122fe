// kill -9 under cache load: pedigreed is killed at random moments while clients take leases and
// publish, a reader looks up, and others wait.
//
// After each start every acknowledged publication is a hit with all of its outputs, no hit ever
// lacks any, a lease that was handed out is still held, and its token good for one publication. In
// the end a lease whose holder is gone is taken over, and its old token refused.
// KILL9_CACHE_SEED and KILL9_CACHE_ROUNDS say where to begin and how often to kill.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/store.h"
#include "tests/crash/cache_client.h"
#include "tests/crash/environment.h"
#include "tests/support/raw_client.h"
#include "tests/support/server_process.h"

namespace pedigree::crash {
namespace {

constexpr int64_t kDefaultRounds = 8;
constexpr int kClients = 6;

class CacheKills : public ::testing::Test {
 protected:
  CacheKills() : seed_(SeedOf("KILL9_CACHE_SEED")), random_(seed_) {}

  void SetUp() override {
    auto server = testing::ServerProcess::Start(
        {.program = PEDIGREED, .extra_args = {"--write_buffer_bytes=1MiB"}});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    ml_metadata::PutTypesRequest types;
    types.add_artifact_types()->set_name("a");
    types.add_execution_types()->set_name("e");
    ml_metadata::PutTypesResponse ids;
    testing::RawClient client(server_->address());
    ASSERT_TRUE(client.Call("PutTypes", types, &ids).ok());
    types_ = {ids.artifact_type_ids(0), ids.execution_type_ids(0)};
    for (int i = 0; i < kClients; ++i) {
      clients_.push_back(std::make_unique<CacheClient>(i, seed_ + static_cast<uint64_t>(i),
                                                       server_->address(), types_));
    }
  }

  // Looks up what the clients share, until the server is gone.
  std::string Hammer() {
    testing::BytesClient client(testing::NewChannel(server_->address()));
    for (int64_t i = 0;; ++i) {
      v1::LookupRequest request;
      *request.mutable_key() = CacheKeyOf(absl::StrCat("shared/", i % 1000));
      v1::LookupResponse response;
      const grpc::Status status = CallCache(&client, "Lookup", request, &response);
      if (!status.ok()) return "";
      if (!response.has_hit()) continue;
      ++looked_up_;
      if (std::string fault = FaultOfHit(response.hit()); !fault.empty()) return fault;
    }
  }

  void Round() {
    std::string fault;
    std::vector<std::thread> threads;
    for (auto& client : clients_) threads.emplace_back([&client] { client->Run(); });
    threads.emplace_back([&] { fault = Hammer(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(random_.Between(20, 400)));
    const absl::Status killed = server_->Kill9();
    for (std::thread& thread : threads) thread.join();
    ASSERT_TRUE(killed.ok()) << killed;
    EXPECT_EQ(fault, "");
    const absl::Status started = server_->Restart();
    ASSERT_TRUE(started.ok()) << started;
    for (auto& client : clients_) ASSERT_EQ(client->Settle(), "");
  }

  // A holder that never comes back.
  void TakeOver() {
    testing::BytesClient client(testing::NewChannel(server_->address()));
    v1::LookupOrReserveRequest reserve;
    *reserve.mutable_key() = CacheKeyOf("taken over");
    reserve.set_owner("gone");
    reserve.set_lease_ms(1500);
    v1::LookupOrReserveResponse first;
    ASSERT_TRUE(CallCache(&client, "LookupOrReserve", reserve, &first).ok());
    ASSERT_TRUE(first.has_lease());
    ASSERT_TRUE(server_->Kill9().ok());
    ASSERT_TRUE(server_->Restart().ok());
    testing::BytesClient other(testing::NewChannel(server_->address()));
    reserve.set_owner("next");
    reserve.set_wait_ms(25'000);
    v1::LookupOrReserveResponse second;
    ASSERT_TRUE(CallCache(&other, "LookupOrReserve", reserve, &second).ok());
    ASSERT_TRUE(second.has_lease()) << second.ShortDebugString();
    EXPECT_GT(second.lease().fencing_token(), first.lease().fencing_token());
    for (const auto& [token, code] :
         {std::pair(first.lease().fencing_token(), grpc::StatusCode::FAILED_PRECONDITION),
          std::pair(second.lease().fencing_token(), grpc::StatusCode::OK)}) {
      v1::PublishRequest publish;
      *publish.mutable_key() = reserve.key();
      publish.set_fencing_token(token);
      publish.mutable_put()->mutable_execution()->set_type_id(types_.execution);
      v1::PublishResponse published;
      EXPECT_EQ(CallCache(&other, "Publish", publish, &published).error_code(), code);
    }
  }

  const uint64_t seed_;
  Random random_;
  std::unique_ptr<testing::ServerProcess> server_;
  CacheTypes types_;
  std::vector<std::unique_ptr<CacheClient>> clients_;
  std::atomic<int64_t> looked_up_ = 0;
};

TEST_F(CacheKills, LoseNoPublicationAndNoLease) {
  const int64_t rounds = FromEnvironment("KILL9_CACHE_ROUNDS", kDefaultRounds);
  for (int64_t round = 0; round < rounds; ++round) {
    Round();
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
  TakeOver();
  ASSERT_TRUE(server_->Stop().ok());
  StoreOptions options;
  options.data_dir = server_->data_dir();
  auto store = Store::Open(std::move(options));
  ASSERT_TRUE(store.ok()) << store.status();
  const auto report = (*store)->Verify();
  ASSERT_TRUE(report.ok()) << report.status();
  for (const std::string& problem : report->problems) ADD_FAILURE() << problem;
  int64_t published = 0;
  int64_t kept = 0;
  int64_t lost = 0;
  int64_t hits = 0;
  for (const auto& client : clients_) {
    published += client->published();
    kept += client->kept_unacknowledged();
    lost += client->lost_unacknowledged();
    hits += client->hits();
  }
  std::cout << rounds << " kills; " << published << " published; of those under way " << kept
            << " kept, " << lost << " lost; " << hits << " hits, " << looked_up_ << " looked up"
            << std::endl;
  EXPECT_GT(published, 0);
  EXPECT_GT(hits, 0);
}

}  // namespace
}  // namespace pedigree::crash
