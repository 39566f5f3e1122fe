#include "store/event_graph.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace pedigree {
namespace {

constexpr size_t kHugePageBytes = size_t{2} << 20;

void* Map(size_t bytes) {
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  return pages;
}

}  // namespace

void* AllocatePages(size_t bytes, bool wants_huge_page) {
  if (!wants_huge_page || bytes % kHugePageBytes != 0) return Map(bytes);
  // A huge page begins at a multiple of its size: map more, and give back what is too much.
  char* mapped = static_cast<char*>(Map(bytes + kHugePageBytes));
  const size_t before =
      (kHugePageBytes - reinterpret_cast<uintptr_t>(mapped) % kHugePageBytes) % kHugePageBytes;
  if (before > 0) munmap(mapped, before);
  munmap(mapped + before + bytes, kHugePageBytes - before);
  // Where the system has none to give, it works as well without.
  (void)madvise(mapped + before, bytes, MADV_HUGEPAGE);
  return mapped + before;
}

void FreePages(void* pages, size_t bytes) { munmap(pages, bytes); }

EventGraph::~EventGraph() {
  const size_t blocks = whole_time_blocks_.load(std::memory_order_relaxed);
  for (uint32_t i = 0, left = static_cast<uint32_t>(blocks); left > 0; ++i) {
    const TimeBlock* block = times_.Find(i);
    if (block == nullptr) continue;
    int64_t* whole = block->whole.load(std::memory_order_relaxed);
    if (whole == nullptr) continue;
    delete[] whole;
    --left;
  }
}

bool EventGraph::HasRoomFor(uint32_t last, size_t events) const {
  // The worst case of an event: new chunks of the largest size in both of its lists.
  constexpr size_t kMostWords = 2 * (size_t{kWordsPerUnit} << (kSizeClasses - 1));
  constexpr size_t kPoolWords = size_t{1} << 31;  // What a reference can name.
  return last + events <= static_cast<size_t>(kLastGraphId) &&
         pool_end_ + events * kMostWords <= kPoolWords;
}

void EventGraph::SetEvent(uint32_t number, const EventEnds& ends, int64_t time_ms) {
  Line& line = lines_.Grow(number / kPerLine);
  const uint32_t i = number % kPerLine;
  line.artifact[i] = ends.artifact;
  line.execution[i] = ends.execution;
  line.type[i] = ends.type;
  SetTime(number, time_ms);
}

void EventGraph::Connect(uint32_t number) {
  const EventEnds event = ends(number);
  ArtifactSlot& artifact = artifacts_.Grow(event.artifact);
  AddToList(event.is_output() ? artifact.producers : artifact.consumers, number);
  const bool goes_on = number > 1 && ends(number - 1).execution == event.execution;
  if (!goes_on) AddToList(executions_.Grow(event.execution).runs, number);
}

void EventGraph::AddToList(List& list, uint32_t number) {
  // Readers that could see this number learn of it later, from a version, so relaxed stores do. A
  // new chunk is another matter: they may come across it at once.
  if (list.first.load(std::memory_order_relaxed) == 0) {
    list.first.store(number, std::memory_order_relaxed);
    return;
  }
  const uint32_t newest = list.newest_chunk.load(std::memory_order_relaxed);
  uint32_t size_class = 0;
  if (newest != 0) {
    Word* words = &pool_.Grow(PositionOf(newest));
    Word* end = words + (kWordsPerUnit << SizeClassOf(newest));
    Word* free = std::partition_point(
        words + 1, end, [](const Word& word) { return word.load(std::memory_order_relaxed) != 0; });
    if (free != end) {
      free->store(number, std::memory_order_relaxed);
      return;
    }
    size_class = std::min(SizeClassOf(newest) + 1, kSizeClasses - 1);
  }
  const uint32_t chunk = NewChunk(size_class, newest);
  (&pool_.Grow(PositionOf(chunk)))[1].store(number, std::memory_order_relaxed);
  list.newest_chunk.store(chunk, std::memory_order_release);
}

uint32_t EventGraph::NewChunk(uint32_t size_class, uint32_t before) {
  const uint32_t size = kWordsPerUnit << size_class;
  constexpr uint32_t kPerPage = decltype(pool_)::kPerPage;
  // A chunk lies in one page.
  if (pool_end_ / kPerPage != (pool_end_ + size - 1) / kPerPage) {
    pool_end_ = (pool_end_ / kPerPage + 1) * kPerPage;
  }
  const uint32_t position = pool_end_;
  pool_end_ += size;
  pool_.Grow(position).store(before, std::memory_order_relaxed);
  return 1 + (position / kWordsPerUnit << 3 | size_class);
}

void EventGraph::SetTime(uint32_t number, int64_t time_ms) {
  TimeBlock& block = times_.Grow(number / kTimesPerBlock);
  const uint32_t i = number % kTimesPerBlock;
  if (!block.has_base) {
    block.has_base = true;
    block.base = time_ms;
  }
  int64_t* whole = block.whole.load(std::memory_order_relaxed);
  int64_t offset = 0;
  if (whole == nullptr && !__builtin_sub_overflow(time_ms, block.base, &offset) &&
      offset == static_cast<int32_t>(offset)) {
    block.offset[i] = static_cast<int32_t>(offset);
    return;
  }
  if (whole != nullptr) {
    whole[i] = time_ms;
    return;
  }
  whole = new int64_t[kTimesPerBlock];
  for (uint32_t other = 0; other < kTimesPerBlock; ++other) {
    whole[other] = block.base + block.offset[other];
  }
  whole[i] = time_ms;
  block.whole.store(whole, std::memory_order_release);
  whole_time_blocks_.fetch_add(1, std::memory_order_relaxed);
}

int64_t EventGraph::time_ms(uint32_t number) const {
  const TimeBlock& block = times_[number / kTimesPerBlock];
  const uint32_t i = number % kTimesPerBlock;
  const int64_t* whole = block.whole.load(std::memory_order_acquire);
  return whole != nullptr ? whole[i] : block.base + block.offset[i];
}

const EventGraph::List EventGraph::kNoEvents = {};

EventGraph::Cursor EventGraph::Producers(uint32_t artifact, uint32_t last_event) const {
  const ArtifactSlot* slot = artifacts_.Find(artifact);
  return {this, slot == nullptr ? kNoEvents : slot->producers, last_event, 0};
}

EventGraph::Cursor EventGraph::Consumers(uint32_t artifact, uint32_t last_event) const {
  const ArtifactSlot* slot = artifacts_.Find(artifact);
  return {this, slot == nullptr ? kNoEvents : slot->consumers, last_event, 0};
}

EventGraph::Cursor EventGraph::EventsOf(uint32_t execution, uint32_t last_event) const {
  const ExecutionSlot* slot = executions_.Find(execution);
  return {this, slot == nullptr ? kNoEvents : slot->runs, last_event, execution};
}

size_t EventGraph::bytes() const {
  return lines_.bytes() + artifacts_.bytes() + executions_.bytes() + pool_.bytes() +
         times_.bytes() +
         whole_time_blocks_.load(std::memory_order_relaxed) * kTimesPerBlock * sizeof(int64_t);
}

}  // namespace pedigree
