// UTF-8, character by character: what is one, and where it ends. Overlong forms, surrogates and
// what lies beyond Unicode are none.
//
// Threads: free functions, any. Inline: an export looks at every byte.
//
//   while (!text.empty()) text.remove_prefix(std::max<size_t>(1, Utf8Bytes(text)));
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace pedigree::cli {

// Bytes of the character that begins a text; 0 if none does. REQUIRES: !text.empty().
inline size_t Utf8Bytes(absl::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const auto is_rest = [&](size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  if (!is_rest(1)) return 0;
  if (first < 0xe0) return 2;
  if (!is_rest(2)) return 0;
  if (first < 0xf0) {
    const bool is_long = first == 0xe0 && byte(1) < 0xa0;
    const bool is_surrogate = first == 0xed && byte(1) >= 0xa0;
    return is_long || is_surrogate ? 0 : 3;
  }
  if (!is_rest(3)) return 0;
  const bool is_long = first == 0xf0 && byte(1) < 0x90;
  const bool is_beyond = first == 0xf4 && byte(1) >= 0x90;
  return is_long || is_beyond ? 0 : 4;
}

// The number in Unicode of a character of so many bytes. REQUIRES: bytes == Utf8Bytes(text) > 0.
inline uint32_t Utf8Code(absl::string_view text, size_t bytes) {
  const auto byte = [text](size_t i) { return static_cast<uint8_t>(text[i]); };
  if (bytes == 1) return byte(0);
  uint32_t code = byte(0) & (0x7fu >> bytes);
  for (size_t i = 1; i < bytes; ++i) code = code << 6 | (byte(i) & 0x3fu);
  return code;
}

inline bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    const size_t bytes = Utf8Bytes(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

}  // namespace pedigree::cli
