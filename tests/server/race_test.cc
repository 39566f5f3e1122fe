// Requests that race: each happens whole, before or after each other.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/server/graph_test.h"
#include "tests/server/test_store.h"

namespace pedigree {
namespace {

namespace mlmd = ml_metadata;
using absl::StatusCode;
using ::pedigree::testing::GraphTest;

constexpr int kThreads = 4;

class Races : public GraphTest {
 protected:
  // Runs body(thread) on several threads at once.
  static void Race(const std::function<void(int)>& body) {
    std::atomic<int> waiting = kThreads;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        --waiting;
        while (waiting > 0) std::this_thread::yield();
        body(t);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  // The codes of one call made by all threads at once.
  std::map<StatusCode, int> RaceCall(const std::string& rpc, const std::string& text) {
    std::atomic<int> counts[20] = {};
    Race([&](int) { ++counts[static_cast<size_t>(store_.Try(rpc, text).code())]; });
    std::map<StatusCode, int> codes;
    for (size_t i = 0; i < std::size(counts); ++i) {
      if (counts[i] > 0) codes[static_cast<StatusCode>(i)] = counts[i];
    }
    return codes;
  }
};

using Codes = std::map<StatusCode, int>;
const Codes kOneWins = {{StatusCode::kOk, 1}, {StatusCode::kAlreadyExists, kThreads - 1}};
const Codes kAllWin = {{StatusCode::kOk, kThreads}};

TEST_F(Races, OneOfEqualCreatesWins) {
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(
        RaceCall("PutContexts", absl::StrCat("contexts { type_id: 12 name: 'n", round, "' }")),
        kOneWins);
    EXPECT_EQ(RaceCall("PutArtifacts",
                       absl::StrCat("artifacts { type_id: 10 external_id: 'n", round, "' }")),
              kOneWins);
    EXPECT_EQ(
        RaceCall("PutExecution", absl::StrCat("execution { type_id: 11 name: 'run", round, "' } ",
                                              "artifact_event_pairs { artifact { type_id: 10 } ",
                                              "event { type: OUTPUT } }")),
        kOneWins);
  }
  // Each winner's nodes, and no ids lost to the others.
  EXPECT_EQ(store_.Must<mlmd::GetArtifactsResponse>("").artifacts_size(), 40);
  EXPECT_EQ(store_.Must<mlmd::GetArtifactsResponse>("").artifacts(39).id(), 40);
  EXPECT_EQ(store_.Must<mlmd::GetExecutionsResponse>("").executions(19).id(), 20);
}

TEST_F(Races, EqualTypesAndReusedContextsBecomeOne) {
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(RaceCall("PutContextType", absl::StrCat("context_type { name: 't", round, "' }")),
              kAllWin);
    EXPECT_EQ(RaceCall("PutExecution",
                       absl::StrCat("execution { type_id: 11 } contexts { type_id: 12 name: 'c",
                                    round, "' } options { reuse_context_if_already_exist: true }")),
              kAllWin);
  }
  EXPECT_EQ(store_.Must<mlmd::GetContextTypesResponse>("").context_types_size(), 21);
  EXPECT_EQ(store_.Must<mlmd::GetContextsResponse>("").contexts_size(), 20);
  for (int64_t id = 1; id <= 20; ++id) {
    EXPECT_EQ(ExecutionsOfContext(id).size(), static_cast<size_t>(kThreads));
  }
}

TEST_F(Races, OneOfEqualEventsAndParentsWins) {
  Fill(20, 1, 21);
  for (int id = 1; id <= 20; ++id) {
    EXPECT_EQ(RaceCall("PutEvents", absl::StrCat("events { execution_id: 1 type: INPUT ",
                                                 "artifact_id: ", id, " }")),
              kOneWins);
    EXPECT_EQ(RaceCall("PutParentContexts",
                       absl::StrCat("parent_contexts { parent_id: 21 child_id: ", id, " }")),
              kOneWins);
  }
  EXPECT_EQ(EventsOfExecution(1).size(), 20U);
}

TEST_F(Races, OfTwoParentsThatWouldCloseALoopOneWins) {
  Fill(0, 0, 40);
  for (int64_t id = 1; id < 40; id += 2) {
    std::atomic<int> accepted = 0;
    Race([&](int t) {
      const int64_t child = t % 2 == 0 ? id : id + 1;
      const int64_t parent = t % 2 == 0 ? id + 1 : id;
      accepted += store_
                      .Try("PutParentContexts", absl::StrCat("parent_contexts { child_id: ", child,
                                                             " parent_id: ", parent, " }"))
                      .ok();
    });
    EXPECT_EQ(accepted, 1);
  }
}

// A counter that every thread reads, raises and writes back guarded loses no step.
TEST_F(Races, GuardedUpdatesLoseNothing) {
  constexpr int kSteps = 25;
  Fill(1, 0, 0);
  std::atomic<int> lost = 0;
  Race([&](int) {
    for (int step = 0; step < kSteps;) {
      auto artifact = store_.Must<mlmd::GetArtifactsByIDResponse>("artifact_ids: 1").artifacts(0);
      auto& counter = (*artifact.mutable_custom_properties())["n"];
      counter.set_int_value(counter.int_value() + 1);
      mlmd::PutArtifactsRequest request;
      *request.add_artifacts() = artifact;
      request.mutable_options()->set_abort_if_latest_updated_time_changed(true);
      const StatusCode code = store_.Try(request).code();
      step += code == StatusCode::kOk;
      lost += code == StatusCode::kFailedPrecondition;
      ASSERT_TRUE(code == StatusCode::kOk || code == StatusCode::kFailedPrecondition);
    }
  });
  const auto artifact = store_.Must<mlmd::GetArtifactsByIDResponse>("artifact_ids: 1").artifacts(0);
  EXPECT_EQ(artifact.custom_properties().at("n").int_value(), kThreads * kSteps)
      << lost << " updates came too late";
}

// A reader sees an execution with all of its artifacts, events and links, or not at all.
TEST_F(Races, ReadersSeeAllOfAWriteOrNothing) {
  Fill(0, 0, 1);
  std::atomic<bool> writing = true;
  std::atomic<int> seen = 0;
  std::thread reader([&] {
    while (writing) {
      const auto status =
          store_.store().Read(Blocking::kAllowed, [&](const Reader& version) -> absl::Status {
            int64_t executions = 0;
            int64_t artifacts = 0;
            int64_t events = 0;
            auto visited = version.VisitNodes(NodeKind::kExecution, kFirstId, Direction::kAscending,
                                              [&](int64_t, const RecordView& record) {
                                                ++executions;
                                                EXPECT_EQ(record.NearLinks().size(), 1U);
                                                return true;
                                              });
            for (int64_t id = 1; visited.ok() && id <= executions; ++id) {
              visited = version.VisitEventsOfExecution(id, [&](absl::string_view) { ++events; });
            }
            if (visited.ok()) {
              visited = version.VisitContextMembers(1, NodeKind::kArtifact, kFirstId,
                                                    Direction::kAscending, [&](int64_t) {
                                                      ++artifacts;
                                                      return true;
                                                    });
            }
            EXPECT_EQ(artifacts, 2 * executions);
            EXPECT_EQ(events, 2 * executions);
            return visited;
          });
      EXPECT_TRUE(status.ok()) << status;
      ++seen;
    }
  });
  const std::string pair =
      "artifact_event_pairs { artifact { type_id: 10 } event { type: OUTPUT } } ";
  // Until the reader has seen enough of it; bounded, should it see nothing.
  Race([&](int) {
    for (int i = 0; i < 25 || (seen < 20 && i < 2000); ++i) {
      EXPECT_TRUE(store_
                      .Try("PutExecution", absl::StrCat("execution { type_id: 11 } ", pair, pair,
                                                        "contexts { id: 1 name: 'c1' }"))
                      .ok());
    }
  });
  writing = false;
  reader.join();
  EXPECT_GE(seen, 20);
}

}  // namespace
}  // namespace pedigree
