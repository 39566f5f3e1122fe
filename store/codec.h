// Byte-level building blocks of keys and values: big-endian integers, varints, ordered text.
//
// Encoded keys compare bytewise in the order of what they encode. Pure functions: any thread.
//
//   std::string key;
//   AppendBe64(&key, 7);            // 0000000000000007
//   AppendText(&key, "run-1");      // 72756e2d31 0001
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/string_view.h"

namespace pedigree {

static_assert(std::endian::native == std::endian::little,
              "varints are read as little-endian words");

inline void AppendU8(std::string* out, uint8_t value) { out->push_back(static_cast<char>(value)); }

inline void AppendBe32(std::string* out, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out->push_back(static_cast<char>(value >> shift));
}

inline void AppendBe64(std::string* out, uint64_t value) {
  char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (56 - 8 * i));
  out->append(bytes, sizeof(bytes));
}

// Ids and counts are never negative, but a damaged key may say so: they pass through unchanged.
inline void AppendId(std::string* out, int64_t id) { AppendBe64(out, static_cast<uint64_t>(id)); }

// Signed, ordered: the sign bit is flipped.
inline void AppendTime(std::string* out, int64_t milliseconds) {
  AppendBe64(out, static_cast<uint64_t>(milliseconds) ^ (uint64_t{1} << 63));
}

inline constexpr size_t kMaxVarintBytes = 10;
// Writes a varint at `to`, where there is room for kMaxVarintBytes. Answers its end.
inline char* WriteVarint(char* to, uint64_t value) {
  while (value >= 0x80) {
    *to++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *to++ = static_cast<char>(value);
  return to;
}
inline void AppendVarint(std::string* out, uint64_t value) {
  char bytes[kMaxVarintBytes];
  out->append(bytes, static_cast<size_t>(WriteVarint(bytes, value) - bytes));
}

// Text within a key, so that no encoded text is a prefix of another: a zero byte becomes 00 ff,
// the end is 00 01. Text of more than kMaxKeyTextBytes keeps its first kMaxKeyTextBytes bytes and
// ends with 00 02 and its SHA-256: keys stay short, equality stays exact, and order holds within
// the prefix.
inline constexpr size_t kMaxKeyTextBytes = 128;
void AppendText(std::string* out, absl::string_view text);

// Reads from the front of a key or value. Every Read* answers false, and reads nothing more, when
// the bytes end too early: callers check once, at the end.
class ByteReader {
 public:
  explicit ByteReader(absl::string_view bytes) : rest_(bytes) {}

  bool ReadU8(uint8_t* value);
  bool ReadBe32(uint32_t* value);
  bool ReadBe64(uint64_t* value);
  bool ReadId(int64_t* id);
  bool ReadTime(int64_t* milliseconds);
  bool ReadVarint(uint64_t* value) {
    if (rest_.empty() || static_cast<int8_t>(rest_[0]) < 0) return ReadLongVarint(value);
    *value = static_cast<uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    return true;
  }
  bool ReadBytes(size_t size, absl::string_view* bytes) {
    if (rest_.size() < size) return false;
    *bytes = absl::string_view(rest_.data(), size);
    rest_.remove_prefix(size);
    return true;
  }
  // Skips one encoded text; the text itself stands in the record that the key points to.
  bool SkipText();

  bool AtEnd() const { return rest_.empty(); }
  absl::string_view rest() const { return rest_; }

 private:
  // ReadVarint() of any number of bytes. Up to 8, which are nearly all, without a branch that
  // depends on how many.
  bool ReadLongVarint(uint64_t* value) {
    constexpr uint64_t kEnds = 0x8080808080808080;  // Clear in the last byte of a varint.
    uint64_t bytes = 0;
    if (rest_.size() < sizeof(bytes)) return ReadVarintByBytes(value);
    std::memcpy(&bytes, rest_.data(), sizeof(bytes));
    const uint64_t ends = ~bytes & kEnds;
    if (ends == 0) return ReadVarintByBytes(value);
    bytes &= (ends ^ (ends - 1)) & ~kEnds;  // Up to the first end, 7 bits of each.
    bytes = (bytes & 0x7f007f007f007f00) >> 1 | (bytes & 0x007f007f007f007f);
    bytes = (bytes & 0xffff0000ffff0000) >> 2 | (bytes & 0x0000ffff0000ffff);
    *value = (bytes & 0xffffffff00000000) >> 4 | (bytes & 0x00000000ffffffff);
    rest_.remove_prefix(static_cast<size_t>(std::countr_zero(ends)) / 8 + 1);
    return true;
  }
  bool ReadVarintByBytes(uint64_t* value);

  absl::string_view rest_;
};

}  // namespace pedigree
