// Calls that wait for a lease or a result: woken by what they wait for, and by nothing else; ended
// when nobody wants them any more.
#include "server/lease_waits.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "tests/server/cache_server.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using ml_metadata::Execution;
using Reply = CacheServer::Reply;

constexpr int kCallers = 256;
const v1::CacheKey kKey = KeyOf("f", "n", "p");

class LeaseWaiting : public ::testing::Test {
 protected:
  ~LeaseWaiting() override { EXPECT_EQ(Problems(server_.store()), ""); }

  static v1::LookupOrReserveRequest ReserveOf(const std::string& owner, int64_t wait_ms,
                                              const v1::CacheKey& key = kKey) {
    v1::LookupOrReserveRequest request;
    *request.mutable_key() = key;
    request.set_owner(owner);
    request.set_wait_ms(wait_ms);
    return request;
  }
  std::vector<std::future<Reply>> StartAll(int64_t wait_ms) {
    std::vector<std::future<Reply>> replies(kCallers);
    std::vector<std::thread> threads;
    for (size_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (size_t i = t; i < replies.size(); i += 4) {
          replies[i] = server_.Start("LookupOrReserve", ReserveOf(std::to_string(i), wait_ms));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    return replies;
  }
  static v1::LookupOrReserveResponse Get(std::future<Reply>& reply) {
    auto response = CacheServer::Parse<v1::LookupOrReserveResponse>(reply.get());
    EXPECT_TRUE(IsOk(response));
    return response.ok() ? *response : v1::LookupOrReserveResponse();
  }
  uint64_t Take(const v1::CacheKey& key = kKey) {
    auto reply = server_.Start("LookupOrReserve", ReserveOf("holder", 0, key));
    const auto response = Get(reply);
    EXPECT_TRUE(response.has_lease());
    return response.lease().fencing_token();
  }
  void Publish(uint64_t token, const v1::CacheKey& key = kKey) {
    v1::PublishRequest request;
    *request.mutable_key() = key;
    request.set_fencing_token(token);
    *request.mutable_put() = PutOf(Execution::COMPLETE, 2);
    EXPECT_TRUE(IsOk(server_.Call<v1::PublishResponse>("Publish", request)));
  }
  void Release(uint64_t token) {
    v1::ReleaseLeaseRequest request;
    *request.mutable_key() = kKey;
    request.set_fencing_token(token);
    EXPECT_TRUE(IsOk(server_.Call<v1::ReleaseLeaseResponse>("ReleaseLease", request)));
  }
  static bool IsReady(const std::future<Reply>& reply) {
    return reply.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  // The versions that commits have made.
  uint64_t Commits() { return server_.store()->CurrentVersion()->number; }

  CacheServer server_;
};

TEST_F(LeaseWaiting, OfManyCallersOneGetsTheLease) {
  auto replies = StartAll(0);
  int leases = 0;
  std::string owner;
  std::vector<std::string> holders;
  for (auto& reply : replies) {
    const auto response = Get(reply);
    EXPECT_FALSE(response.has_hit());
    if (response.has_lease()) {
      ++leases;
      owner = response.lease().owner();
    } else {
      holders.push_back(response.busy().owner());
    }
  }
  EXPECT_EQ(leases, 1);
  for (const std::string& holder : holders) EXPECT_EQ(holder, owner);
}

TEST_F(LeaseWaiting, AllThatWaitHitWhatIsPublished) {
  auto replies = StartAll(600'000);
  // One of them is answered at once.
  size_t winner = replies.size();
  while (winner == replies.size()) {
    for (size_t i = 0; i < replies.size(); ++i) {
      if (IsReady(replies[i])) winner = i;
    }
    std::this_thread::yield();
  }
  const auto lease = Get(replies[winner]);
  ASSERT_TRUE(lease.has_lease());
  const uint64_t before = Commits();
  Publish(lease.lease().fencing_token());
  for (size_t i = 0; i < replies.size(); ++i) {
    if (i == winner) continue;
    const auto response = Get(replies[i]);
    ASSERT_TRUE(response.has_hit());
    EXPECT_EQ(response.hit().outputs_size(), 2);
  }
  EXPECT_EQ(Commits(), before + 1);
}

TEST_F(LeaseWaiting, OfThoseThatWaitOneGetsAReleasedLeaseInOneCommitEach) {
  uint64_t token = Take();
  std::vector<std::future<Reply>> replies;
  for (int i = 0; i < 20; ++i) {
    replies.push_back(server_.Start("LookupOrReserve", ReserveOf(std::to_string(i), 600'000)));
  }
  const uint64_t before = Commits();
  for (int i = 0; i < 20; ++i) {
    Release(token);
    // In the order in which they came: each of the calls was under way when the next began.
    const auto response = Get(replies[static_cast<size_t>(i)]);
    ASSERT_TRUE(response.has_lease());
    EXPECT_GT(response.lease().fencing_token(), token);
    token = response.lease().fencing_token();
  }
  EXPECT_EQ(Commits(), before + 40);
}

TEST_F(LeaseWaiting, ALeaseThatRunsOutIsTakenOver) {
  const uint64_t token = Take();
  auto reply = server_.Start("LookupOrReserve", ReserveOf("o", 600'000));
  server_.store().AddSteady(30'000);
  const auto response = Get(reply);
  ASSERT_TRUE(response.has_lease());
  EXPECT_GT(response.lease().fencing_token(), token);
}

TEST_F(LeaseWaiting, ARenewedLeaseIsWaitedForAnew) {
  const uint64_t token = Take();
  auto reply = server_.Start("LookupOrReserve", ReserveOf("o", 600'000));
  server_.store().AddSteady(20'000);
  v1::RenewLeaseRequest renew;
  *renew.mutable_key() = kKey;
  renew.set_fencing_token(token);
  ASSERT_TRUE(IsOk(server_.Call<v1::RenewLeaseResponse>("RenewLease", renew)));
  server_.store().AddSteady(20'000);
  EXPECT_EQ(reply.wait_for(std::chrono::milliseconds(250)), std::future_status::timeout);
  server_.store().AddSteady(10'000);
  EXPECT_TRUE(Get(reply).has_lease());
}

TEST_F(LeaseWaiting, WhoHasWaitedLongEnoughIsToldWhoHasIt) {
  Take();
  auto reply = server_.Start("LookupOrReserve", ReserveOf("o", 30));
  const auto response = Get(reply);
  ASSERT_TRUE(response.has_busy());
  EXPECT_EQ(response.busy().owner(), "holder");
  EXPECT_EQ(response.miss().reason(), v1::NEVER_SEEN);
}

TEST_F(LeaseWaiting, AnyWriteThatMakesAHitWakes) {
  Take();
  auto reply = server_.Start("LookupOrReserve", ReserveOf("o", 600'000));
  auto in_namespace = KeyOf("f", "n", "", v1::NAMESPACE);
  Take(in_namespace);
  auto other = server_.Start("LookupOrReserve", ReserveOf("o", 600'000, in_namespace));
  Publish(0, KeyOf("f", "n", "q"));  // Not of pipeline p.
  EXPECT_TRUE(Get(other).has_hit());
  EXPECT_EQ(reply.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  // As KFP's launcher does.
  auto put = PutOf(Execution::COMPLETE, 1);
  SetText(put.mutable_execution(), "cache_fingerprint", "f");
  SetText(put.mutable_execution(), "namespace", "n");
  put.add_contexts()->set_type_id(CacheServer::kPipelineType);
  put.mutable_contexts(0)->set_name("p");
  ASSERT_TRUE(IsOk(server_.Call<ml_metadata::PutExecutionResponse>("PutExecution", put)));
  EXPECT_TRUE(Get(reply).has_hit());
}

TEST_F(LeaseWaiting, AClientThatWentAwayGetsNoLease) {
  const uint64_t token = Take();
  std::atomic<bool> gone = false;
  auto first = server_.Start("LookupOrReserve", ReserveOf("gone", 600'000), &gone);
  auto second = server_.Start("LookupOrReserve", ReserveOf("o", 600'000));
  gone = true;
  Release(token);
  EXPECT_EQ(first.get().status().code(), StatusCode::kCancelled);
  EXPECT_TRUE(Get(second).has_lease());
  // Without anything that happens, too.
  gone = false;
  auto third = server_.Start("LookupOrReserve", ReserveOf("gone", 600'000), &gone);
  gone = true;
  EXPECT_EQ(third.get().status().code(), StatusCode::kCancelled);
}

TEST_F(LeaseWaiting, AStopEndsAllThatWait) {
  Take();
  std::vector<std::future<Reply>> replies;
  for (int i = 0; i < 50; ++i) {
    replies.push_back(server_.Start("LookupOrReserve", ReserveOf("o", 600'000)));
  }
  server_.EndWaits();
  for (auto& reply : replies) {
    EXPECT_EQ(reply.get().status().code(), StatusCode::kUnavailable);
  }
  auto late = server_.Start("LookupOrReserve", ReserveOf("o", 600'000));
  EXPECT_EQ(late.get().status().code(), StatusCode::kUnavailable);
  auto now = server_.Start("LookupOrReserve", ReserveOf("o", 0));
  EXPECT_TRUE(Get(now).has_busy());
}

TEST_F(LeaseWaiting, TooManyAreRefused) {
  Take();
  std::vector<std::future<Reply>> replies;
  for (size_t i = 0; i < LeaseWaits::kMostCalls + 10; ++i) {
    replies.push_back(server_.Start("LookupOrReserve", ReserveOf("o", 600'000)));
  }
  server_.EndWaits();
  int refused = 0;
  for (auto& reply : replies) {
    refused += absl::StartsWith(reply.get().status().message(), "there are");
  }
  EXPECT_EQ(refused, 10);
}

// Callers that take turns, with and without waiting: whoever has the lease has it alone.
TEST_F(LeaseWaiting, NobodyElseHasALeaseThatIsHeld) {
  std::atomic<int> holders = 0;
  std::atomic<int> turns = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 60; ++i) {
        const int64_t wait_ms = (t + i) % 4 == 0 ? 0 : 600'000;
        auto reply = server_.Start("LookupOrReserve", ReserveOf(std::to_string(t), wait_ms));
        const auto response = Get(reply);
        EXPECT_TRUE(response.has_lease() || wait_ms == 0);
        if (!response.has_lease()) continue;
        EXPECT_EQ(++holders, 1);
        ++turns;
        --holders;
        Release(response.lease().fencing_token());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(turns, 8 * 60 * 3 / 4);
}

// A reader never sees a hit without all that was published with it.
TEST_F(LeaseWaiting, NoHitLacksItsOutputs) {
  std::atomic<bool> publishing = true;
  std::atomic<int> hits = 0;
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&] {
      v1::LookupRequest request;
      *request.mutable_key() = KeyOf("f", "n", "", v1::NAMESPACE);
      request.mutable_condition()->set_require_live_outputs(true);
      int64_t last = 0;
      while (publishing) {
        auto response = server_.Call<v1::LookupResponse>("Lookup", request);
        ASSERT_TRUE(IsOk(response));
        if (!response->has_hit()) continue;
        const auto& hit = response->hit();
        ASSERT_EQ(hit.outputs_size(), 5) << hit.ShortDebugString();
        EXPECT_EQ(hit.execution().last_known_state(), Execution::COMPLETE);
        EXPECT_GE(hit.execution().id(), last);  // The newest, or one that was when it began.
        last = hit.execution().id();
        ++hits;
      }
    });
  }
  std::vector<std::thread> writers;
  for (int t = 0; t < 2; ++t) {
    writers.emplace_back([&, t] {
      // Until the readers have seen enough; bounded, should they see nothing.
      for (int i = 0; i < 300 || (hits < 100 && i < 5000); ++i) {
        v1::PublishRequest request;
        *request.mutable_key() = KeyOf("f", "n", std::to_string(t));
        *request.mutable_put() = PutOf(Execution::COMPLETE, 5);
        EXPECT_TRUE(IsOk(server_.Call<v1::PublishResponse>("Publish", request)));
      }
    });
  }
  for (std::thread& thread : writers) thread.join();
  publishing = false;
  for (std::thread& thread : readers) thread.join();
  EXPECT_GE(hits, 100);
}

}  // namespace
}  // namespace pedigree
