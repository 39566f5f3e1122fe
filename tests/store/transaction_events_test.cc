// Events: unique, in insertion order in both directions, with their nodes or not at all.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "store/keys.h"
#include "tests/store/random_message.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using ml_metadata::Artifact;
using ml_metadata::Event;
using ml_metadata::Execution;

constexpr int64_t kNodes = 20;  // Of each kind.

class Events : public testing::Test {
 protected:
  Events() {
    EXPECT_TRUE(IsOk(store_->Write([&](Transaction& transaction) -> absl::Status {
      for (int64_t i = 0; i < kNodes; ++i) {
        auto artifact = NewNode<Artifact>(1);
        auto execution = NewNode<Execution>(5);
        if (auto id = transaction.Insert(&artifact, {}); !id.ok()) return id.status();
        if (auto id = transaction.Insert(&execution, {}); !id.ok()) return id.status();
      }
      return absl::OkStatus();
    })));
  }
  ~Events() override { EXPECT_EQ(Problems(store_), ""); }

  // Adds events in one request of its own. Fills them in as the store does.
  absl::Status Add(std::vector<Event>* events) {
    return store_->Write([&](Transaction& transaction) {
      std::vector<Event*> pointers;
      for (Event& event : *events) pointers.push_back(&event);
      return AddEvents(transaction, pointers);
    });
  }
  absl::Status Add(std::vector<Event> events) { return Add(&events); }

  TestStore store_;
};

Event NewEvent(int64_t artifact, int64_t execution, Event::Type type) {
  Event event;
  event.set_artifact_id(artifact);
  event.set_execution_id(execution);
  event.set_type(type);
  return event;
}

std::vector<std::string> Texts(const std::vector<Event>& events) {
  std::vector<std::string> texts;
  for (const Event& event : events) texts.push_back(event.ShortDebugString());
  return texts;
}

TEST_F(Events, StandInInsertionOrderOnBothSides) {
  std::vector<Event> first = {NewEvent(9, 3, Event::INPUT), NewEvent(2, 3, Event::OUTPUT),
                              NewEvent(2, 1, Event::INPUT), NewEvent(7, 3, Event::INPUT)};
  std::vector<Event> second = {NewEvent(2, 2, Event::INPUT), NewEvent(1, 3, Event::OUTPUT),
                               NewEvent(2, 3, Event::INPUT)};
  ASSERT_TRUE(IsOk(Add(&first)));
  ASSERT_TRUE(IsOk(Add(&second)));
  EXPECT_EQ(Texts(EventsOfExecution(store_, 3)),
            Texts({first[0], first[1], first[3], second[1], second[2]}));
  EXPECT_EQ(Texts(EventsOfArtifact(store_, 2)), Texts({first[1], first[2], second[0], second[2]}));
  EXPECT_EQ(Texts(EventsOfExecution(store_, 4)), Texts({}));
  EXPECT_EQ(Texts(EventsOfArtifact(store_, 4)), Texts({}));
}

TEST_F(Events, KeepTheirTimeOrGetTheRequests) {
  store_.SetClock(TestStore::kStartMs + 7);
  Event timed = NewEvent(1, 1, Event::INPUT);
  timed.set_milliseconds_since_epoch(5);
  Event zero = NewEvent(2, 1, Event::INPUT);
  zero.set_milliseconds_since_epoch(0);
  ASSERT_TRUE(IsOk(Add({timed, zero, NewEvent(3, 1, Event::INPUT)})));
  const auto events = EventsOfExecution(store_, 1);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].milliseconds_since_epoch(), 5);
  EXPECT_EQ(events[1].milliseconds_since_epoch(), 0);
  EXPECT_EQ(events[2].milliseconds_since_epoch(), TestStore::kStartMs + 7);
}

TEST_F(Events, KeepTheirPathAndDropAnEmptyOne) {
  Event with_path = NewEvent(1, 1, Event::OUTPUT);
  with_path.mutable_path()->add_steps()->set_key("model");
  with_path.mutable_path()->add_steps()->set_index(0);
  Event with_empty_path = NewEvent(2, 1, Event::OUTPUT);
  with_empty_path.mutable_path();
  ASSERT_TRUE(IsOk(Add({with_path, with_empty_path})));
  const auto events = EventsOfExecution(store_, 1);
  ASSERT_EQ(events.size(), 2u);
  ASSERT_EQ(events[0].path().steps_size(), 2);
  EXPECT_EQ(events[0].path().steps(0).key(), "model");
  EXPECT_EQ(events[0].path().steps(1).index(), 0);
  EXPECT_FALSE(events[1].has_path());
}

TEST_F(Events, AreUniqueByArtifactExecutionAndType) {
  ASSERT_TRUE(IsOk(Add({NewEvent(1, 1, Event::INPUT)})));
  EXPECT_TRUE(Fails(Add({NewEvent(1, 1, Event::INPUT)}), StatusCode::kAlreadyExists,
                    "event INPUT between artifact 1 and execution 1"));
  EXPECT_TRUE(IsOk(Add({NewEvent(1, 1, Event::OUTPUT)})));
  EXPECT_TRUE(IsOk(Add({NewEvent(1, 2, Event::INPUT), NewEvent(2, 1, Event::INPUT)})));
}

TEST_F(Events, RepeatedInOneRequestLeaveNothing) {
  EXPECT_TRUE(Fails(Add({NewEvent(1, 1, Event::INPUT), NewEvent(2, 1, Event::INPUT),
                         NewEvent(1, 1, Event::INPUT)}),
                    StatusCode::kAlreadyExists));
  EXPECT_TRUE(EventsOfExecution(store_, 1).empty());
  EXPECT_TRUE(EventsOfArtifact(store_, 1).empty());
  EXPECT_TRUE(EventsOfArtifact(store_, 2).empty());
  EXPECT_TRUE(IsOk(Add({NewEvent(1, 1, Event::INPUT)}))) << "what failed is not in the way";
}

TEST_F(Events, RepeatedAcrossCallsOfOneRequestAreSeen) {
  const absl::Status status = store_->Write([&](Transaction& transaction) {
    Event event = NewEvent(1, 1, Event::INPUT);
    EXPECT_TRUE(IsOk(AddEvents(transaction, {&event})));
    return AddEvents(transaction, {&event});
  });
  EXPECT_TRUE(Fails(status, StatusCode::kAlreadyExists));
  EXPECT_TRUE(EventsOfExecution(store_, 1).empty());
}

TEST_F(Events, TheFirstEventsErrorCounts) {
  ASSERT_TRUE(IsOk(Add({NewEvent(1, 1, Event::INPUT)})));
  const auto add = [&](std::vector<Event> events) {
    return store_->Write([&](Transaction& transaction) {
      std::vector<Event*> pointers;
      for (Event& event : events) pointers.push_back(&event);
      return transaction.AddEvents(pointers, [](const Event& event) {
        return event.artifact_id() == 2 ? absl::InvalidArgumentError("not 2") : absl::OkStatus();
      });
    });
  };
  const Event taken = NewEvent(1, 1, Event::INPUT);
  const Event refused = NewEvent(2, 1, Event::INPUT);
  EXPECT_TRUE(Fails(add({taken, refused}), StatusCode::kAlreadyExists));
  EXPECT_TRUE(Fails(add({refused, taken}), StatusCode::kInvalidArgument, "not 2"));
  EXPECT_TRUE(Fails(add({NewEvent(3, 1, Event::INPUT), refused}), StatusCode::kInvalidArgument));
  EXPECT_TRUE(EventsOfArtifact(store_, 3).empty());
}

TEST_F(Events, OfNodesOfTheSameRequest) {
  ASSERT_TRUE(IsOk(store_->Write([&](Transaction& transaction) -> absl::Status {
    auto artifact = NewNode<Artifact>(1);
    auto execution = NewNode<Execution>(5);
    if (auto id = transaction.Insert(&artifact, {}); !id.ok()) return id.status();
    if (auto id = transaction.Insert(&execution, {}); !id.ok()) return id.status();
    Event event = NewEvent(artifact.id(), execution.id(), Event::OUTPUT);
    Event to_old = NewEvent(1, execution.id(), Event::INPUT);
    Event from_old = NewEvent(artifact.id(), 1, Event::INPUT);
    return AddEvents(transaction, {&event, &to_old, &from_old});
  })));
  EXPECT_EQ(EventsOfExecution(store_, kNodes + 1).size(), 2u);
  EXPECT_EQ(EventsOfArtifact(store_, kNodes + 1).size(), 2u);
  EXPECT_EQ(EventsOfArtifact(store_, 1).size(), 1u);
}

TEST_F(Events, OfManyRequestsFillManyChunks) {
  // Each request adds to all executions, so that every execution gets a chunk per request.
  std::vector<Event> all;
  for (Event::Type type : {Event::INPUT, Event::OUTPUT, Event::DECLARED_INPUT}) {
    for (int64_t artifact = 1; artifact <= kNodes; ++artifact) {
      std::vector<Event> events;
      for (int64_t execution = kNodes; execution >= 1; --execution) {
        events.push_back(NewEvent(artifact, execution, type));
      }
      ASSERT_TRUE(IsOk(Add(&events)));
      all.insert(all.end(), events.begin(), events.end());
    }
  }
  store_.Reopen();
  for (int64_t id = 1; id <= kNodes; ++id) {
    std::vector<Event> by_execution;
    std::vector<Event> by_artifact;
    for (const Event& event : all) {
      if (event.execution_id() == id) by_execution.push_back(event);
      if (event.artifact_id() == id) by_artifact.push_back(event);
    }
    EXPECT_EQ(Texts(EventsOfExecution(store_, id)), Texts(by_execution));
    EXPECT_EQ(Texts(EventsOfArtifact(store_, id)), Texts(by_artifact));
  }
  store_.Close();
  size_t chunks = 0;
  for (const auto& [key, value] : RawDatabase(store_.database()).All()) {
    ExecutionEventsKey chunk = {};
    if (ExecutionEventsKey::Decode(key, &chunk)) ++chunks;
  }
  EXPECT_EQ(chunks, size_t{3} * kNodes * kNodes) << "one per request and execution";
  store_.Open();
}

TEST_F(Events, ManyOfOneRequestShareAChunkPerExecution) {
  std::vector<Event> events;
  for (int64_t artifact = 1; artifact <= kNodes; ++artifact) {
    for (int64_t execution : {2, 1}) {
      events.push_back(NewEvent(artifact, execution, Event::INPUT));
    }
  }
  ASSERT_TRUE(IsOk(Add(events)));
  EXPECT_EQ(EventsOfExecution(store_, 1).size(), size_t{kNodes});
  store_.Close();
  size_t chunks = 0;
  for (const auto& [key, value] : RawDatabase(store_.database()).All()) {
    ExecutionEventsKey chunk = {};
    if (ExecutionEventsKey::Decode(key, &chunk)) ++chunks;
  }
  EXPECT_EQ(chunks, 2u);
  store_.Open();
}

TEST_F(Events, NoneIsNoError) { EXPECT_TRUE(IsOk(Add(std::vector<Event>()))); }

TEST_F(Events, RandomOnesAreThoseOfAModel) {
  Random random;
  std::vector<Event> model;
  std::set<std::tuple<int64_t, int64_t, int>> taken;
  for (int request = 0; request < 150; ++request) {
    std::vector<Event> events(random.Index(6));
    std::set<std::tuple<int64_t, int64_t, int>> of_request;
    bool repeats = false;
    for (Event& event : events) {
      event = RandomMessage<Event>(random);
      event.set_artifact_id(random.Between(1, kNodes));
      event.set_execution_id(random.Between(1, kNodes));
      event.set_type(static_cast<Event::Type>(random.Between(1, 7)));
      if (event.path().steps().empty()) event.clear_path();
      const std::tuple<int64_t, int64_t, int> key = {event.artifact_id(), event.execution_id(),
                                                     event.type()};
      repeats = repeats || taken.count(key) > 0 || !of_request.insert(key).second;
    }
    const absl::Status status = Add(&events);
    ASSERT_EQ(status.code(), repeats ? StatusCode::kAlreadyExists : StatusCode::kOk) << status;
    if (repeats) continue;
    model.insert(model.end(), events.begin(), events.end());
    taken.insert(of_request.begin(), of_request.end());
  }
  for (int64_t id = 1; id <= kNodes; ++id) {
    std::vector<Event> by_execution;
    std::vector<Event> by_artifact;
    for (const Event& event : model) {
      if (event.execution_id() == id) by_execution.push_back(event);
      if (event.artifact_id() == id) by_artifact.push_back(event);
    }
    EXPECT_EQ(Texts(EventsOfExecution(store_, id)), Texts(by_execution));
    EXPECT_EQ(Texts(EventsOfArtifact(store_, id)), Texts(by_artifact));
  }
}

}  // namespace
}  // namespace pedigree
