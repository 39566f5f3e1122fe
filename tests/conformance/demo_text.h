// Text for people: colours, widths, numbers and durations.
//
// Threading: values and free functions.
//
// Example:
//   const Paint paint = Paint::ForStandardOutput();
//   std::cout << paint(Colour::kGreen, PadTo("COMPLETE", 10)) << ShortDuration(16);  // 16 ms
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace pedigree::conformance {

enum class Colour { kPlain, kBold, kDim, kRed, kGreen, kYellow, kCyan };

// Wraps text in ANSI colours, or leaves it as it is.
class Paint {
 public:
  // Colours if standard output is a terminal and NO_COLOR is unset.
  static Paint ForStandardOutput();
  static Paint Plain() { return Paint(Mode::kPlain); }
  static Paint Coloured() { return Paint(Mode::kColoured); }

  std::string operator()(Colour colour, absl::string_view text) const;

 private:
  enum class Mode { kPlain, kColoured };
  explicit Paint(Mode mode) : mode_(mode) {}

  Mode mode_;
};

// The number of UTF-8 characters.
size_t WidthOf(absl::string_view text);

// Appends blanks up to a width.
std::string PadTo(absl::string_view text, size_t width);

// "12,345"
std::string Grouped(int64_t number);

// "3 steps", "1 step"
std::string Count(int64_t number, absl::string_view noun);

// "16 ms", "1.2 s", "2 min 3 s", "1 h 2 min"
std::string ShortDuration(int64_t milliseconds);

// Leaves out the middle of a long uri: "minio://.../step/salt/piece" (with a real ellipsis). The
// scheme and as many last parts as fit stay; at least `width` 20 is meant.
std::string ShortUri(absl::string_view uri, size_t width);

// Puts text of several lines on one and cuts it to some 600 bytes.
std::string OnOneLine(absl::string_view text);

}  // namespace pedigree::conformance
