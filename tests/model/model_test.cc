// Seeded random histories: after every request the store must have answered, and must hold, what
// the model says.
//
// MODEL_SEED and MODEL_HISTORIES say where to begin and how many to play; history i of seed s is
// history 0 of seed s + i.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "google/protobuf/text_format.h"
#include "tests/model/compare.h"
#include "tests/model/history.h"
#include "tests/model/requests.h"

namespace pedigree::model {
namespace {

constexpr int64_t kDefaultHistories = 60;

int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? std::strtoll(value, nullptr, 10) : otherwise;
}

// One history as it comes about, with reads between its steps.
class RandomHistory {
 public:
  explicit RandomHistory(uint64_t seed) : random_(seed), requests_(&random_, &player_.model()) {}

  // "" or the first difference.
  std::string Run() {
    Step first = NewStep();
    first.requests.emplace_back(requests_.FirstTypes().request);
    std::string failure = Play(std::move(first));
    for (int64_t i = random_.Between(20, 160); failure.empty() && i > 0; --i) {
      failure = Play(RandomStep());
      if (failure.empty()) failure = ReadSomething();
    }
    return failure.empty() ? player_.Finish() : failure;
  }

  const History& history() const { return history_; }
  int64_t writes() const { return writes_; }
  int64_t stored_writes() const { return player_.stored_writes(); }
  int64_t reads() const { return reads_; }

 private:
  std::string Play(Step step) {
    history_.push_back(step);
    writes_ += static_cast<int64_t>(step.requests.size());
    if (step.reopen_after) lists_.clear();
    return player_.Play(step);
  }

  Step NewStep() {
    Step step;
    if (random_.OneIn(2)) newest_clock_ms_ += random_.Between(0, 3);
    // The clock of a machine may be set back; what it says after a restart counts alone.
    step.clock_ms = newest_clock_ms_ - (random_.OneIn(20) ? random_.Between(1, 1000) : 0);
    return step;
  }

  Step RandomStep() {
    Step step = NewStep();
    const int64_t most = random_.OneIn(3) ? 6 : 1;
    for (int64_t i = random_.Between(1, most); i > 0; --i) {
      step.requests.emplace_back(requests_.Write().request);
    }
    step.reopen_after = random_.OneIn(60);
    if (step.reopen_after) step.clock_ms = newest_clock_ms_ += 10;
    return step;
  }

  std::string ReadSomething() {
    std::string failure;
    for (int64_t i = random_.Between(0, 5); failure.empty() && i > 0; --i) {
      ++reads_;
      failure = CompareRead(player_.store(), player_.model(), requests_.Read());
    }
    if (random_.OneIn(2)) lists_.emplace_back(requests_.List());
    for (PagedList& list : lists_) {
      if (!failure.empty() || list.done() || !random_.OneIn(2)) continue;
      ++reads_;
      failure = list.NextPage(player_.store(), player_.model());
    }
    lists_.erase(std::remove_if(lists_.begin(), lists_.end(),
                                [](const PagedList& list) { return list.done(); }),
                 lists_.end());
    return failure;
  }

  Random random_;
  Player player_;
  Requests requests_;
  History history_;
  std::vector<PagedList> lists_;
  int64_t newest_clock_ms_ = 1'700'000'000'000;
  int64_t writes_ = 0;
  int64_t reads_ = 0;
};

std::string Reproduction(const History& history) {
  if (PlayAll(history).empty()) return "Its writes alone do not show it: the reads between do.";
  const History shrunk = Shrink(history);
  return "The smallest reproduction:\n" + Describe(shrunk) + PlayAll(shrunk);
}

TEST(Model, AgreesWithTheStoreOverRandomHistories) {
  const auto seed =
      static_cast<uint64_t>(FromEnvironment("MODEL_SEED", std::random_device()() % 1000000));
  const int64_t histories = FromEnvironment("MODEL_HISTORIES", kDefaultHistories);
  std::cout << "MODEL_SEED=" << seed << " MODEL_HISTORIES=" << histories << std::endl;
  int64_t writes = 0;
  int64_t stored_writes = 0;
  int64_t reads = 0;
  for (int64_t i = 0; i < histories; ++i) {
    const uint64_t this_seed = seed + static_cast<uint64_t>(i);
    RandomHistory history(this_seed);
    const std::string failure = history.Run();
    ASSERT_TRUE(failure.empty()) << failure << "MODEL_SEED=" << this_seed
                                 << " MODEL_HISTORIES=1 repeats it.\n"
                                 << Reproduction(history.history());
    writes += history.writes();
    stored_writes += history.stored_writes();
    reads += history.reads();
  }
  std::cout << histories << " histories, " << writes << " writes (" << stored_writes
            << " of them OK), " << reads << " reads" << std::endl;
}

// A history written down: one request per step.
template <class... Requests>
History HistoryOf(const Requests&... requests) {
  History history;
  int64_t clock_ms = 1'700'000'000'000;
  const auto add = [&](std::shared_ptr<const google::protobuf::Message> request) {
    Step step;
    step.clock_ms = ++clock_ms;
    step.requests.push_back(std::move(request));
    history.push_back(std::move(step));
  };
  (add(std::make_shared<Requests>(requests)), ...);
  return history;
}

::testing::AssertionResult Agree(const History& history) {
  const std::string failure = PlayAll(history);
  if (failure.empty()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << failure;
}

template <class Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// Contexts are put one after the other: what is reused by name is what has the name by then.
TEST(Model, ReusesTheContextThatTheSameRequestHasGivenTheName) {
  EXPECT_TRUE(Agree(
      HistoryOf(FromText<ml_metadata::PutContextTypeRequest>("context_type { name: 'c' }"),
                FromText<ml_metadata::PutContextsRequest>("contexts { type_id: 10 name: 'a' }"),
                FromText<ml_metadata::PutExecutionRequest>(
                    "execution { type_id: 5 } contexts { id: 1 name: 'b' }"
                    "contexts { type_id: 10 name: 'b' }"
                    "options { reuse_context_if_already_exist: true }"))));
}

TEST(Model, DoesNotReuseTheContextThatTheSameRequestHasRenamed) {
  EXPECT_TRUE(Agree(
      HistoryOf(FromText<ml_metadata::PutContextTypeRequest>("context_type { name: 'c' }"),
                FromText<ml_metadata::PutContextsRequest>("contexts { type_id: 10 name: 'a' }"),
                FromText<ml_metadata::PutExecutionRequest>(
                    "execution { type_id: 5 } contexts { id: 1 name: 'b' }"
                    "contexts { type_id: 10 name: 'a' }"
                    "options { reuse_context_if_already_exist: true }"))));
}

// A token is good for its own list only.
TEST(Model, PageTokensOfOtherListsAreRefused) {
  Player player;
  Random random(1);
  Requests requests(&random, &player.model());
  Step step;
  step.requests.emplace_back(requests.FirstTypes().request);
  ml_metadata::PutArtifactsRequest put;
  for (int i = 0; i < 3; ++i) put.add_artifacts()->set_type_id(1);
  step.requests.emplace_back(std::make_shared<ml_metadata::PutArtifactsRequest>(put));
  ASSERT_EQ("", player.Play(step));

  ml_metadata::GetArtifactsRequest request;
  ml_metadata::GetArtifactsResponse response;
  request.mutable_options()->set_max_result_size(1);
  ASSERT_TRUE(Invoke(player.store(), "GetArtifacts", request, &response).ok());
  ASSERT_NE("", response.next_page_token());
  request.mutable_options()->set_next_page_token(response.next_page_token());
  EXPECT_TRUE(Invoke(player.store(), "GetArtifacts", request, &response).ok());
  request.mutable_options()->mutable_order_by_field()->set_is_asc(false);
  EXPECT_EQ(absl::StatusCode::kInvalidArgument,
            Invoke(player.store(), "GetArtifacts", request, &response).code());
  ml_metadata::GetArtifactsByTypeRequest by_type;
  by_type.set_type_name("mlmd.Dataset");
  by_type.mutable_options()->set_next_page_token(request.options().next_page_token());
  ml_metadata::GetArtifactsByTypeResponse by_type_response;
  EXPECT_EQ(absl::StatusCode::kInvalidArgument,
            Invoke(player.store(), "GetArtifactsByType", by_type, &by_type_response).code());
}

}  // namespace
}  // namespace pedigree::model
