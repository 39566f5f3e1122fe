// Random histories of executions, publications and invalidations; after each step, questions in
// every scope, answered by brute force over what the requests said.
//
// The oracle knows the rules of cache.proto and nothing of keys: it keeps a list of executions.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/cache_server.h"
#include "tests/store/random.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Execution;
using ml_metadata::PutExecutionRequest;
using ml_metadata::PutExecutionResponse;

struct Known {
  int64_t id = 0;
  std::string fingerprint;  // "" if it has none.
  Execution::State state = Execution::UNKNOWN;
  std::string own_namespace;
  std::vector<int64_t> contexts;  // Ascending.
  std::vector<int64_t> outputs;   // Artifacts.
  std::vector<int64_t> inputs;
  int64_t cached_from = 0;
  // What follows from the past.
  std::optional<std::pair<std::string, std::string>> explicit_place;
  std::string name_space;
  std::string pipeline;
  bool is_invalidated = false;
  int64_t completed_ms = 0;

  bool IsLive() const { return state == Execution::COMPLETE || state == Execution::CACHED; }
};

class Oracle {
 public:
  // The contexts: whose namespace and whose pipeline name.
  struct Place {
    std::string name_space;
    std::string pipeline;
  };
  std::vector<Place> contexts = {{}};  // By id.
  std::vector<Known> executions = {{}};
  std::vector<Artifact::State> artifacts = {{}};

  // What a request leaves behind it. `old` is what was there.
  void Settle(const Known& old, bool is_published, int64_t now_ms, Known* known) const {
    known->is_invalidated =
        old.is_invalidated && !is_published && old.fingerprint == known->fingerprint;
    if (known->fingerprint.empty()) {
      *known = Bare(*known);
      return;
    }
    known->name_space = known->own_namespace;
    known->pipeline.clear();
    for (int64_t id : known->contexts) {
      const Place& place = contexts[static_cast<size_t>(id)];
      if (known->name_space.empty()) known->name_space = place.name_space;
      if (known->pipeline.empty()) known->pipeline = place.pipeline;
    }
    if (known->explicit_place.has_value()) {
      std::tie(known->name_space, known->pipeline) = *known->explicit_place;
    }
    known->completed_ms = 0;
    if (!known->IsLive()) return;
    if (known->state == Execution::CACHED && known->cached_from > 0 &&
        known->cached_from < static_cast<int64_t>(executions.size()) &&
        known->cached_from != known->id) {
      known->completed_ms = executions[static_cast<size_t>(known->cached_from)].completed_ms;
    }
    const bool begins_anew = is_published && old.is_invalidated;
    if (known->completed_ms == 0 && !begins_anew) known->completed_ms = old.completed_ms;
    if (known->completed_ms == 0) known->completed_ms = now_ms;
  }

  // The id of the hit, or minus the reason.
  int64_t Ask(const v1::CacheKey& key, std::optional<int64_t> max_staleness_ms, bool require_live,
              int64_t now_ms) const {
    const Known* best = nullptr;
    int reason = v1::NEVER_SEEN;
    for (const Known& one : executions) {
      if (one.fingerprint.empty() || one.fingerprint != key.fingerprint()) continue;
      const int why = WhyNot(one, key, max_staleness_ms, require_live, now_ms);
      reason = std::max(reason, why);
      if (why != 0) continue;
      if (best == nullptr ||
          std::pair(one.completed_ms, one.id) > std::pair(best->completed_ms, best->id)) {
        best = &one;
      }
    }
    return best != nullptr ? best->id : -reason;
  }

 private:
  static Known Bare(const Known& known) {
    Known bare = known;
    bare.explicit_place.reset();
    bare.is_invalidated = false;
    bare.completed_ms = 0;
    return bare;
  }
  int WhyNot(const Known& one, const v1::CacheKey& key, std::optional<int64_t> max_staleness_ms,
             bool require_live, int64_t now_ms) const {
    if (key.scope() != v1::ANY && one.name_space != key.namespace_()) return v1::OTHER_SCOPE;
    if (key.scope() == v1::PIPELINE && one.pipeline != key.pipeline()) return v1::OTHER_SCOPE;
    if (one.is_invalidated) return v1::INVALIDATED;
    if (!one.IsLive()) return v1::PRODUCER_NOT_COMPLETE;
    const int64_t age = std::max<int64_t>(now_ms - one.completed_ms, 0);
    if (max_staleness_ms && (*max_staleness_ms == 0 || age > *max_staleness_ms)) return v1::STALE;
    if (!require_live) return 0;
    for (int64_t id : one.outputs) {
      if (artifacts[static_cast<size_t>(id)] != Artifact::LIVE) return v1::OUTPUT_NOT_LIVE;
    }
    return 0;
  }
};

class Histories {
 public:
  explicit Histories(Random* random) : random_(*random) {
    for (const auto& [type, name, name_space] :
         std::vector<std::tuple<int64_t, std::string, std::string>>{
             {CacheServer::kPipelineType, "p", ""},
             {CacheServer::kPipelineType, "q", "n"},
             {CacheServer::kRunType, "r", "n"},
             {CacheServer::kRunType, "s", "m"}}) {
      server_.PutContext(type, name, name_space);
      oracle_.contexts.push_back(
          {name_space, type == CacheServer::kPipelineType ? name : std::string()});
    }
  }

  void Step() {
    server_.store().SetClock(now_ms_ += random_.Between(0, 3));
    const int64_t percent = random_.Between(1, 100);
    if (percent <= 35 || oracle_.executions.size() < 4) {
      PutNew();
    } else if (percent <= 60) {
      PutAgain();
    } else if (percent <= 70) {
      Publish();
    } else if (percent <= 80) {
      Invalidate();
    } else if (percent <= 85) {
      Link();
    } else {
      ChangeArtifact();
    }
  }

  void AskEverything() {
    for (const std::string fingerprint : {"f", "g", "h"}) {
      for (int i = 0; i < 4; ++i) {
        const auto scope = static_cast<v1::CacheScope>(random_.Between(1, 3));
        const v1::CacheKey key =
            KeyOf(fingerprint, Text({"", "n", "m"}), Text({"", "p", "q"}), scope);
        v1::LookupRequest request;
        *request.mutable_key() = key;
        std::optional<int64_t> staleness;
        if (random_.OneIn(2)) staleness = random_.Between(0, 30);
        if (staleness) request.mutable_condition()->set_max_staleness_ms(*staleness);
        const bool live = random_.OneIn(2);
        request.mutable_condition()->set_require_live_outputs(live);
        auto response = server_.Call<v1::LookupResponse>("Lookup", request);
        ASSERT_TRUE(IsOk(response));
        const int64_t expected = oracle_.Ask(key, staleness, live, now_ms_);
        const int64_t actual =
            response->has_hit() ? response->hit().execution().id() : -response->miss().reason();
        ASSERT_EQ(actual, expected) << request.ShortDebugString() << "\n"
                                    << response->ShortDebugString();
        ++answers_[response->has_hit() ? 0 : static_cast<size_t>(response->miss().reason())];
        if (response->has_hit()) CheckHit(response->hit());
      }
    }
  }

  std::string Verify() { return Problems(server_.store()); }
  const std::vector<int64_t>& answers() const { return answers_; }

 private:
  std::string Text(const std::vector<std::string>& texts) { return random_.Pick(texts); }
  Known& At(int64_t id) { return oracle_.executions[static_cast<size_t>(id)]; }
  int64_t AnyExecution() {
    return random_.Between(1, static_cast<int64_t>(oracle_.executions.size()) - 1);
  }

  void CheckHit(const v1::CacheHit& hit) {
    const Known& known = At(hit.execution().id());
    EXPECT_EQ(hit.namespace_(), known.name_space);
    EXPECT_EQ(hit.pipeline(), known.pipeline);
    EXPECT_EQ(hit.completed_at_ms(), known.completed_ms);
    EXPECT_EQ(hit.age_ms(), std::max<int64_t>(now_ms_ - known.completed_ms, 0));
    std::vector<int64_t> outputs;
    for (const auto& output : hit.outputs()) {
      outputs.push_back(output.artifact().id());
      EXPECT_EQ(output.event().artifact_id(), output.artifact().id());
      EXPECT_EQ(output.artifact().state(),
                oracle_.artifacts[static_cast<size_t>(output.artifact().id())]);
    }
    EXPECT_EQ(outputs, known.outputs);
  }

  // Sets what a request says of an execution, in both.
  void Vary(Known* known, Execution* execution) {
    known->state = static_cast<Execution::State>(random_.Between(1, 6));
    if (random_.OneIn(2)) known->state = Execution::COMPLETE;
    known->fingerprint = Text({"f", "f", "f", "g", "g", "h", ""});
    known->own_namespace = Text({"", "", "n", "m"});
    known->cached_from = random_.OneIn(3) ? random_.Between(0, 40) : 0;
    execution->set_type_id(CacheServer::kExecutionType);
    Say(*known, execution);
  }
  static void Say(const Known& known, Execution* execution) {
    execution->set_last_known_state(known.state);
    execution->clear_custom_properties();
    if (!known.fingerprint.empty()) SetText(execution, "cache_fingerprint", known.fingerprint);
    if (!known.own_namespace.empty()) SetText(execution, "namespace", known.own_namespace);
    if (known.cached_from > 0) {
      SetText(execution, "cached_execution_id", absl::StrCat(known.cached_from));
    }
  }
  void AddArtifacts(Known* known, PutExecutionRequest* request) {
    for (int64_t i = random_.Between(0, 2); i > 0; --i) {
      auto* pair = request->add_artifact_event_pairs();
      const bool is_output = !random_.OneIn(3);
      pair->mutable_artifact()->set_type_id(CacheServer::kArtifactType);
      pair->mutable_artifact()->set_state(Artifact::LIVE);
      pair->mutable_event()->set_type(is_output ? ml_metadata::Event::OUTPUT
                                                : ml_metadata::Event::INPUT);
      const auto id = static_cast<int64_t>(oracle_.artifacts.size());
      (is_output ? known->outputs : known->inputs).push_back(id);
      oracle_.artifacts.push_back(Artifact::LIVE);
    }
  }
  void AddContexts(Known* known, PutExecutionRequest* request) {
    request->mutable_options()->set_force_reuse_context(true);
    for (int64_t id = 1; id <= 4; ++id) {
      if (!random_.OneIn(3)) continue;
      request->add_contexts()->set_id(id);
      Join(id, known);
    }
  }
  static void Join(int64_t context, Known* known) {
    auto& contexts = known->contexts;
    if (std::find(contexts.begin(), contexts.end(), context) != contexts.end()) return;
    contexts.push_back(context);
    std::sort(contexts.begin(), contexts.end());
  }

  void PutNew() {
    Known known;
    known.id = static_cast<int64_t>(oracle_.executions.size());
    PutExecutionRequest request;
    Vary(&known, request.mutable_execution());
    AddArtifacts(&known, &request);
    AddContexts(&known, &request);
    oracle_.Settle(Known(), false, now_ms_, &known);
    auto response = server_.Call<PutExecutionResponse>("PutExecution", request);
    ASSERT_TRUE(IsOk(response));
    ASSERT_EQ(response->execution_id(), known.id);
    oracle_.executions.push_back(known);
  }

  void PutAgain() {
    const int64_t id = AnyExecution();
    Known known = At(id);
    PutExecutionRequest request;
    Vary(&known, request.mutable_execution());
    request.mutable_execution()->set_id(id);
    if (random_.OneIn(2)) AddArtifacts(&known, &request);
    if (random_.OneIn(2)) AddContexts(&known, &request);
    oracle_.Settle(At(id), false, now_ms_, &known);
    ASSERT_TRUE(IsOk(server_.Call<PutExecutionResponse>("PutExecution", request)));
    At(id) = known;
  }

  void Publish() {
    const bool is_new = random_.OneIn(2);
    Known known = is_new ? Known() : At(AnyExecution());
    const Known old = known;
    v1::PublishRequest request;
    Execution* execution = request.mutable_put()->mutable_execution();
    Vary(&known, execution);
    if (is_new) {
      known.id = static_cast<int64_t>(oracle_.executions.size());
    } else {
      execution->set_id(known.id);
    }
    if (known.fingerprint.empty()) known.fingerprint = "f";
    known.state = random_.OneIn(3) ? Execution::CACHED : Execution::COMPLETE;
    Say(known, execution);
    *request.mutable_key() = KeyOf(known.fingerprint, Text({"", "n", "m"}), Text({"", "p", "q"}));
    AddArtifacts(&known, request.mutable_put());
    known.explicit_place = {request.key().namespace_(), request.key().pipeline()};
    oracle_.Settle(old, true, now_ms_, &known);
    auto response = server_.Call<v1::PublishResponse>("Publish", request);
    ASSERT_TRUE(IsOk(response));
    ASSERT_EQ(response->put().execution_id(), known.id);
    if (is_new) {
      oracle_.executions.push_back(known);
    } else {
      At(known.id) = known;
    }
  }

  void Invalidate() {
    v1::InvalidateRequest request;
    std::vector<int64_t> expected;
    const auto add_if = [&](const auto& holds) {
      for (const Known& one : oracle_.executions) {
        if (!one.fingerprint.empty() && !one.is_invalidated && holds(one)) {
          expected.push_back(one.id);
        }
      }
    };
    switch (random_.Between(1, 3)) {
      case 1: {
        const auto key = KeyOf(Text({"f", "g", "h"}), Text({"", "n", "m"}), Text({"", "p", "q"}),
                               static_cast<v1::CacheScope>(random_.Between(1, 3)));
        *request.mutable_key() = key;
        add_if([&](const Known& one) {
          return one.fingerprint == key.fingerprint() &&
                 (key.scope() == v1::ANY || one.name_space == key.namespace_()) &&
                 (key.scope() != v1::PIPELINE || one.pipeline == key.pipeline());
        });
        break;
      }
      case 2: {
        const int64_t id = AnyExecution();
        request.set_execution_id(id);
        add_if([&](const Known& one) { return one.id == id; });
        break;
      }
      default: {
        const int64_t id = random_.Between(1, static_cast<int64_t>(oracle_.artifacts.size()));
        request.set_artifact_id(id);
        add_if([&](const Known& one) {
          return std::count(one.outputs.begin(), one.outputs.end(), id) > 0 ||
                 std::count(one.inputs.begin(), one.inputs.end(), id) > 0;
        });
      }
    }
    request.set_dry_run(random_.OneIn(2));
    auto response = server_.Call<v1::InvalidateResponse>("Invalidate", request);
    ASSERT_TRUE(IsOk(response));
    EXPECT_EQ(
        std::vector<int64_t>(response->execution_ids().begin(), response->execution_ids().end()),
        expected)
        << request.ShortDebugString();
    if (request.dry_run()) return;
    for (int64_t id : expected) At(id).is_invalidated = true;
  }

  void Link() {
    const int64_t id = AnyExecution();
    ml_metadata::PutAttributionsAndAssociationsRequest request;
    auto* link = request.add_associations();
    link->set_execution_id(id);
    link->set_context_id(random_.Between(1, 4));
    Known known = At(id);
    Join(link->context_id(), &known);
    if (known.contexts != At(id).contexts) oracle_.Settle(At(id), false, now_ms_, &known);
    ASSERT_TRUE(IsOk(server_.Start("PutAttributionsAndAssociations", request).get().status()));
    At(id) = known;
  }

  void ChangeArtifact() {
    if (oracle_.artifacts.size() < 2) return;
    const auto id = random_.Between(1, static_cast<int64_t>(oracle_.artifacts.size()) - 1);
    ml_metadata::PutArtifactsRequest request;
    auto* artifact = request.add_artifacts();
    artifact->set_id(id);
    artifact->set_state(random_.OneIn(2) ? Artifact::LIVE : Artifact::DELETED);
    ASSERT_TRUE(IsOk(server_.Call<ml_metadata::PutArtifactsResponse>("PutArtifacts", request)));
    oracle_.artifacts[static_cast<size_t>(id)] = artifact->state();
  }

  Random& random_;
  CacheServer server_;
  Oracle oracle_;
  int64_t now_ms_ = TestStore::kStartMs;
  std::vector<int64_t> answers_ = std::vector<int64_t>(8);
};

TEST(CacheRandom, EveryAnswerIsThatOfTheOracle) {
  Random random;
  std::vector<int64_t> answers(8);
  for (int history = 0; history < 12; ++history) {
    Histories histories(&random);
    for (int step = 0; step < 150; ++step) {
      histories.Step();
      histories.AskEverything();
      if (::testing::Test::HasFailure()) FAIL() << "history " << history << ", step " << step;
    }
    EXPECT_EQ(histories.Verify(), "");
    for (size_t i = 0; i < answers.size(); ++i) answers[i] += histories.answers()[i];
  }
  std::cout << "hits, then misses by reason:";
  for (int64_t count : answers) std::cout << " " << count;
  std::cout << std::endl;
  EXPECT_GT(answers[0], 0);
  for (size_t reason = 1; reason <= 6; ++reason) EXPECT_GT(answers[reason], 0) << reason;
}

}  // namespace
}  // namespace pedigree
