// The store keeps its graph of events equal to its keys, whatever is written, rolled back or
// opened again.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/store/graph_difference.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"
#include "tests/store/write_group.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Event;
using ml_metadata::Execution;
using Rows = std::vector<EventRow>;

// A random history of writes, and every event that it should have left, in order.
class History {
 public:
  History(TestStore* store, Random* random) : store_(*store), random_(*random) {}

  const Rows& rows() const { return rows_; }
  int64_t rolled_back() const { return rolled_back_; }

  // Some requests as one group; some of them fail when they have written events.
  void WriteGroup() {
    store_.SetClock(store_.clock() + random_.Between(0, 3));
    std::vector<Request> requests(static_cast<size_t>(random_.Between(1, 8)));
    std::vector<TestWrite::Work> writes;
    for (Request& request : requests) {
      request.seed = random_.Bits();
      writes.emplace_back(
          [&request](Transaction& transaction) { return Run(transaction, &request); });
    }
    const auto statuses = WriteAsOneGroup(*store_, std::move(writes));
    for (size_t i = 0; i < requests.size(); ++i) {
      if (statuses[i].ok()) {
        rows_.insert(rows_.end(), requests[i].rows.begin(), requests[i].rows.end());
      } else {
        rolled_back_ += requests[i].rows.empty() ? 0 : 1;
      }
    }
  }

 private:
  struct Request {
    uint64_t seed = 0;
    Rows rows;  // What it has added.
  };

  // Some nodes, and events between any nodes that there are: often several runs of one execution.
  static absl::Status Run(Transaction& transaction, Request* request) {
    Random random(request->seed);
    Artifact artifact = NewNode<Artifact>(1);
    Execution execution = NewNode<Execution>(5);
    for (int64_t i = random.Between(1, 3); i > 0; --i) {
      artifact.clear_id();
      execution.clear_id();
      if (auto id = transaction.Insert(&artifact, {}); !id.ok()) return id.status();
      if (auto id = transaction.Insert(&execution, {}); !id.ok()) return id.status();
    }
    for (int64_t calls = random.Between(0, 3); calls > 0; --calls) {
      const absl::Status status =
          AddSome(transaction, artifact.id(), execution.id(), &random, request);
      if (!status.ok()) return status;
    }
    return random.OneIn(5) ? absl::InvalidArgumentError("on purpose") : absl::OkStatus();
  }

  // One call of AddEvents, which may meet an event that is taken.
  static absl::Status AddSome(Transaction& transaction, int64_t last_artifact,
                              int64_t last_execution, Random* random, Request* request) {
    std::vector<Event> events(static_cast<size_t>(random->Between(1, 10)));
    std::vector<Event*> pointers;
    for (Event& event : events) {
      const int64_t first = random->OneIn(4) ? 1 : std::max<int64_t>(1, last_execution - 2);
      event.set_artifact_id(random->Between(random->OneIn(2) ? 1 : last_artifact, last_artifact));
      event.set_execution_id(random->Between(first, last_execution));
      event.set_type(static_cast<Event::Type>(random->Between(1, Event::Type_MAX)));
      if (random->OneIn(4)) {
        event.set_milliseconds_since_epoch(static_cast<int64_t>(random->Skewed()));
      }
      pointers.push_back(&event);
    }
    return transaction.AddEvents(pointers, [&](const Event& event) {
      if (random->OneIn(60)) return absl::InvalidArgumentError("refused");
      for (const EventRow& row : request->rows) {  // So that it rarely meets its own.
        if (row.artifact == event.artifact_id() && row.execution == event.execution_id() &&
            row.type == event.type()) {
          return absl::AlreadyExistsError("taken");
        }
      }
      // Without a time it gets the request's.
      const int64_t time_ms = event.has_milliseconds_since_epoch()
                                  ? event.milliseconds_since_epoch()
                                  : transaction.now_ms();
      request->rows.push_back({event.artifact_id(), event.execution_id(), event.type(), time_ms});
      return absl::OkStatus();
    });
  }

  TestStore& store_;
  Random& random_;
  Rows rows_;
  int64_t rolled_back_ = 0;
};

void ExpectGraph(const Reader& reader, const Rows& rows) {
  ASSERT_EQ(GraphDifference(reader), "");
  ASSERT_EQ(ToString(EventsInGraph(reader)), ToString(rows));
}

void ExpectGraph(const Store& store, const Rows& rows) {
  EXPECT_TRUE(IsOk(store.Read(Blocking::kAllowed, [&](const Reader& reader) {
    ExpectGraph(reader, rows);
    return absl::OkStatus();
  })));
}

// Opens what a crash at this moment would leave, while the store stays open.
void ExpectGraphAfterCrash(TestStore& store, const Rows& rows) {
  const ScratchDirectory scratch;
  StoreOptions options = store.options();
  options.data_dir = scratch.path() + "/store";
  CopyDirectory(store.data_dir(), options.data_dir);
  const auto copy = Store::Open(options);
  ASSERT_TRUE(IsOk(copy));
  ExpectGraph(**copy, rows);
}

TEST(GraphOfStore, EqualsTheKeysAfterAnyHistory) {
  const uint64_t seed = Random().seed();
  int64_t events = 0;
  int64_t rolled_back = 0;
  for (uint64_t i = 0; i < 20; ++i) {
    Random random(seed + i);
    SCOPED_TRACE(absl::StrCat("seed of the store: ", random.seed()));
    TestStore store;
    History history(&store, &random);
    for (int group = 0; group < 25; ++group) {
      history.WriteGroup();
      ExpectGraph(*store, history.rows());
      if (random.OneIn(12)) {
        store.Reopen();
        ExpectGraph(*store, history.rows());
      }
      if (random.OneIn(12)) ExpectGraphAfterCrash(store, history.rows());
      if (testing::Test::HasFailure()) return;
    }
    store.Reopen();
    ExpectGraph(*store, history.rows());
    EXPECT_EQ(Problems(store), "");
    events += static_cast<int64_t>(history.rows().size());
    rolled_back += history.rolled_back();
  }
  EXPECT_GT(events, 5000);
  EXPECT_GT(rolled_back, 100) << "requests that failed with events in them";
}

TEST(GraphOfStore, StaysWhatItWasForAReaderOfAnOldVersion) {
  struct Old {
    std::shared_ptr<const Version> version;
    size_t events;
  };
  Random random;
  TestStore store;
  History history(&store, &random);
  std::vector<Old> old;
  for (int group = 0; group < 60; ++group) {
    old.push_back({store->CurrentVersion(), history.rows().size()});
    history.WriteGroup();
    for (size_t i = 0; i < old.size(); i += 1 + random.Index(10)) {
      const Rows rows(history.rows().begin(),
                      history.rows().begin() + static_cast<ptrdiff_t>(old[i].events));
      EXPECT_TRUE(IsOk(store->Read(old[i].version, Blocking::kAllowed, [&](const Reader& reader) {
        ExpectGraph(reader, rows);
        return absl::OkStatus();
      })));
      ASSERT_FALSE(HasFailure()) << "version " << i << " after group " << group;
    }
  }
}

Event NewEvent(int64_t artifact, int64_t execution, Event::Type type) {
  Event event;
  event.set_artifact_id(artifact);
  event.set_execution_id(execution);
  event.set_type(type);
  return event;
}

// Adds events in one request.
absl::Status Add(TestStore& store, std::vector<Event> events) {
  return store->Write([&](Transaction& transaction) {
    std::vector<Event*> pointers;
    for (Event& event : events) pointers.push_back(&event);
    return AddEvents(transaction, pointers);
  });
}

TEST(GraphOfStore, TakesEventsOnOldNodes) {
  TestStore store;
  constexpr int64_t kNow = TestStore::kStartMs;
  Rows rows;
  for (int64_t id = 1; id <= 3; ++id) {
    ASSERT_EQ(*Insert(store, NewNode<Artifact>(1)), id);
    ASSERT_EQ(*Insert(store, NewNode<Execution>(5)), id);
    ASSERT_TRUE(IsOk(Add(store, {NewEvent(id, id, Event::OUTPUT)})));
    rows.push_back({id, id, Event::OUTPUT, kNow});
  }
  ASSERT_TRUE(IsOk(Add(store, {NewEvent(3, 1, Event::INPUT), NewEvent(3, 2, Event::INPUT),
                               NewEvent(2, 1, Event::INPUT), NewEvent(1, 1, Event::INPUT)})));
  rows.insert(rows.end(), {{3, 1, Event::INPUT, kNow},
                           {3, 2, Event::INPUT, kNow},
                           {2, 1, Event::INPUT, kNow},
                           {1, 1, Event::INPUT, kNow}});
  ExpectGraph(*store, rows);
  // The last of them is taken: nothing of the request stays.
  EXPECT_TRUE(Fails(Add(store, {NewEvent(2, 2, Event::INPUT), NewEvent(3, 1, Event::INPUT)}),
                    absl::StatusCode::kAlreadyExists));
  ExpectGraph(*store, rows);
  store.Reopen();
  ExpectGraph(*store, rows);
}

}  // namespace
}  // namespace pedigree
