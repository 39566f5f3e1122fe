#include "cli/export/json_text.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/utf8.h"

namespace pedigree::cli {
namespace {

constexpr char kHex[] = "0123456789abcdef";

// Whether a byte stands for itself in a JSON string: 1; must be escaped: 0; is not ASCII: 2.
constexpr std::array<uint8_t, 256> MakeClasses() {
  std::array<uint8_t, 256> classes = {};
  for (size_t c = 0x20; c < 0x80; ++c) classes[c] = 1;
  for (size_t c = 0x80; c < 0x100; ++c) classes[c] = 2;
  classes['"'] = 0;
  classes['\\'] = 0;
  classes[0x7f] = 1;
  return classes;
}
constexpr std::array<uint8_t, 256> kClasses = MakeClasses();

// 8 bytes that all stand for themselves: nothing below space, no quote, no backslash, no high bit.
bool ArePlain(const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof(word));
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHigh = 0x8080808080808080;
  const auto has_zero = [](uint64_t x) { return (x - kOnes) & ~x; };
  const uint64_t special = (word - kOnes * 0x20) | word | has_zero(word ^ (kOnes * '"')) |
                           has_zero(word ^ (kOnes * '\\'));
  return (special & kHigh) == 0;
}

void AppendEscaped(char c, std::string* out) {
  switch (c) {
    case '"':
      out->append("\\\"");
      return;
    case '\\':
      out->append("\\\\");
      return;
    case '\n':
      out->append("\\n");
      return;
    case '\r':
      out->append("\\r");
      return;
    case '\t':
      out->append("\\t");
      return;
    default:
      out->append("\\u00");
      out->push_back(kHex[static_cast<uint8_t>(c) >> 4]);
      out->push_back(kHex[c & 15]);
  }
}

template <class Integer>
void AppendInteger(Integer value, std::string* out) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  out->append(digits, static_cast<size_t>(end - digits));
}

}  // namespace

void AppendJsonString(absl::string_view text, std::string* out) {
  const size_t begin = out->size();
  out->push_back('"');
  size_t plain = 0;  // Where what has not been appended yet begins.
  size_t i = 0;
  while (i < text.size()) {
    if (text.size() - i >= 8 && ArePlain(text.data() + i)) {
      i += 8;
      continue;
    }
    const auto c = static_cast<uint8_t>(text[i]);
    if (kClasses[c] == 1) {
      ++i;
    } else if (kClasses[c] == 0) {
      out->append(text.data() + plain, i - plain);
      AppendEscaped(text[i], out);
      plain = ++i;
    } else {
      const size_t size = Utf8Bytes(text.substr(i));
      if (size == 0) {
        out->resize(begin);
        out->append("{\"base64\":");
        AppendJsonBase64(text, out);
        out->push_back('}');
        return;
      }
      i += size;
    }
  }
  out->append(text.data() + plain, text.size() - plain);
  out->push_back('"');
}

void AppendJsonDouble(double value, std::string* out) {
  if (std::isnan(value)) {
    const auto bits = std::bit_cast<uint64_t>(value);
    constexpr auto kCommon = std::bit_cast<uint64_t>(std::numeric_limits<double>::quiet_NaN());
    if (bits == kCommon) {
      out->append("\"NaN\"");
    } else {
      absl::StrAppend(out, "\"NaN:", absl::Hex(bits, absl::kZeroPad16), "\"");
    }
  } else if (std::isinf(value)) {
    out->append(value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  } else if (value == 0 && std::signbit(value)) {
    out->append("-0.0");  // Readers take -0 for an integer, which has no sign.
  } else {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
    out->append(digits, static_cast<size_t>(end - digits));
  }
}

void AppendDecimal(int64_t value, std::string* out) { AppendInteger(value, out); }
void AppendDecimal(uint64_t value, std::string* out) { AppendInteger(value, out); }

void AppendJsonBase64(absl::string_view bytes, std::string* out) {
  absl::StrAppend(out, "\"", absl::Base64Escape(bytes), "\"");
}

}  // namespace pedigree::cli
