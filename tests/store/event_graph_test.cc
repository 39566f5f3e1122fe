// The graph of events on its own, compared with a plain list of them.
#include "store/event_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "ml_metadata/proto/metadata_store.pb.h"
#include "tests/store/random.h"

namespace pedigree {
namespace {

using ml_metadata::Event;
using Numbers = std::vector<uint32_t>;

constexpr uint32_t kAll = std::numeric_limits<uint32_t>::max() - 1;
constexpr int64_t kMinTime = std::numeric_limits<int64_t>::min();
constexpr int64_t kMaxTime = std::numeric_limits<int64_t>::max();
constexpr int64_t kDayMs = 86'400'000;

EventEnds Output(uint32_t artifact, uint32_t execution) {
  return {artifact, execution, Event::OUTPUT};
}
EventEnds Input(uint32_t artifact, uint32_t execution) {
  return {artifact, execution, Event::INPUT};
}

Numbers Sorted(Numbers numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// Everything that a cursor answers; it must stay at its end.
Numbers Drain(EventGraph::Cursor cursor) {
  Numbers numbers;
  while (const uint32_t number = cursor.Next()) numbers.push_back(number);
  EXPECT_EQ(cursor.Next(), 0u);
  return numbers;
}

// By visitor; the cursor must answer the same.
Numbers Producers(const EventGraph& graph, uint32_t artifact, uint32_t last) {
  Numbers numbers;
  graph.VisitProducers(artifact, last, [&](uint32_t number) { numbers.push_back(number); });
  EXPECT_EQ(Drain(graph.Producers(artifact, last)), numbers) << "artifact " << artifact;
  return Sorted(numbers);
}
Numbers Consumers(const EventGraph& graph, uint32_t artifact, uint32_t last) {
  Numbers numbers;
  graph.VisitConsumers(artifact, last, [&](uint32_t number) { numbers.push_back(number); });
  EXPECT_EQ(Drain(graph.Consumers(artifact, last)), numbers) << "artifact " << artifact;
  return Sorted(numbers);
}
Numbers EventsOf(const EventGraph& graph, uint32_t execution, uint32_t last) {
  Numbers numbers;
  graph.VisitEventsOf(execution, last, [&](uint32_t number, const EventEnds& ends) {
    EXPECT_EQ(ends.execution, execution);
    EXPECT_EQ(ends.artifact, graph.ends(number).artifact);
    EXPECT_EQ(ends.type, graph.ends(number).type);
    numbers.push_back(number);
  });
  EXPECT_EQ(Drain(graph.EventsOf(execution, last)), numbers) << "execution " << execution;
  return Sorted(numbers);
}

// 1, 2 ... last.
Numbers UpTo(uint32_t last) {
  Numbers numbers(last);
  std::iota(numbers.begin(), numbers.end(), 1);
  return numbers;
}

// What was appended, event `number` at [number - 1].
struct Appended {
  EventEnds ends;
  int64_t time_ms;
};
using History = std::vector<Appended>;

Numbers Where(const History& history, uint32_t last, const auto& matches) {
  Numbers numbers;
  for (uint32_t number = 1; number <= std::min<size_t>(last, history.size()); ++number) {
    if (matches(history[number - 1].ends)) numbers.push_back(number);
  }
  return numbers;
}

// Expects of one node of each kind what a look through the whole list says.
void ExpectNodes(const EventGraph& graph, const History& history, uint32_t id, uint32_t last) {
  EXPECT_EQ(Producers(graph, id, last), Where(history, last, [&](const EventEnds& ends) {
              return ends.artifact == id && ends.is_output();
            }));
  EXPECT_EQ(Consumers(graph, id, last), Where(history, last, [&](const EventEnds& ends) {
              return ends.artifact == id && !ends.is_output();
            }));
  EXPECT_EQ(EventsOf(graph, id, last),
            Where(history, last, [&](const EventEnds& ends) { return ends.execution == id; }));
}

void ExpectEvents(const EventGraph& graph, const History& history) {
  for (uint32_t number = 1; number <= history.size(); ++number) {
    const Appended& event = history[number - 1];
    ASSERT_EQ(graph.ends(number).artifact, event.ends.artifact) << "event " << number;
    ASSERT_EQ(graph.ends(number).execution, event.ends.execution) << "event " << number;
    ASSERT_EQ(graph.ends(number).type, event.ends.type) << "event " << number;
    ASSERT_EQ(graph.time_ms(number), event.time_ms) << "event " << number;
  }
}

void AppendAll(const History& history, EventGraph* graph) {
  uint32_t number = 0;
  for (const Appended& event : history) graph->Append(++number, event.ends, event.time_ms);
}

TEST(EventEnds, EveryTypePointsOneWay) {
  const std::set<int> outputs = {Event::DECLARED_OUTPUT, Event::OUTPUT, Event::INTERNAL_OUTPUT,
                                 Event::PENDING_OUTPUT};
  for (int type = 0; type <= Event::Type_MAX; ++type) {
    EXPECT_EQ(EventEnds::IsOutput(static_cast<uint8_t>(type)), outputs.count(type) > 0)
        << Event::Type_Name(type);
  }
}

TEST(EventGraph, IsEmptyAtFirst) {
  const EventGraph graph;
  for (const uint32_t id : {1u, 7u, 1'000'000u, static_cast<uint32_t>(kLastGraphId)}) {
    ExpectNodes(graph, {}, id, kAll);
    EXPECT_FALSE(graph.IsSet(id));
  }
}

// An artifact of many events, in one direction: its list goes through all sizes of chunks.
template <typename List>
void ExpectListGrows(EventEnds (*make)(uint32_t, uint32_t), const List& list) {
  constexpr uint32_t kEvents = 5000;
  EventGraph graph;
  for (uint32_t number = 1; number <= kEvents; ++number) {
    graph.Append(number, make(7, number), 0);
    ASSERT_EQ(list(graph, number), UpTo(number));
  }
  for (uint32_t last = 0; last <= kEvents; ++last) {
    ASSERT_EQ(list(graph, last), UpTo(last)) << "as a reader of an old version sees it";
  }
}

TEST(EventGraph, ListsAllProducersHoweverMany) {
  ExpectListGrows(&Output, [](const EventGraph& graph, uint32_t last) {
    EXPECT_TRUE(last % 100 != 0 || Consumers(graph, 7, last).empty());
    return Producers(graph, 7, last);
  });
}

TEST(EventGraph, ListsAllConsumersHoweverMany) {
  ExpectListGrows(&Input, [](const EventGraph& graph, uint32_t last) {
    EXPECT_TRUE(last % 100 != 0 || Producers(graph, 7, last).empty());
    return Consumers(graph, 7, last);
  });
}

TEST(EventGraph, ListsOneRunHoweverLong) {
  ExpectListGrows([](uint32_t, uint32_t number) { return Output(number, 7); },
                  [](const EventGraph& graph, uint32_t last) { return EventsOf(graph, 7, last); });
}

TEST(EventGraph, ListsManyRunsOfOneExecution) {
  // Executions 1 and 2 in turn: each event is a run of its own.
  constexpr uint32_t kEvents = 5000;
  EventGraph graph;
  Numbers of[2];
  for (uint32_t number = 1; number <= kEvents; ++number) {
    graph.Append(number, Input(1, 1 + number % 2), 0);
    of[number % 2].push_back(number);
  }
  for (uint32_t last = 0; last <= kEvents; last += last < 100 ? 1 : 97) {
    for (uint32_t i = 0; i < 2; ++i) {
      const Numbers expected(of[i].begin(), std::upper_bound(of[i].begin(), of[i].end(), last));
      ASSERT_EQ(EventsOf(graph, 1 + i, last), expected) << "up to " << last;
    }
  }
}

TEST(EventGraph, CutsARunWhereTheVersionEnds) {
  EventGraph graph;
  uint32_t number = 0;
  for (const uint32_t execution : {1u, 1u, 1u, 2u, 1u, 1u, 2u, 2u, 2u}) {
    ++number;
    graph.Append(number, Input(number, execution), 0);
  }
  EXPECT_EQ(EventsOf(graph, 1, 0), Numbers());
  EXPECT_EQ(EventsOf(graph, 1, 2), (Numbers{1, 2}));
  EXPECT_EQ(EventsOf(graph, 1, 4), (Numbers{1, 2, 3}));
  EXPECT_EQ(EventsOf(graph, 1, 5), (Numbers{1, 2, 3, 5}));
  EXPECT_EQ(EventsOf(graph, 1, 9), (Numbers{1, 2, 3, 5, 6}));
  EXPECT_EQ(EventsOf(graph, 2, 3), Numbers());
  EXPECT_EQ(EventsOf(graph, 2, 8), (Numbers{4, 7, 8}));
}

TEST(EventGraph, TellsOneIdFromTheSameIdOfTheOtherKind) {
  EventGraph graph;
  graph.Append(1, Output(5, 6), 0);
  EXPECT_EQ(Producers(graph, 5, 1), Numbers{1});
  EXPECT_EQ(Producers(graph, 6, 1), Numbers());
  EXPECT_EQ(EventsOf(graph, 6, 1), Numbers{1});
  EXPECT_EQ(EventsOf(graph, 5, 1), Numbers());
}

History RandomHistory(Random& random, size_t events, uint32_t nodes) {
  History history;
  uint32_t execution = 1;
  for (size_t i = 0; i < events; ++i) {
    // Mostly runs; ids that are used often and ids that are used once.
    if (random.OneIn(3)) execution = 1 + static_cast<uint32_t>(random.Index(nodes));
    const auto artifact =
        static_cast<uint32_t>(random.OneIn(2) ? 1 + random.Index(3) : 1 + random.Index(nodes));
    const auto type = static_cast<uint8_t>(random.Between(0, Event::Type_MAX));
    history.push_back({{artifact, execution, type}, random.Between(-5, 5)});
  }
  return history;
}

TEST(EventGraph, EqualsAListOfEventsAtEveryNumber) {
  Random random;
  for (int round = 0; round < 200; ++round) {
    const auto nodes = static_cast<uint32_t>(random.Between(1, 12));
    const History history = RandomHistory(random, random.Index(120), nodes);
    EventGraph graph;
    AppendAll(history, &graph);
    ExpectEvents(graph, history);
    for (uint32_t last = 0; last <= history.size() + 1; ++last) {
      if (last > 20 && !random.OneIn(10) && last < history.size()) continue;
      for (uint32_t id = 1; id <= nodes + 1; ++id) ExpectNodes(graph, history, id, last);
    }
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
}

TEST(EventGraph, LoadsInAnyOrder) {
  Random random;
  for (int round = 0; round < 50; ++round) {
    const History history = RandomHistory(random, 1 + random.Index(3000), 40);
    Numbers order = UpTo(static_cast<uint32_t>(history.size()));
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.Index(i)]);
    EventGraph graph;
    for (const uint32_t number : order) {
      EXPECT_FALSE(graph.IsSet(number));
      graph.SetEvent(number, history[number - 1].ends, history[number - 1].time_ms);
      EXPECT_TRUE(graph.IsSet(number));
    }
    for (uint32_t number = 1; number <= history.size(); ++number) graph.Connect(number);
    ExpectEvents(graph, history);
    for (uint32_t id = 1; id <= 41; ++id) ExpectNodes(graph, history, id, kAll);
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
}

TEST(EventGraph, GrowsOverPagesOfEveryTable) {
  // More than a page of lines (230,000 events), of times (260,000), of the pool, and of ids.
  constexpr uint32_t kEvents = 1'200'000;
  constexpr uint32_t kIds = 3'000'000;
  Random random;
  EventGraph graph;
  History history;
  std::map<uint32_t, Numbers> producers, consumers, events;
  for (uint32_t number = 1; number <= kEvents; ++number) {
    const auto artifact = static_cast<uint32_t>(1 + random.Index(kIds));
    const auto execution = random.OneIn(2) || history.empty()
                               ? static_cast<uint32_t>(1 + random.Index(kIds))
                               : history.back().ends.execution;
    const EventEnds ends =
        random.OneIn(2) ? Output(artifact % 1000 + 1, execution) : Input(artifact, execution);
    history.push_back({ends, number});
    graph.Append(number, ends, number);
    (ends.is_output() ? producers : consumers)[ends.artifact].push_back(number);
    events[ends.execution].push_back(number);
  }
  ExpectEvents(graph, history);
  for (const auto& [id, numbers] : producers) ASSERT_EQ(Producers(graph, id, kEvents), numbers);
  for (const auto& [id, numbers] : consumers) ASSERT_EQ(Consumers(graph, id, kEvents), numbers);
  for (const auto& [id, numbers] : events) ASSERT_EQ(EventsOf(graph, id, kEvents), numbers);
  EXPECT_GT(graph.bytes(), size_t{kEvents} * 13) << "an event takes 9.1 bytes and 4 of its time";
}

TEST(EventGraph, TakesSparseIdsUpToTheLast) {
  EventGraph graph;
  History history;
  constexpr auto kLast = static_cast<uint32_t>(kLastGraphId);
  const Numbers ids = {1, 131'071, 131'072, 131'073, 1u << 20, 1u << 31, kLast - 1, kLast};
  for (const uint32_t artifact : ids) {
    for (const uint32_t execution : ids) {
      history.push_back({Output(artifact, execution), 1});
      history.push_back({Input(artifact, execution), 2});
    }
  }
  AppendAll(history, &graph);
  for (const uint32_t id : ids) {
    ExpectNodes(graph, history, id, kAll);
    if (id < kLast - 1) ExpectNodes(graph, history, id + 1, kAll);
  }
  EXPECT_LT(graph.bytes(), size_t{64} << 20) << "pages that nobody needs";
}

History AtTimes(const std::vector<int64_t>& times) {
  History history;
  for (const int64_t time : times) history.push_back({Output(1, 1), time});
  return history;
}

TEST(EventGraph, KeepsTimesHoweverFarApart) {
  const std::vector<std::vector<int64_t>> cases = {
      {1'700'000'000'000, 1'700'000'000'001, 1'699'999'999'999},
      {1'700'000'000'000, 1'700'000'000'000 + 24 * kDayMs, 1'700'000'000'000 + 25 * kDayMs, 3},
      {0, -1, kMinTime, kMaxTime, 0},
      {kMinTime, kMaxTime, kMinTime + 1, kMaxTime - 1, 0},
      {kMaxTime, kMinTime},
      {kMinTime, -1, 0, 1},
      {int64_t{1} << 31, 0, (int64_t{1} << 32) - 1, int64_t{1} << 32},
      {5, 5 + int64_t{INT32_MAX}, 6 + int64_t{INT32_MAX}},
      {5, 5 + int64_t{INT32_MIN}, 4 + int64_t{INT32_MIN}}};
  for (const auto& times : cases) {
    const History history = AtTimes(times);
    EventGraph graph;
    AppendAll(history, &graph);
    ExpectEvents(graph, history);
  }
}

TEST(EventGraph, KeepsTimesOfManyBlocks) {
  Random random;
  for (int round = 0; round < 20; ++round) {
    std::vector<int64_t> times(5000);
    // Blocks whose times are near each other, and blocks with an outlier somewhere.
    for (int64_t& time : times) {
      time = random.OneIn(2000) ? static_cast<int64_t>(random.Skewed()) : random.Between(-9, 9);
    }
    const History history = AtTimes(times);
    EventGraph appended;
    AppendAll(history, &appended);
    ExpectEvents(appended, history);
    EventGraph loaded;
    for (auto number = static_cast<uint32_t>(history.size()); number >= 1; --number) {
      loaded.SetEvent(number, history[number - 1].ends, history[number - 1].time_ms);
    }
    ExpectEvents(loaded, history);
  }
}

TEST(EventGraph, SaysWhenItIsFull) {
  const EventGraph graph;
  constexpr auto kLast = static_cast<uint32_t>(kLastGraphId);
  EXPECT_TRUE(graph.HasRoomFor(0, 0));
  EXPECT_TRUE(graph.HasRoomFor(0, 1'000'000));
  EXPECT_TRUE(graph.HasRoomFor(kLast - 10, 10));
  EXPECT_FALSE(graph.HasRoomFor(kLast - 10, 11));
  EXPECT_TRUE(graph.HasRoomFor(kLast, 0));
  EXPECT_FALSE(graph.HasRoomFor(kLast, 1));
  EXPECT_FALSE(graph.HasRoomFor(0, size_t{1} << 33));
}

TEST(EventGraph, AGapIsNobodysEvent) {
  // As a damaged store is loaded: the gap has ends of 0.
  EventGraph graph;
  graph.SetEvent(1, Output(1, 1), 5);
  graph.SetEvent(3, Output(2, 1), 6);
  EXPECT_FALSE(graph.IsSet(2));
  graph.Connect(1);
  graph.SetEvent(2, {}, 0);
  graph.Connect(3);
  graph.Append(4, Output(3, 1), 7);
  EXPECT_EQ(EventsOf(graph, 1, 4), (Numbers{1, 3, 4}));
  EXPECT_FALSE(graph.IsSet(2));
}

// Readers follow the numbers that the appending thread publishes.
TEST(EventGraph, ReadersSeeWhatWasPublishedWhileItGrows) {
  constexpr uint32_t kEvents = 30'000;
  constexpr uint32_t kEventsPerLook = 128;
  EventGraph graph;
  std::atomic<uint32_t> published = 0;
  std::atomic<int> looks = 0;
  const auto ends_of = [](uint32_t number) {
    return number % 3 == 0 ? Input(1, number / 7 + 1) : Output(1 + number % 2, number / 7 + 1);
  };
  const auto read = [&] {
    Random random(7);
    for (uint32_t last = 0; last < kEvents;) {
      last = published.load(std::memory_order_acquire);
      uint64_t seen = 0;
      graph.VisitProducers(1, last, [&](uint32_t number) {
        EXPECT_TRUE(number <= last && ends_of(number).is_output());
        seen += graph.time_ms(number) == int64_t{number} << 20 ? 1 : 0;
      });
      graph.VisitProducers(2, last, [&](uint32_t) { ++seen; });
      graph.VisitConsumers(1, last, [&](uint32_t) { ++seen; });
      EXPECT_EQ(seen, last);
      const auto execution = static_cast<uint32_t>(random.Index(last / 7 + 1)) + 1;
      for (const uint32_t number : EventsOf(graph, execution, last)) {
        EXPECT_EQ(number / 7 + 1, execution);
      }
      ++looks;
    }
  };
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) readers.emplace_back(read);
  for (uint32_t number = 1; number <= kEvents; ++number) {
    graph.Append(number, ends_of(number), int64_t{number} << 20);
    published.store(number, std::memory_order_release);
    // Else it is done before they have begun.
    const int before = looks;
    while (number % kEventsPerLook == 0 && looks == before) std::this_thread::yield();
  }
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace pedigree
