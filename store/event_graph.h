// All events in memory, as a graph between artifacts and executions that can be walked both ways.
//
// An event is known by its number, which the store hands out in insertion order from 1 without
// gaps. Three tables make the graph:
//
//   lines       events by number, 7 in a cache line: artifact, execution, type       9.1 bytes each
//   artifacts   the first event that wrote it and the first that read it, and where the others are
//   executions  its first run, and where the others are: events of one execution that have
//               consecutive numbers are one run, and what a request adds to one execution nearly
//               always is. So an execution's events are the line that the walk has just read.
//
// "Where the others are" is a chain of chunks from a pool, the newest and largest first, so that
// adding to a data set of a million readers costs what adding to one of two does.
//
// Versions: numbers, ids and the chains only grow. A reader takes the last number and ids of its
// Version (reader.h) and skips what is beyond: it sees one state while the committer appends, and
// neither ever waits. Beside the graph a walk touches no other memory.
// Threads: one appends (the committer); any number reads, up to numbers that it learnt of from a
// Version.
//
//   graph.Append(1, {.artifact = 7, .execution = 3, .type = Event::OUTPUT}, time_ms);
//   graph.VisitProducers(7, last_event, [&](uint32_t event) { graph.ends(event).execution ... });
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "store/paged_array.h"

namespace pedigree {

// Where ids of artifacts and executions that have events, and the numbers of events, end: 4 bytes.
inline constexpr int64_t kLastGraphId = std::numeric_limits<uint32_t>::max() - 1;

// An event without time and path.
struct EventEnds {
  uint32_t artifact;
  uint32_t execution;
  uint8_t type;  // Event.Type, one of those up to kLastType.

  static constexpr uint8_t kLastType = 7;  // PENDING_OUTPUT
  // From the execution to the artifact; else the other way.
  bool is_output() const { return IsOutput(type); }
  static constexpr bool IsOutput(uint8_t type) {
    // DECLARED_OUTPUT, OUTPUT, INTERNAL_OUTPUT and PENDING_OUTPUT.
    constexpr unsigned kOutputs = 1u << 1 | 1u << 4 | 1u << 6 | 1u << 7;
    return (kOutputs >> type & 1u) != 0;
  }
};

class EventGraph {
 public:
  EventGraph() = default;
  ~EventGraph();
  EventGraph(const EventGraph&) = delete;
  EventGraph& operator=(const EventGraph&) = delete;

  // Whether so many events can follow the event `last`. Beyond some billions they cannot.
  bool HasRoomFor(uint32_t last, size_t events) const;

  // Adds the next event.
  // REQUIRES: `number` is one more than the one before; ids and number up to kLastGraphId.
  void Append(uint32_t number, const EventEnds& ends, int64_t time_ms) {
    SetEvent(number, ends, time_ms);
    Connect(number);
  }

  // The two halves of Append(), for loading: first each event in any order, then the connections in
  // the order of numbers.
  void SetEvent(uint32_t number, const EventEnds& ends, int64_t time_ms);
  void Connect(uint32_t number);
  // Whether SetEvent() has been called with this number.
  bool IsSet(uint32_t number) const {
    const Line* line = lines_.Find(number / kPerLine);
    return line != nullptr && line->execution[number % kPerLine] != 0;
  }

  // REQUIRES of all below: numbers up to the last one of the reader's version.
  EventEnds ends(uint32_t number) const {
    const Line& line = lines_[number / kPerLine];
    const uint32_t i = number % kPerLine;
    return {line.artifact[i], line.execution[i], line.type[i]};
  }
  // milliseconds_since_epoch of the event.
  int64_t time_ms(uint32_t number) const;

  // Calls visit(number) for the events up to `last_event` that wrote the artifact, or read it, in
  // no particular order.
  template <class Visit>
  void VisitProducers(uint32_t artifact, uint32_t last_event, Visit visit) const {
    const ArtifactSlot* slot = artifacts_.Find(artifact);
    if (slot != nullptr) VisitList(slot->producers, last_event, visit);
  }
  template <class Visit>
  void VisitConsumers(uint32_t artifact, uint32_t last_event, Visit visit) const {
    const ArtifactSlot* slot = artifacts_.Find(artifact);
    if (slot != nullptr) VisitList(slot->consumers, last_event, visit);
  }
  // Calls visit(number, ends) for the events up to `last_event` of the execution, inputs and
  // outputs, in no particular order.
  template <class Visit>
  void VisitEventsOf(uint32_t execution, uint32_t last_event, Visit visit) const {
    const ExecutionSlot* slot = executions_.Find(execution);
    if (slot == nullptr) return;
    VisitList(slot->runs, last_event, [&](uint32_t first) {
      for (uint32_t number = first; number <= last_event; ++number) {
        const EventEnds event = ends(number);
        if (event.execution != execution) break;
        visit(number, event);
      }
    });
  }

  // The same, one at a time: for code that wants iterators. Next() answers a number, 0 at the end.
  class Cursor;
  Cursor Producers(uint32_t artifact, uint32_t last_event) const;
  Cursor Consumers(uint32_t artifact, uint32_t last_event) const;
  Cursor EventsOf(uint32_t execution, uint32_t last_event) const;

  // Has the processor fetch what a visit will read first, for walks that know where they go next.
  void PrefetchArtifact(uint32_t artifact) const { Prefetch(artifacts_.Find(artifact)); }
  void PrefetchExecution(uint32_t execution) const { Prefetch(executions_.Find(execution)); }
  // The line of the first event of those that a visit will come to.
  // REQUIRES: the artifact's or execution's own memory is near (see above), else this waits for it.
  void PrefetchFirstProducer(uint32_t artifact, uint32_t last_event) const {
    const ArtifactSlot* slot = artifacts_.Find(artifact);
    if (slot != nullptr) PrefetchEvent(slot->producers, last_event);
  }
  void PrefetchFirstConsumer(uint32_t artifact, uint32_t last_event) const {
    const ArtifactSlot* slot = artifacts_.Find(artifact);
    if (slot != nullptr) PrefetchEvent(slot->consumers, last_event);
  }
  void PrefetchFirstEventOf(uint32_t execution, uint32_t last_event) const {
    const ExecutionSlot* slot = executions_.Find(execution);
    if (slot != nullptr) PrefetchEvent(slot->runs, last_event);
  }

  // Memory that it holds.
  size_t bytes() const;

 private:
  static constexpr uint32_t kPerLine = 7;
  struct alignas(64) Line {
    uint32_t artifact[kPerLine];
    uint32_t execution[kPerLine];
    uint8_t type[kPerLine];
  };

  // Numbers: the first one, 0 if there is none, and a reference to the newest chunk of the others.
  struct List {
    std::atomic<uint32_t> first;
    std::atomic<uint32_t> newest_chunk;
  };
  struct ArtifactSlot {
    List producers;
    List consumers;
  };
  struct ExecutionSlot {
    List runs;  // First events of runs.
  };

  // A chunk is 4 << size_class words: a reference to the chunk before it, then numbers, ascending,
  // 0 where there is none yet. A reference is 1 + (position in the pool / 4) << 3 | size_class.
  using Word = std::atomic<uint32_t>;
  static constexpr uint32_t kSizeClasses = 8;
  static constexpr uint32_t kWordsPerUnit = 4;
  static constexpr uint32_t SizeClassOf(uint32_t reference) { return (reference - 1) & 7; }
  static constexpr uint32_t PositionOf(uint32_t reference) {
    return ((reference - 1) >> 3) * kWordsPerUnit;
  }

  // Times by number, as differences of 4 bytes to the first time in a block; a block in which one
  // is more than 24 days off gets a table of whole ones beside it.
  static constexpr uint32_t kTimesPerBlock = 1024;
  struct TimeBlock {
    int64_t base;
    std::atomic<int64_t*> whole;
    bool has_base;
    int32_t offset[kTimesPerBlock];
  };

  template <class Visit>
  void VisitList(const List& list, uint32_t last_event, Visit visit) const {
    const uint32_t first = list.first.load(std::memory_order_relaxed);
    if (first == 0 || first > last_event) return;  // The others are later ones.
    visit(first);
    uint32_t reference = list.newest_chunk.load(std::memory_order_acquire);
    while (reference != 0) {
      const Word* words = &pool_[PositionOf(reference)];
      const uint32_t size = kWordsPerUnit << SizeClassOf(reference);
      for (uint32_t i = 1; i < size; ++i) {
        const uint32_t number = words[i].load(std::memory_order_relaxed);
        if (number == 0 || number > last_event) break;
        visit(number);
      }
      reference = words[0].load(std::memory_order_relaxed);
    }
  }
  void AddToList(List& list, uint32_t number);
  uint32_t NewChunk(uint32_t size_class, uint32_t before);
  void SetTime(uint32_t number, int64_t time_ms);

  static void Prefetch(const void* address) { __builtin_prefetch(address); }
  void PrefetchEvent(const List& list, uint32_t last_event) const {
    const uint32_t first = list.first.load(std::memory_order_relaxed);
    if (first != 0 && first <= last_event) Prefetch(&lines_[first / kPerLine]);
  }

  static const List kNoEvents;

  PagedArray<Line> lines_;
  PagedArray<ArtifactSlot> artifacts_;
  PagedArray<ExecutionSlot> executions_;
  PagedArray<Word> pool_;
  PagedArray<TimeBlock> times_;  // By number / kTimesPerBlock.
  uint32_t pool_end_ = 0;        // Of the appending thread.
  std::atomic<size_t> whole_time_blocks_ = 0;
};

// Borrows the graph; a value type.
class EventGraph::Cursor {
 public:
  Cursor() = default;

  uint32_t Next() {
    if (run_ != 0 && run_ < last_event_ && graph_->ends(run_ + 1).execution == execution_) {
      return ++run_;
    }
    const uint32_t number = NextOfList();
    if (execution_ != 0) run_ = number;
    return number;
  }

 private:
  friend class EventGraph;

  // `execution`: whose runs the list holds; 0 if it holds events.
  Cursor(const EventGraph* graph, const List& list, uint32_t last_event, uint32_t execution)
      : graph_(graph), list_(&list), last_event_(last_event), execution_(execution) {}

  uint32_t NextOfList() {
    if (list_ != nullptr) return Begin();
    while (true) {
      if (next_ < size_) {
        const uint32_t number = words_[next_++].load(std::memory_order_relaxed);
        if (number != 0 && number <= last_event_) return number;
      }
      if (words_ == nullptr) return 0;
      EnterChunk(words_[0].load(std::memory_order_relaxed));
    }
  }
  uint32_t Begin() {
    const uint32_t first = list_->first.load(std::memory_order_relaxed);
    const bool is_any = first != 0 && first <= last_event_;
    EnterChunk(is_any ? list_->newest_chunk.load(std::memory_order_acquire) : 0);
    list_ = nullptr;
    return is_any ? first : 0;
  }
  void EnterChunk(uint32_t reference) {
    words_ = reference == 0 ? nullptr : &graph_->pool_[PositionOf(reference)];
    size_ = reference == 0 ? 0 : kWordsPerUnit << SizeClassOf(reference);
    next_ = 1;
  }

  const EventGraph* graph_ = nullptr;
  const List* list_ = nullptr;   // Null once begun.
  const Word* words_ = nullptr;  // Of the chunk at hand.
  uint32_t size_ = 0;
  uint32_t next_ = 0;
  uint32_t last_event_ = 0;
  uint32_t execution_ = 0;
  uint32_t run_ = 0;  // The last event of the run at hand that was answered.
};

}  // namespace pedigree
