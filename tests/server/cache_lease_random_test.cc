// Random schedules of leases against a model of a few lines: who holds what, under which token.
//
// Clients reserve, renew, release, publish and come too late; time passes, the wall clock is set
// forward and back, the server restarts. At any time at most one may publish with a token, tokens
// grow, and a token that is not the newest never publishes.
#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/cache_server.h"
#include "tests/store/random.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using ml_metadata::Execution;

constexpr int kSchedules = 10'000;
constexpr int kSteps = 12;
constexpr int kSchedulesPerStore = 500;
constexpr int64_t kLeaseMs = 1000;

// What the server must know of one key.
struct Lease {
  uint64_t token = 0;
  std::string owner;
  int64_t left_ms = 0;
  int64_t lease_ms = 0;
};

class Schedule {
 public:
  // The fingerprint is this schedule's alone.
  Schedule(CacheServer* server, Random* random, const std::string& fingerprint,
           uint64_t* last_token)
      : server_(*server),
        random_(*random),
        last_token_(*last_token),
        key_(KeyOf(fingerprint, "n", "p", static_cast<v1::CacheScope>(random->Between(1, 3)))) {}

  void Step() {
    const int64_t percent = random_.Between(1, 100);
    if (percent <= 35) {
      Reserve();
    } else if (percent <= 50) {
      Renew();
    } else if (percent <= 60) {
      Release();
    } else if (percent <= 75) {
      Publish();
    } else if (percent <= 92) {
      Pass(random_.Between(1, kLeaseMs));
    } else {
      // Nobody's lease is shorter for it, nor longer.
      server_.store().SetClock(TestStore::kStartMs + random_.Between(-900'000, 900'000));
    }
  }
  void Restart() {
    server_.Restart();
    if (lease_.has_value()) lease_->left_ms = lease_->lease_ms;
  }

 private:
  bool IsHeld() const { return lease_.has_value() && lease_->left_ms > 0; }
  std::string Client() { return absl::StrCat("client", random_.Between(1, 3)); }
  // One that was handed out, mostly.
  uint64_t AnyToken() {
    if (tokens_.empty() || random_.OneIn(10)) return last_token_ + 1;
    return random_.OneIn(2) ? tokens_.back() : random_.Pick(tokens_);
  }
  bool IsNewest(uint64_t token) const { return lease_.has_value() && lease_->token == token; }

  void Pass(int64_t ms) {
    server_.store().AddSteady(ms);
    if (lease_.has_value()) lease_->left_ms -= ms;
  }

  void Reserve() {
    v1::LookupOrReserveRequest request;
    *request.mutable_key() = key_;
    request.set_owner(Client());
    request.set_lease_ms(kLeaseMs * random_.Between(1, 3));
    auto response = server_.Call<v1::LookupOrReserveResponse>("LookupOrReserve", request);
    ASSERT_TRUE(IsOk(response));
    if (is_published_) {
      EXPECT_TRUE(response->has_hit());
    } else if (IsHeld() && lease_->owner != request.owner()) {
      ASSERT_TRUE(response->has_busy()) << response->ShortDebugString();
      EXPECT_EQ(response->busy().owner(), lease_->owner);
    } else {
      ASSERT_TRUE(response->has_lease()) << response->ShortDebugString();
      const uint64_t token = response->lease().fencing_token();
      if (IsHeld()) {
        EXPECT_EQ(token, lease_->token);
      } else {
        EXPECT_GT(token, last_token_);
        last_token_ = token;
        tokens_.push_back(token);
      }
      lease_ = Lease{token, request.owner(), request.lease_ms(), request.lease_ms()};
    }
  }

  void Renew() {
    v1::RenewLeaseRequest request;
    *request.mutable_key() = key_;
    request.set_fencing_token(AnyToken());
    request.set_lease_ms(kLeaseMs * random_.Between(1, 3));
    auto response = server_.Call<v1::RenewLeaseResponse>("RenewLease", request);
    if (!IsNewest(request.fencing_token())) {
      EXPECT_TRUE(Fails(response, StatusCode::kFailedPrecondition));
      return;
    }
    ASSERT_TRUE(IsOk(response));
    EXPECT_EQ(response->lease().owner(), lease_->owner);
    lease_->left_ms = lease_->lease_ms = request.lease_ms();
  }

  void Release() {
    v1::ReleaseLeaseRequest request;
    *request.mutable_key() = key_;
    request.set_fencing_token(AnyToken());
    auto response = server_.Call<v1::ReleaseLeaseResponse>("ReleaseLease", request);
    ASSERT_TRUE(IsOk(response));
    EXPECT_EQ(response->was_held(), IsNewest(request.fencing_token()));
    if (response->was_held()) lease_.reset();
  }

  void Publish() {
    v1::PublishRequest request;
    *request.mutable_key() = key_;
    request.set_fencing_token(random_.OneIn(5) ? 0 : AnyToken());
    *request.mutable_put() = PutOf(Execution::COMPLETE);
    auto response = server_.Call<v1::PublishResponse>("Publish", request);
    const bool may = request.fencing_token() == 0 ? !IsHeld() : IsNewest(request.fencing_token());
    if (!may) {
      EXPECT_TRUE(Fails(response, StatusCode::kFailedPrecondition));
      return;
    }
    ASSERT_TRUE(IsOk(response));
    if (request.fencing_token() != 0) lease_.reset();
    is_published_ = true;
    if (!random_.OneIn(2)) return;
    v1::InvalidateRequest invalidate;  // So that the schedule goes on.
    *invalidate.mutable_key() = key_;
    ASSERT_TRUE(IsOk(server_.Call<v1::InvalidateResponse>("Invalidate", invalidate)));
    is_published_ = false;
  }

  CacheServer& server_;
  Random& random_;
  uint64_t& last_token_;  // Of the store.
  const v1::CacheKey key_;
  std::vector<uint64_t> tokens_;
  std::optional<Lease> lease_;
  bool is_published_ = false;
};

TEST(CacheLeaseRandom, OneHolderGrowingTokensAndNoOldOnePublishes) {
  Random random;
  int restarts = 0;
  for (int first = 0; first < kSchedules; first += kSchedulesPerStore) {
    CacheServer server;
    uint64_t last_token = 0;
    for (int i = first; i < first + kSchedulesPerStore; ++i) {
      Schedule schedule(&server, &random, absl::StrCat("f", i), &last_token);
      for (int step = 0; step < kSteps; ++step) {
        schedule.Step();
        if (random.OneIn(400)) {
          schedule.Restart();
          ++restarts;
        }
        if (::testing::Test::HasFailure()) FAIL() << "schedule " << i << ", step " << step;
      }
    }
    EXPECT_EQ(Problems(server.store()), "");
  }
  std::cout << kSchedules << " schedules, " << restarts << " restarts" << std::endl;
}

}  // namespace
}  // namespace pedigree
