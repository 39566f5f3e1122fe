#include "store/id_table.h"

#include <bit>
#include <utility>

namespace pedigree {

size_t IdTable::SlotOf(uint64_t key) const {
  size_t slot = FirstSlotOf(key);
  while (slots_[slot].key != 0 && slots_[slot].key != key) slot = (slot + 1) % slots_.size();
  return slot;
}

const IdTable::Value* IdTable::Find(uint64_t key) const {
  if (slots_.empty()) return nullptr;
  const Slot& slot = slots_[SlotOf(key)];
  return slot.value.size == 0 ? nullptr : &slot.value;
}

void IdTable::Insert(uint64_t key, Value value) {
  if (MustGrow()) Grow();
  Slot& slot = slots_[SlotOf(key)];
  if (slot.key == 0) ++used_;
  slot = {key, value};
}

bool IdTable::Erase(uint64_t key) {
  if (slots_.empty()) return false;
  Slot& slot = slots_[SlotOf(key)];
  return std::exchange(slot.value, Value{}).size != 0;
}

void IdTable::Grow() {
  const size_t size = NextSize();
  const std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(size));
  shift_ = 64 - std::countr_zero(size / kNeighbours);
  used_ = 0;
  for (const Slot& slot : before) {
    if (slot.value.size == 0) continue;
    slots_[SlotOf(slot.key)] = slot;
    ++used_;
  }
}

}  // namespace pedigree
