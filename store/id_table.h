// A hash table from ids to 8 bytes, made for look-ups that miss the processor's caches.
//
// An id's slot has 16 bytes and is known before the memory answers, so that a reader asks for the
// slots of many ids and waits once; a table in groups (absl::flat_hash_map) shows which of 16 slots
// it is only when the first access has come back. Linear probing; four neighbours in id share a
// cache line. What is erased leaves its slot behind: meant for tables that go as a whole.
// Threads: one, or many that only read.
//
//   table.Insert(key, {place, size});
//   if (const IdTable::Value* value = table.Find(key)) ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pedigree {

class IdTable {
 public:
  struct Value {
    uint32_t place;
    uint32_t size;  // 0 is no value.
  };

  // REQUIRES of all keys: not 0.

  // Asks memory for what Find() looks at.
  void Prefetch(uint64_t key) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[FirstSlotOf(key)]);
  }
  // Null if there is none; good until the next Insert().
  const Value* Find(uint64_t key) const;
  // Replaces the key's value.
  // REQUIRES: value.size > 0.
  void Insert(uint64_t key, Value value);
  // Answers whether there was one.
  bool Erase(uint64_t key);
  // Memory that it holds.
  size_t bytes() const { return sizeof(Slot) * slots_.size(); }
  // Memory that it would hold after an Insert() of another key.
  size_t BytesWithOneMore() const {
    return sizeof(Slot) * (MustGrow() ? NextSize() : slots_.size());
  }

 private:
  struct Slot {
    uint64_t key = 0;  // 0 is a slot that never had one.
    Value value = {};
  };
  static constexpr size_t kNeighbours = 4;
  static constexpr size_t kFirstSlots = 64;

  size_t FirstSlotOf(uint64_t key) const {
    // Fibonacci hashing of the groups of neighbours; the upper bits are the good ones.
    constexpr uint64_t kGolden = 0x9e3779b97f4a7c15;
    return (key / kNeighbours * kGolden >> shift_) * kNeighbours + key % kNeighbours;
  }
  // The slot that has the key or would get it.
  size_t SlotOf(uint64_t key) const;
  bool MustGrow() const { return slots_.empty() || used_ * 3 >= slots_.size() * 2; }
  size_t NextSize() const { return slots_.empty() ? kFirstSlots : 2 * slots_.size(); }
  void Grow();

  std::vector<Slot> slots_;  // A power of two of them.
  size_t used_ = 0;          // Slots with a key, those of what was erased included.
  int shift_ = 0;            // Of a hash to a group of neighbours.
};

}  // namespace pedigree
