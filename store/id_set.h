// A set of ids within one block of 256 consecutive ids: the value of every posting list.
//
// A posting list is an ordered set of node ids under a key prefix (the members of a type, of a
// context, ...), cut into blocks of 256 ids. Ids are handed out in ascending order, so one block
// holds many members, one key serves many nodes, and a group commit touches each block once.
// Rejected: one key per (prefix, id), which costs a PutExecution 14 keys more, and merge operators,
// whose operands every read would have to fold.
//
// Value type, any thread.
//
//   id_set := offset:u8{1..31} ascending        at most 31 ids
//           | bitmap of 256 bits in 32 bytes    more; bit i of byte j is offset 8 j + i
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace pedigree {

inline constexpr int64_t kIdsPerBlock = 256;

inline int64_t BlockOf(int64_t id) { return id / kIdsPerBlock; }
inline uint8_t OffsetOf(int64_t id) { return static_cast<uint8_t>(id % kIdsPerBlock); }
inline int64_t IdOf(int64_t block, int offset) { return block * kIdsPerBlock + offset; }

class IdSet {
 public:
  bool Contains(uint8_t offset) const { return (words_[offset / 64] >> (offset % 64)) & 1; }
  void Add(uint8_t offset) { words_[offset / 64] |= uint64_t{1} << (offset % 64); }
  void Remove(uint8_t offset) { words_[offset / 64] &= ~(uint64_t{1} << (offset % 64)); }
  int Size() const;
  bool Empty() const { return Size() == 0; }

  // The least member >= `from`, 256 if there is none. `from` may be 256.
  int Next(int from) const;
  // The greatest member <= `from`, -1 if there is none. `from` may be -1.
  int Previous(int from) const;

  // REQUIRES: not empty. An empty set has no value: its key is deleted.
  std::string Encode() const;
  // False if the bytes are no id set: empty, too long, or offsets not ascending.
  static bool Decode(absl::string_view bytes, IdSet* out);

  bool operator==(const IdSet&) const = default;

 private:
  std::array<uint64_t, 4> words_ = {};
};

}  // namespace pedigree
