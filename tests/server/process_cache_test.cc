// The real program: pedigree.v1.CacheService over connections, with clients that wait, go away, run
// out of time, or see the server stop.
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "pedigree/v1/cache.pb.h"
#include "tests/server/bytes_client.h"
#include "tests/server/process_fixture.h"

namespace pedigree::testing {
namespace {

constexpr char kReserve[] = "/pedigree.v1.CacheService/LookupOrReserve";
constexpr char kPublish[] = "/pedigree.v1.CacheService/Publish";
constexpr char kLookup[] = "/pedigree.v1.CacheService/Lookup";

v1::CacheKey Key() {
  v1::CacheKey key;
  key.set_fingerprint("f");
  key.set_scope(v1::ANY);
  return key;
}

std::string ReserveOf(const std::string& owner, int64_t wait_ms) {
  v1::LookupOrReserveRequest request;
  *request.mutable_key() = Key();
  request.set_owner(owner);
  request.set_wait_ms(wait_ms);
  return request.SerializeAsString();
}

v1::LookupOrReserveResponse Parsed(const BytesReply& reply) {
  v1::LookupOrReserveResponse response;
  EXPECT_TRUE(reply.status.ok()) << reply.status.error_message();
  EXPECT_TRUE(response.ParseFromString(reply.bytes));
  return response;
}

class CacheOverConnections : public ::testing::Test {
 protected:
  void SetUp() override {
    server_ = StartServer({"--cache_max_staleness=1h"});
    ASSERT_NE(server_, nullptr);
    client_ = std::make_unique<BytesClient>(NewChannel(server_->address()));
  }
  uint64_t Take() {
    const auto response = Parsed(client_->Call(kReserve, ReserveOf("holder", 0)));
    EXPECT_TRUE(response.has_lease());
    return response.lease().fencing_token();
  }
  std::future<BytesReply> Wait(const std::string& owner) {
    return std::async(std::launch::async,
                      [this, owner] { return client_->Call(kReserve, ReserveOf(owner, 600'000)); });
  }

  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<BytesClient> client_;
};

TEST_F(CacheOverConnections, WaitersGetWhatIsPublished) {
  const uint64_t token = Take();
  std::vector<std::future<BytesReply>> waiting;
  for (int i = 0; i < 20; ++i) waiting.push_back(Wait(absl::StrCat("w", i)));
  v1::PublishRequest publish;
  *publish.mutable_key() = Key();
  publish.set_fencing_token(token);
  publish.mutable_put()->mutable_execution()->set_type_id(5);  // Predefined.
  auto* pair = publish.mutable_put()->add_artifact_event_pairs();
  pair->mutable_artifact()->set_type_id(1);
  pair->mutable_event()->set_type(ml_metadata::Event::OUTPUT);
  const auto published = client_->Call(kPublish, publish.SerializeAsString());
  ASSERT_TRUE(published.status.ok()) << published.status.error_message();
  for (auto& reply : waiting) {
    const auto response = Parsed(reply.get());
    ASSERT_TRUE(response.has_hit());
    EXPECT_EQ(response.hit().outputs_size(), 1);
  }
  v1::LookupRequest lookup;
  *lookup.mutable_key() = Key();
  const auto found = client_->Call(kLookup, lookup.SerializeAsString());
  v1::LookupResponse response;
  ASSERT_TRUE(found.status.ok() && response.ParseFromString(found.bytes));
  EXPECT_EQ(response.hit().execution().id(), 1);
}

TEST_F(CacheOverConnections, AClientThatGoesAwayLeavesItsPlaceToTheNext) {
  const uint64_t token = Take();
  const auto gone =
      client_->CallAndCancel(kReserve, ReserveOf("gone", 600'000), absl::Milliseconds(50));
  EXPECT_EQ(gone.status.error_code(), grpc::StatusCode::CANCELLED);
  auto next = Wait("next");
  v1::ReleaseLeaseRequest release;
  *release.mutable_key() = Key();
  release.set_fencing_token(token);
  ASSERT_TRUE(client_->Call("/pedigree.v1.CacheService/ReleaseLease", release.SerializeAsString())
                  .status.ok());
  EXPECT_EQ(Parsed(next.get()).lease().owner(), "next");
}

TEST_F(CacheOverConnections, AStopDoesNotWaitForThoseThatWait) {
  Take();
  std::vector<std::future<BytesReply>> waiting;
  for (int i = 0; i < 5; ++i) waiting.push_back(Wait(absl::StrCat("w", i)));
  absl::SleepFor(absl::Milliseconds(100));  // Until some of them wait.
  const absl::Status stopped = server_->Stop();
  EXPECT_TRUE(stopped.ok()) << stopped;
  for (auto& reply : waiting) {
    EXPECT_EQ(reply.get().status.error_code(), grpc::StatusCode::UNAVAILABLE);
  }
}

}  // namespace
}  // namespace pedigree::testing
