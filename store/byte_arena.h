// Many byte strings one after the other, which go all at once.
//
// A string is known by its place, which takes half of what an address does. Blocks grow with what
// there is, up to 2 MiB; those of 2 MiB ask the kernel for a huge page, which spares a reader who
// jumps about in them most of the waits for page tables.
// Threads: one that adds; what is added may be read by any.
//
//   ByteArena arena;
//   const ByteArena::Place place = arena.Add(16);
//   std::memcpy(arena.At(place), bytes, 16);
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

namespace pedigree {

class ByteArena {
 public:
  using Place = uint32_t;

  // Room for so many bytes, aligned to 8.
  // REQUIRES: there are less than 16,384 blocks: some 32 GiB.
  Place Add(size_t size);
  // Memory that it holds, and what it would hold after Add(size).
  size_t bytes() const { return bytes_; }
  size_t BytesWith(size_t size) const {
    return HasRoomFor(Rounded(size)) ? bytes_ : bytes_ + NextBlock(Rounded(size));
  }

  char* At(Place place) const {
    return blocks_[place >> kUnitBits].get() + (place & (kUnitsPerBlock - 1)) * kUnit;
  }

 private:
  // A place is the number of a block and of a unit in it.
  static constexpr size_t kUnit = 8;
  static constexpr size_t kMaxBlock = size_t{2} << 20;  // A huge page.
  static constexpr size_t kUnitBits = 18;
  static constexpr size_t kUnitsPerBlock = size_t{1} << kUnitBits;
  static_assert(kUnit * kUnitsPerBlock == kMaxBlock);

  struct Free {
    void operator()(char* block) const { std::free(block); }
  };
  static size_t Rounded(size_t size) { return (size + kUnit - 1) / kUnit * kUnit; }
  bool HasRoomFor(size_t rounded) const {
    return !blocks_.empty() && used_ + rounded <= block_bytes_;
  }
  size_t NextBlock(size_t least) const;
  void AddBlock(size_t least);

  std::vector<std::unique_ptr<char, Free>> blocks_;
  size_t bytes_ = 0;        // Of all blocks.
  size_t block_bytes_ = 0;  // Of the last block; one string may be all of a larger one.
  size_t used_ = 0;         // Of it.
};

}  // namespace pedigree
