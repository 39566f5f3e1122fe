// The calls of pedigree.v1.CacheService, one at a time: what is a hit, where and for how long, why
// not, and what a lease allows.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/cache_server.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using ml_metadata::Artifact;
using ml_metadata::Execution;
using ml_metadata::PutExecutionRequest;
using ml_metadata::PutExecutionResponse;

class CacheCalls : public ::testing::Test {
 protected:
  ~CacheCalls() override { EXPECT_EQ(Problems(server_.store()), ""); }

  // Stores an execution with a fingerprint; answers its id.
  int64_t Put(PutExecutionRequest request, const std::string& fingerprint = "f",
              const std::string& name_space = "n") {
    if (!fingerprint.empty()) {
      SetText(request.mutable_execution(), "cache_fingerprint", fingerprint);
    }
    if (!name_space.empty()) SetText(request.mutable_execution(), "namespace", name_space);
    auto response = server_.Call<PutExecutionResponse>("PutExecution", request);
    EXPECT_TRUE(IsOk(response));
    return response.ok() ? response->execution_id() : 0;
  }
  // The same in a pipeline.
  int64_t PutIn(const std::string& pipeline, PutExecutionRequest request,
                const std::string& name_space = "n") {
    auto* context = request.add_contexts();
    context->set_type_id(CacheServer::kPipelineType);
    context->set_name(pipeline);
    request.mutable_options()->set_reuse_context_if_already_exist(true);
    return Put(std::move(request), "f", name_space);
  }
  Execution Get(int64_t id) { return *Find<Execution>(server_.store(), id); }
  void SetState(int64_t id, Execution::State state) {
    PutExecutionRequest request;
    *request.mutable_execution() = Get(id);
    request.mutable_execution()->set_last_known_state(state);
    EXPECT_TRUE(IsOk(server_.Call<PutExecutionResponse>("PutExecution", request)));
  }
  void SetArtifactState(int64_t id, Artifact::State state) {
    ml_metadata::PutArtifactsRequest request;
    *request.add_artifacts() = *Find<Artifact>(server_.store(), id);
    request.mutable_artifacts(0)->set_state(state);
    EXPECT_TRUE(IsOk(server_.Call<ml_metadata::PutArtifactsResponse>("PutArtifacts", request)));
  }

  v1::LookupResponse Lookup(const v1::CacheKey& key, const v1::CacheCondition& condition = {}) {
    v1::LookupRequest request;
    *request.mutable_key() = key;
    *request.mutable_condition() = condition;
    auto response = server_.Call<v1::LookupResponse>("Lookup", request);
    EXPECT_TRUE(IsOk(response));
    return response.ok() ? *response : v1::LookupResponse();
  }
  // The id of the hit; else minus the reason.
  int64_t Hit(const v1::CacheKey& key, const v1::CacheCondition& condition = {}) {
    const auto response = Lookup(key, condition);
    if (response.has_hit()) return response.hit().execution().id();
    EXPECT_NE(response.miss().detail(), "");
    return -response.miss().reason();
  }
  int64_t HitWithin(const v1::CacheKey& key, int64_t max_staleness_ms) {
    v1::CacheCondition condition;
    condition.set_max_staleness_ms(max_staleness_ms);
    return Hit(key, condition);
  }
  int64_t LiveHit(const v1::CacheKey& key) {
    v1::CacheCondition condition;
    condition.set_require_live_outputs(true);
    return Hit(key, condition);
  }

  absl::StatusOr<v1::LookupOrReserveResponse> Reserve(const v1::CacheKey& key,
                                                      const std::string& owner,
                                                      int64_t lease_ms = 0) {
    v1::LookupOrReserveRequest request;
    *request.mutable_key() = key;
    request.set_owner(owner);
    request.set_lease_ms(lease_ms);
    return server_.Call<v1::LookupOrReserveResponse>("LookupOrReserve", request);
  }
  absl::StatusOr<v1::PublishResponse> Publish(const v1::CacheKey& key, uint64_t token,
                                              PutExecutionRequest put = PutOf(Execution::COMPLETE,
                                                                              2)) {
    v1::PublishRequest request;
    *request.mutable_key() = key;
    request.set_fencing_token(token);
    *request.mutable_put() = std::move(put);
    return server_.Call<v1::PublishResponse>("Publish", request);
  }
  absl::StatusOr<v1::RenewLeaseResponse> Renew(const v1::CacheKey& key, uint64_t token,
                                               int64_t lease_ms = 0) {
    v1::RenewLeaseRequest request;
    *request.mutable_key() = key;
    request.set_fencing_token(token);
    request.set_lease_ms(lease_ms);
    return server_.Call<v1::RenewLeaseResponse>("RenewLease", request);
  }
  bool Release(const v1::CacheKey& key, uint64_t token) {
    v1::ReleaseLeaseRequest request;
    *request.mutable_key() = key;
    request.set_fencing_token(token);
    auto response = server_.Call<v1::ReleaseLeaseResponse>("ReleaseLease", request);
    EXPECT_TRUE(IsOk(response));
    return response.ok() && response->was_held();
  }
  v1::InvalidateResponse Invalidate(const v1::InvalidateRequest& request) {
    auto response = server_.Call<v1::InvalidateResponse>("Invalidate", request);
    EXPECT_TRUE(IsOk(response));
    return response.ok() ? *response : v1::InvalidateResponse();
  }
  v1::CacheStatsResponse Stats() {
    auto response = server_.Call<v1::CacheStatsResponse>("Stats", v1::CacheStatsRequest());
    EXPECT_TRUE(IsOk(response));
    return response.ok() ? *response : v1::CacheStatsResponse();
  }
  static std::vector<int64_t> Ids(const v1::InvalidateResponse& response) {
    EXPECT_EQ(response.count(), response.execution_ids_size());
    return {response.execution_ids().begin(), response.execution_ids().end()};
  }

  CacheServer server_;
};

const v1::CacheKey kKey = KeyOf("f", "n");

TEST_F(CacheCalls, AHitHasTheExecutionAndItsOutputsInOrder) {
  PutExecutionRequest request = PutOf(Execution::COMPLETE, 2);
  auto* input = request.add_artifact_event_pairs();
  input->mutable_artifact()->set_type_id(CacheServer::kArtifactType);
  input->mutable_event()->set_type(ml_metadata::Event::INPUT);
  const int64_t id = PutIn("p", request);
  server_.store().SetClock(TestStore::kStartMs + 70);
  const auto response = Lookup(KeyOf("f", "n", "p"));
  ASSERT_TRUE(response.has_hit());
  const v1::CacheHit& hit = response.hit();
  EXPECT_EQ(hit.execution().id(), id);
  EXPECT_EQ(hit.execution().type(), "e");
  ASSERT_EQ(hit.outputs_size(), 2);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(hit.outputs(i).artifact().id(), i + 1);
    EXPECT_EQ(hit.outputs(i).artifact().type(), "a");
    EXPECT_EQ(hit.outputs(i).event().artifact_id(), i + 1);
    EXPECT_EQ(hit.outputs(i).event().execution_id(), id);
    EXPECT_EQ(hit.outputs(i).event().path().steps(0).key(), absl::StrCat("out", i));
  }
  EXPECT_EQ(hit.completed_at_ms(), TestStore::kStartMs);
  EXPECT_EQ(hit.age_ms(), 70);
  EXPECT_EQ(hit.namespace_(), "n");
  EXPECT_EQ(hit.pipeline(), "p");
}

TEST_F(CacheCalls, ScopesAreOnePipelineOneNamespaceOrAll) {
  const int64_t p = PutIn("p", PutOf(Execution::COMPLETE));
  server_.store().SetClock(TestStore::kStartMs + 1);
  const int64_t q = PutIn("q", PutOf(Execution::COMPLETE));
  server_.store().SetClock(TestStore::kStartMs + 2);
  const int64_t other = PutIn("p", PutOf(Execution::COMPLETE), "m");
  EXPECT_EQ(Hit(KeyOf("f", "n", "p")), p);
  EXPECT_EQ(Hit(KeyOf("f", "n", "q")), q);
  EXPECT_EQ(Hit(KeyOf("f", "m", "p")), other);
  EXPECT_EQ(Hit(KeyOf("f", "n", "r")), -v1::OTHER_SCOPE);
  EXPECT_EQ(Hit(KeyOf("f", "m", "q")), -v1::OTHER_SCOPE);
  EXPECT_EQ(Hit(KeyOf("f", "", "")), -v1::OTHER_SCOPE);
  EXPECT_EQ(Hit(KeyOf("f", "n", "ignored", v1::NAMESPACE)), q);
  EXPECT_EQ(Hit(KeyOf("f", "m", "", v1::NAMESPACE)), other);
  EXPECT_EQ(Hit(KeyOf("f", "o", "", v1::NAMESPACE)), -v1::OTHER_SCOPE);
  EXPECT_EQ(Hit(KeyOf("f", "ignored", "", v1::ANY)), other);
  EXPECT_EQ(Hit(KeyOf("g", "", "", v1::ANY)), -v1::NEVER_SEEN);
  const auto found = Lookup(KeyOf("f", "", "", v1::ANY)).hit();
  EXPECT_EQ(found.namespace_(), "m");
  EXPECT_EQ(found.pipeline(), "p");
}

TEST_F(CacheCalls, NamespaceAndPipelineComeFromTheContextsWhereTheExecutionSaysNone) {
  const int64_t pipeline = server_.PutContext(CacheServer::kPipelineType, "p");
  const int64_t run = server_.PutContext(CacheServer::kRunType, "r", "of-the-run");
  PutExecutionRequest request = PutOf(Execution::COMPLETE);
  for (int64_t id : {run, pipeline}) {
    request.add_contexts()->set_id(id);
  }
  request.mutable_options()->set_force_reuse_context(true);
  const int64_t id = Put(request, "f", "");
  EXPECT_EQ(Hit(KeyOf("f", "of-the-run", "p")), id);
  const int64_t own = Put(request, "f", "own");
  EXPECT_EQ(Hit(KeyOf("f", "own", "p")), own);
  EXPECT_EQ(Hit(KeyOf("f", "of-the-run", "p")), id);
}

TEST_F(CacheCalls, KfpsSequenceIsAHitFromTheUpdateToCompleteOn) {
  PutExecutionRequest create = PutOf(Execution::RUNNING);
  auto* input = create.add_artifact_event_pairs();
  input->mutable_artifact()->set_type_id(CacheServer::kArtifactType);
  input->mutable_event()->set_type(ml_metadata::Event::INPUT);
  const int64_t id = PutIn("p", create);
  EXPECT_EQ(Hit(KeyOf("f", "n", "p")), -v1::PRODUCER_NOT_COMPLETE);
  server_.store().SetClock(TestStore::kStartMs + 500);
  PutExecutionRequest publish = PutOf(Execution::COMPLETE, 1);
  *publish.mutable_execution() = Get(id);
  publish.mutable_execution()->set_last_known_state(Execution::COMPLETE);
  ASSERT_TRUE(IsOk(server_.Call<PutExecutionResponse>("PutExecution", publish)));
  const auto response = Lookup(KeyOf("f", "n", "p"));
  ASSERT_TRUE(response.has_hit());
  EXPECT_EQ(response.hit().outputs_size(), 1);
  EXPECT_EQ(response.hit().completed_at_ms(), TestStore::kStartMs + 500);
  EXPECT_EQ(Stats().saved_ms(), 500);

  // An execution that took the result over is as old as the one that made it.
  server_.store().SetClock(TestStore::kStartMs + 900);
  PutExecutionRequest cached = PutOf(Execution::CACHED);
  SetText(cached.mutable_execution(), "cached_execution_id", std::to_string(id));
  const int64_t second = PutIn("p", cached);
  SetText(cached.mutable_execution(), "cached_execution_id", std::to_string(second));
  const int64_t third = PutIn("p", cached);
  const auto again = Lookup(KeyOf("f", "n", "p"));
  EXPECT_EQ(again.hit().execution().id(), third);
  EXPECT_EQ(again.hit().completed_at_ms(), TestStore::kStartMs + 500);
  EXPECT_EQ(HitWithin(KeyOf("f", "n", "p"), 399), -v1::STALE);
  EXPECT_EQ(HitWithin(KeyOf("f", "n", "p"), 400), third);
}

TEST_F(CacheCalls, TheReasonIsTheOneThatIsClosestToAHit) {
  EXPECT_EQ(Hit(kKey), -v1::NEVER_SEEN);
  Put(PutOf(Execution::COMPLETE), "f", "elsewhere");
  EXPECT_EQ(Hit(kKey), -v1::OTHER_SCOPE);
  const int64_t first = Put(PutOf(Execution::COMPLETE));
  v1::InvalidateRequest invalidate;
  invalidate.set_execution_id(first);
  Invalidate(invalidate);
  EXPECT_EQ(Hit(kKey), -v1::INVALIDATED);
  const int64_t failed = Put(PutOf(Execution::FAILED));
  EXPECT_EQ(Hit(kKey), -v1::PRODUCER_NOT_COMPLETE);
  Put(PutOf(Execution::COMPLETE, 1));
  server_.store().SetClock(TestStore::kStartMs + 10);
  EXPECT_EQ(HitWithin(kKey, 9), -v1::STALE);
  SetArtifactState(1, Artifact::DELETED);
  EXPECT_EQ(LiveHit(kKey), -v1::OUTPUT_NOT_LIVE);
  EXPECT_EQ(Hit(kKey), 4);
  SetState(failed, Execution::COMPLETE);
  EXPECT_EQ(Hit(kKey), failed);
}

TEST_F(CacheCalls, StalenessIsTheRequestsUpToTheServersMaximum) {
  Put(PutOf(Execution::COMPLETE));
  server_.store().SetClock(TestStore::kStartMs + 1000);
  EXPECT_EQ(HitWithin(kKey, 1000), 1);
  EXPECT_EQ(HitWithin(kKey, 999), -v1::STALE);
  EXPECT_EQ(HitWithin(kKey, 0), -v1::STALE);
  EXPECT_EQ(Hit(kKey), 1);
  server_.store().cache_policy().default_staleness_ms = 999;
  server_.Restart();
  EXPECT_EQ(Hit(kKey), -v1::STALE);
  EXPECT_EQ(HitWithin(kKey, 1000), 1);
  server_.store().cache_policy() = {.default_staleness_ms = std::nullopt, .max_staleness_ms = 999};
  server_.Restart();
  EXPECT_EQ(Hit(kKey), -v1::STALE);
  EXPECT_EQ(HitWithin(kKey, 1000), -v1::STALE);
  // A clock that was set back makes nothing stale, nor younger than new.
  server_.store().SetClock(TestStore::kStartMs - 500);
  EXPECT_EQ(Lookup(kKey).hit().age_ms(), 0);
  EXPECT_EQ(HitWithin(kKey, 0), -v1::STALE);
}

TEST_F(CacheCalls, AnOlderResultWillDoWhereTheNewestHasLostItsOutputs) {
  std::vector<int64_t> ids;
  for (int i = 0; i < 3; ++i) {
    server_.store().SetClock(TestStore::kStartMs + i);
    ids.push_back(PutIn(i == 1 ? "q" : "p", PutOf(Execution::COMPLETE, 2)));
  }
  const v1::CacheKey any = KeyOf("f", "", "", v1::ANY);
  EXPECT_EQ(LiveHit(any), ids[2]);
  SetArtifactState(6, Artifact::MARKED_FOR_DELETION);
  EXPECT_EQ(LiveHit(any), ids[1]);
  EXPECT_EQ(LiveHit(KeyOf("f", "n", "p")), ids[0]);
  EXPECT_EQ(Hit(any), ids[2]);
  SetArtifactState(3, Artifact::UNKNOWN);
  EXPECT_EQ(LiveHit(any), ids[0]);
  v1::CacheCondition condition;
  condition.set_require_live_outputs(true);
  condition.set_max_staleness_ms(1);
  EXPECT_EQ(Hit(any, condition), -v1::OUTPUT_NOT_LIVE);
  SetArtifactState(1, Artifact::DELETED);
  EXPECT_EQ(LiveHit(any), -v1::OUTPUT_NOT_LIVE);
}

TEST_F(CacheCalls, PublishMakesAnEntryOfItsKeyAndEndsTheLease) {
  const v1::CacheKey key = KeyOf("f", "mine", "p");
  auto reserved = Reserve(key, "o", 5000);
  ASSERT_TRUE(IsOk(reserved));
  ASSERT_TRUE(reserved->has_lease());
  EXPECT_EQ(reserved->lease().owner(), "o");
  EXPECT_EQ(reserved->lease().lease_ms(), 5000);
  EXPECT_EQ(reserved->lease().expires_at_ms(), TestStore::kStartMs + 5000);
  EXPECT_EQ(reserved->miss().reason(), v1::NEVER_SEEN);
  server_.store().SetClock(TestStore::kStartMs + 321);
  PutExecutionRequest put = PutOf(Execution::UNKNOWN, 2);
  put.mutable_execution()->clear_last_known_state();
  SetText(put.mutable_execution(), "namespace", "not this");
  auto published = Publish(key, reserved->lease().fencing_token(), put);
  ASSERT_TRUE(IsOk(published));
  const int64_t id = published->put().execution_id();
  EXPECT_EQ(Get(id).last_known_state(), Execution::COMPLETE);
  EXPECT_EQ(Get(id).custom_properties().at("cache_fingerprint").string_value(), "f");
  EXPECT_EQ(Hit(key), id);
  EXPECT_EQ(Stats().saved_ms(), 321);
  // It stays where it is, whatever becomes of its execution.
  Execution execution = Get(id);
  SetText(&execution, "namespace", "still not");
  ASSERT_TRUE(IsOk(Update(server_.store(), execution)));
  EXPECT_EQ(Hit(key), id);
  EXPECT_TRUE(Fails(Publish(key, reserved->lease().fencing_token()),
                    StatusCode::kFailedPrecondition, "released or used"));
  EXPECT_EQ(Stats().stale_publishes_refused(), 1);
}

TEST_F(CacheCalls, AFailedPublishLeavesLeaseAndStoreAsTheyWere) {
  auto reserved = Reserve(kKey, "o");
  ASSERT_TRUE(IsOk(reserved));
  const uint64_t token = reserved->lease().fencing_token();
  PutExecutionRequest put = PutOf(Execution::COMPLETE, 1);
  put.mutable_artifact_event_pairs(0)->mutable_artifact()->set_type_id(99);
  EXPECT_TRUE(Fails(Publish(kKey, token, put), StatusCode::kNotFound));
  EXPECT_EQ(Hit(kKey), -v1::NEVER_SEEN);
  EXPECT_TRUE(IsOk(Publish(kKey, token)));
}

TEST_F(CacheCalls, OneHasTheLeaseUntilItRunsOut) {
  auto first = Reserve(kKey, "o1", 10'000);
  ASSERT_TRUE(IsOk(first));
  auto second = Reserve(kKey, "o2");
  ASSERT_TRUE(IsOk(second));
  ASSERT_TRUE(second->has_busy());
  EXPECT_EQ(second->busy().owner(), "o1");
  EXPECT_EQ(second->busy().expires_at_ms(), TestStore::kStartMs + 10'000);
  EXPECT_EQ(second->miss().reason(), v1::NEVER_SEEN);
  // Another scope is another lease.
  EXPECT_TRUE(Reserve(KeyOf("f", "n", "", v1::NAMESPACE), "o2")->has_lease());
  // The owner gets it again.
  server_.store().AddSteady(6000);
  auto again = Reserve(kKey, "o1", 10'000);
  EXPECT_EQ(again->lease().fencing_token(), first->lease().fencing_token());
  server_.store().AddSteady(9999);
  EXPECT_TRUE(Reserve(kKey, "o2")->has_busy());
  EXPECT_TRUE(Fails(Publish(kKey, 0), StatusCode::kFailedPrecondition, "leased to 'o1'"));
  // Clocks that are set do not matter.
  server_.store().SetClock(TestStore::kStartMs + 100'000'000);
  EXPECT_TRUE(Reserve(kKey, "o2")->has_busy());
  server_.store().SetClock(0);
  server_.store().AddSteady(1);
  auto taken = Reserve(kKey, "o2");
  ASSERT_TRUE(taken->has_lease());
  EXPECT_GT(taken->lease().fencing_token(), first->lease().fencing_token());
  EXPECT_TRUE(Fails(Publish(kKey, first->lease().fencing_token()), StatusCode::kFailedPrecondition,
                    "taken over by 'o2'"));
  EXPECT_TRUE(Fails(Renew(kKey, first->lease().fencing_token()), StatusCode::kFailedPrecondition));
  EXPECT_FALSE(Release(kKey, first->lease().fencing_token()));
  const auto stats = Stats();
  EXPECT_EQ(stats.leases_granted(), 3);
  EXPECT_EQ(stats.leases_taken_over(), 1);
  EXPECT_EQ(stats.stale_publishes_refused(), 2);
}

TEST_F(CacheCalls, ALeaseThatRanOutWillDoUntilAnotherTakesItOver) {
  const uint64_t token = Reserve(kKey, "o", 1000)->lease().fencing_token();
  server_.store().AddSteady(5000);
  auto renewed = Renew(kKey, token, 2000);
  ASSERT_TRUE(IsOk(renewed));
  EXPECT_EQ(renewed->lease().fencing_token(), token);
  EXPECT_TRUE(Reserve(kKey, "p")->has_busy());
  server_.store().AddSteady(2000);
  EXPECT_TRUE(IsOk(Publish(kKey, token)));
  EXPECT_EQ(Hit(kKey), 1);
}

TEST_F(CacheCalls, ALeaseOutlivesARestartAndBeginsAnew) {
  const uint64_t token = Reserve(kKey, "o", 10'000)->lease().fencing_token();
  server_.store().AddSteady(9000);
  server_.Restart();
  server_.store().AddSteady(9000);
  EXPECT_TRUE(Reserve(kKey, "p")->has_busy());
  server_.store().AddSteady(1000);
  auto taken = Reserve(kKey, "p");
  ASSERT_TRUE(taken->has_lease());
  EXPECT_GT(taken->lease().fencing_token(), token);
}

TEST_F(CacheCalls, AReleasedLeaseIsFreeAtOnce) {
  const uint64_t token = Reserve(kKey, "o")->lease().fencing_token();
  EXPECT_FALSE(Release(kKey, token + 1));
  EXPECT_TRUE(Release(kKey, token));
  EXPECT_FALSE(Release(kKey, token));
  EXPECT_TRUE(Fails(Renew(kKey, token), StatusCode::kFailedPrecondition));
  auto next = Reserve(kKey, "p");
  ASSERT_TRUE(next->has_lease());
  EXPECT_GT(next->lease().fencing_token(), token);
}

TEST_F(CacheCalls, LeasesThatRanOutLongAgoAreRemovedByLaterOnes) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(Reserve(KeyOf(absl::StrCat("old", i)), "o", 1000)->has_lease());
  }
  server_.store().AddSteady(25 * 60 * 60 * 1000);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(Reserve(KeyOf(absl::StrCat("x", i)), "o")->has_lease());
  }
  int leases = 0;
  EXPECT_TRUE(IsOk(server_.store()->Read(Blocking::kAllowed, [&](const Reader& reader) {
    return reader.view().Scan(PrefixRange(KeyHead(Tag::kCacheLease)), Direction::kAscending,
                              Blocking::kAllowed, [&](absl::string_view, absl::string_view) {
                                ++leases;
                                return true;
                              });
  })));
  EXPECT_LE(leases, 12);
  EXPECT_GE(leases, 10);
}

TEST_F(CacheCalls, InvalidateByKeyTakesWhatTheScopeHas) {
  const int64_t p = PutIn("p", PutOf(Execution::COMPLETE));
  const int64_t running = PutIn("p", PutOf(Execution::RUNNING));
  const int64_t q = PutIn("q", PutOf(Execution::COMPLETE));
  const int64_t other = PutIn("p", PutOf(Execution::COMPLETE), "m");
  v1::InvalidateRequest request;
  *request.mutable_key() = KeyOf("f", "n", "p");
  request.set_dry_run(true);
  EXPECT_EQ(Ids(Invalidate(request)), (std::vector<int64_t>{p, running}));
  EXPECT_EQ(Hit(KeyOf("f", "n", "p")), p);
  request.set_dry_run(false);
  EXPECT_EQ(Ids(Invalidate(request)), (std::vector<int64_t>{p, running}));
  EXPECT_EQ(Ids(Invalidate(request)), std::vector<int64_t>());
  EXPECT_EQ(Hit(KeyOf("f", "n", "p")), -v1::INVALIDATED);
  // What has been invalidated does not come back when it completes.
  SetState(running, Execution::COMPLETE);
  EXPECT_EQ(Hit(KeyOf("f", "n", "p")), -v1::INVALIDATED);
  *request.mutable_key() = KeyOf("f", "n", "", v1::NAMESPACE);
  EXPECT_EQ(Ids(Invalidate(request)), std::vector<int64_t>{q});
  *request.mutable_key() = KeyOf("f", "", "", v1::ANY);
  EXPECT_EQ(Ids(Invalidate(request)), std::vector<int64_t>{other});
}

TEST_F(CacheCalls, AnInvalidatedEntryComesBackWithAnotherFingerprintOrAPublication) {
  const int64_t id = Put(PutOf(Execution::COMPLETE));
  v1::InvalidateRequest request;
  request.set_execution_id(id);
  EXPECT_EQ(Ids(Invalidate(request)), std::vector<int64_t>{id});
  Execution execution = Get(id);
  SetText(&execution, "cache_fingerprint", "g");
  ASSERT_TRUE(IsOk(Update(server_.store(), execution)));
  EXPECT_EQ(Hit(kKey), -v1::NEVER_SEEN);
  EXPECT_EQ(Hit(KeyOf("g", "n")), id);
  Invalidate(request);
  EXPECT_EQ(Hit(KeyOf("g", "n")), -v1::INVALIDATED);
  server_.store().SetClock(TestStore::kStartMs + 5);
  PutExecutionRequest put;
  *put.mutable_execution() = Get(id);
  ASSERT_TRUE(IsOk(Publish(KeyOf("g", "n"), 0, put)));
  EXPECT_EQ(Lookup(KeyOf("g", "n")).hit().completed_at_ms(), TestStore::kStartMs + 5);
}

TEST_F(CacheCalls, InvalidateByArtifactTakesWhoeverReadOrWroteIt) {
  const int64_t maker = Put(PutOf(Execution::COMPLETE, 1));
  PutExecutionRequest reads = PutOf(Execution::COMPLETE);
  reads.add_artifact_event_pairs()->mutable_event()->set_artifact_id(1);
  reads.mutable_artifact_event_pairs(0)->mutable_event()->set_type(ml_metadata::Event::INPUT);
  const int64_t reader = Put(reads, "g");
  Put(reads, "");  // No entry.
  const int64_t other = Put(PutOf(Execution::COMPLETE, 1), "h");
  v1::InvalidateRequest request;
  request.set_artifact_id(1);
  EXPECT_EQ(Ids(Invalidate(request)), (std::vector<int64_t>{maker, reader}));
  EXPECT_EQ(Hit(kKey), -v1::INVALIDATED);
  EXPECT_EQ(Hit(KeyOf("g", "n")), -v1::INVALIDATED);
  EXPECT_EQ(Hit(KeyOf("h", "n")), other);
  request.set_artifact_id(77);
  EXPECT_EQ(Ids(Invalidate(request)), std::vector<int64_t>());
}

TEST_F(CacheCalls, StatsCountWhatWasAnswered) {
  Put(PutOf(Execution::COMPLETE));
  Hit(kKey);
  Hit(kKey);
  Hit(KeyOf("x"));
  EXPECT_TRUE(Reserve(kKey, "o")->has_hit());
  EXPECT_TRUE(Reserve(KeyOf("x"), "o")->has_lease());
  EXPECT_TRUE(Reserve(KeyOf("x"), "p")->has_busy());
  const auto stats = Stats();
  EXPECT_EQ(stats.hits(), 3);
  ASSERT_EQ(stats.misses_size(), 1);
  EXPECT_EQ(stats.misses(0).reason(), v1::NEVER_SEEN);
  EXPECT_EQ(stats.misses(0).count(), 3);
  EXPECT_EQ(stats.since_ms(), TestStore::kStartMs);
}

TEST_F(CacheCalls, RefusesWhatIsWrongByItself) {
  const auto refused = [&](const std::string& method, const google::protobuf::Message& request) {
    return server_.Start(method, request).get().status().code() == StatusCode::kInvalidArgument;
  };
  v1::LookupRequest lookup;
  EXPECT_TRUE(refused("Lookup", lookup));
  *lookup.mutable_key() = KeyOf("f", "", "", v1::CACHE_SCOPE_UNSPECIFIED);
  EXPECT_TRUE(refused("Lookup", lookup));
  *lookup.mutable_key() = KeyOf(std::string(4097, 'f'));
  EXPECT_TRUE(refused("Lookup", lookup));
  *lookup.mutable_key() = kKey;
  lookup.mutable_condition()->set_max_staleness_ms(-1);
  EXPECT_TRUE(refused("Lookup", lookup));
  for (const auto& [owner, lease_ms, wait_ms] :
       std::vector<std::tuple<std::string, int64_t, int64_t>>{{"", 0, 0},
                                                              {std::string(257, 'o'), 0, 0},
                                                              {"o", 999, 0},
                                                              {"o", 86'400'001, 0},
                                                              {"o", -1, 0},
                                                              {"o", 0, -1},
                                                              {"o", 0, 600'001}}) {
    v1::LookupOrReserveRequest reserve;
    *reserve.mutable_key() = kKey;
    reserve.set_owner(owner);
    reserve.set_lease_ms(lease_ms);
    reserve.set_wait_ms(wait_ms);
    EXPECT_TRUE(refused("LookupOrReserve", reserve)) << owner << lease_ms << wait_ms;
  }
  v1::PublishRequest publish;
  *publish.mutable_key() = kKey;
  EXPECT_TRUE(refused("Publish", publish));
  *publish.mutable_put() = PutOf(Execution::RUNNING);
  EXPECT_TRUE(refused("Publish", publish));
  *publish.mutable_put() = PutOf(Execution::COMPLETE);
  SetText(publish.mutable_put()->mutable_execution(), "cache_fingerprint", "g");
  EXPECT_TRUE(refused("Publish", publish));
  EXPECT_TRUE(refused("Invalidate", v1::InvalidateRequest()));
}

}  // namespace
}  // namespace pedigree
