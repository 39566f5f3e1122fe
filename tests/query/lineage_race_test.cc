// Walks beside writers: each walk is the oracle's for its own version, whatever is written
// meanwhile.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <thread>
#include <tuple>
#include <vector>

#include "tests/query/compare_walk.h"
#include "tests/query/lineage_oracle.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Event;
using ml_metadata::Execution;

constexpr int kWriters = 2;
constexpr int kReaders = 3;
constexpr int kWritesEach = 150;

// An execution that reads artifacts there are and writes a new one; sometimes an event on old
// nodes, sometimes a failure when all is written.
absl::Status WriteStep(Transaction& transaction, Random* random) {
  Artifact artifact = NewNode<Artifact>(1);
  Execution execution = NewNode<Execution>(5);
  if (auto id = transaction.Insert(&artifact, {}); !id.ok()) return id.status();
  if (auto id = transaction.Insert(&execution, {}); !id.ok()) return id.status();
  std::vector<Event> events(static_cast<size_t>(random->Between(1, 3)));
  std::vector<Event*> pointers;
  for (Event& event : events) {
    event.set_artifact_id(random->Between(1, artifact.id()));
    event.set_execution_id(random->OneIn(4) ? random->Between(1, execution.id()) : execution.id());
    event.set_type(random->OneIn(2) ? Event::INPUT : Event::DECLARED_INPUT);
    pointers.push_back(&event);
  }
  events[0].set_artifact_id(artifact.id());
  events[0].set_type(Event::OUTPUT);
  // A request that adds an event twice is refused, which is as good.
  if (absl::Status status = AddEvents(transaction, pointers); !status.ok()) return status;
  return random->OneIn(8) ? absl::InvalidArgumentError("on purpose") : absl::OkStatus();
}

// The events of the version, from its keys; their order is the graph's, which must know the same
// ones.
absl::StatusOr<OracleLineage> ReadLineage(const Reader& reader) {
  OracleLineage lineage;
  std::map<std::tuple<int64_t, int64_t, int>, OracleEvent> stored;
  for (int64_t id = 1; id <= reader.version().last_id(NodeKind::kArtifact); ++id) {
    lineage.nodes[{NodeKind::kArtifact, id}] = 0;
  }
  for (int64_t id = 1; id <= reader.version().last_id(NodeKind::kExecution); ++id) {
    lineage.nodes[{NodeKind::kExecution, id}] = 0;
    const absl::Status status = reader.VisitEventsOfExecution(id, [&](absl::string_view bytes) {
      Event event;
      EXPECT_TRUE(event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
      stored[{event.artifact_id(), event.execution_id(), event.type()}] = {
          event.artifact_id(), event.execution_id(), event.type(),
          event.milliseconds_since_epoch()};
    });
    if (!status.ok()) return status;
  }
  const LineageView view(reader);
  for (uint32_t number = 1; number <= view.last_event(); ++number) {
    const EventEnds ends = view.ends(number);
    const auto found = stored.find({ends.artifact, ends.execution, ends.type});
    if (found == stored.end()) return absl::InternalError("the graph has an event of its own");
    EXPECT_EQ(found->second.time_ms, view.time_ms(number));
    lineage.events.push_back(found->second);
    stored.erase(found);
  }
  if (!stored.empty()) return absl::InternalError("the graph lacks an event");
  return lineage;
}

OracleQuestion SomeQuestion(const Reader& reader, Random* random) {
  OracleQuestion question;
  const NodeKind kind = random->OneIn(2) ? NodeKind::kArtifact : NodeKind::kExecution;
  const int64_t last = reader.version().last_id(kind);
  // One beyond the version: it may exist by now.
  question.starts = {{kind, random->Between(1, last + 1)}, {kind, last + 1}};
  const int64_t direction = random->Between(1, 3);
  question.is_upstream = direction != 2;
  question.is_downstream = direction != 1;
  if (random->OneIn(2)) question.max_hops = random->Between(0, 8);
  if (random->OneIn(3)) question.stops = {{NodeKind::kArtifact, random->Between(1, last + 1)}};
  return question;
}

TEST(LineageRace, EveryWalkIsTheOraclesForItsVersion) {
  Random seeds;
  TestStore store;
  std::atomic<int> writing = kWriters;
  std::atomic<int> reading = kReaders;
  std::atomic<int64_t> written = 0;
  std::atomic<int64_t> walks = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kWriters; ++i) {
    threads.emplace_back([&, random = Random(seeds.Bits())]() mutable {
      for (int n = 0; n < kWritesEach; ++n) {
        // So that readers see many versions, however slow they are.
        const int64_t before = walks;
        while (n % 4 == 0 && reading > 0 && walks == before) std::this_thread::yield();
        const absl::Status status =
            store->Write([&](Transaction& transaction) { return WriteStep(transaction, &random); });
        written += status.ok() ? 1 : 0;
      }
      --writing;
    });
  }
  for (int i = 0; i < kReaders; ++i) {
    threads.emplace_back([&, random = Random(seeds.Bits())]() mutable {
      int64_t last_seen = 0;
      while (writing > 0 && !testing::Test::HasFailure()) {
        const std::shared_ptr<const Version> version = store->CurrentVersion();
        EXPECT_GE(version->counters.last_event_number, last_seen) << "versions never go back";
        last_seen = version->counters.last_event_number;
        EXPECT_TRUE(IsOk(store->Read(version, Blocking::kAllowed, [&](const Reader& reader) {
          const auto lineage = ReadLineage(reader);
          if (!lineage.ok()) return lineage.status();
          for (int twice = 0; twice < 2; ++twice) {
            std::this_thread::yield();
            const OracleQuestion question = SomeQuestion(reader, &random);
            EXPECT_EQ(WalkDifference(reader, LineageView(reader), *lineage, question), "");
          }
          return absl::OkStatus();
        })));
        ++walks;
      }
      --reading;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(written, kWriters * kWritesEach / 2);
  EXPECT_EQ(store->CurrentVersion()->last_id(NodeKind::kExecution), written);
  EXPECT_TRUE(IsOk(store->Read(
      Blocking::kAllowed, [&](const Reader& reader) { return ReadLineage(reader).status(); })));
}

}  // namespace
}  // namespace pedigree
