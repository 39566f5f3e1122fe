// Text for people: colours, widths, numbers, durations and times.
//
// What comes from a store is shown through Printable(), which leaves a terminal nothing to obey.
// Threads: values and free functions, any.
//
//   const Screen screen = Screen::OfStandardOutput();
//   std::cout << screen.paint(Colour::kGreen, PadTo("COMPLETE", 10)) << ShortDuration(16);  // 16
//   ms
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace pedigree::cli {

enum class Colour : uint8_t { kPlain, kBold, kDim, kRed, kGreen, kYellow, kCyan };

// Wraps text in ANSI colours, or leaves it as it is.
class Paint {
 public:
  // Colours if standard output is a terminal that has some and NO_COLOR is unset.
  static Paint ForStandardOutput();
  static Paint Plain() { return Paint(Mode::kPlain); }
  static Paint Coloured() { return Paint(Mode::kColoured); }

  std::string operator()(Colour colour, absl::string_view text) const;

 private:
  enum class Mode : uint8_t { kPlain, kColoured };
  explicit Paint(Mode mode) : mode_(mode) {}

  Mode mode_;
};

// Where text goes: what there is room for, and how times are said.
struct Screen {
  enum class Times : uint8_t { kIso, kLocal };

  // A terminal's width and colours, and times as people there know them; elsewhere plain text of
  // any width with times in ISO 8601, UTC.
  static Screen OfStandardOutput();
  static Screen Plain() { return {}; }

  // "2026-11-29T07:05:12.250Z", or "2026-11-29 08:05:12"; "-" for 0.
  std::string Time(int64_t ms_since_epoch) const;

  Paint paint = Paint::Plain();
  size_t columns = 0;  // 0: any number.
  Times times = Times::kIso;
};

// How many columns of a terminal it takes: one for most characters, two for those of East Asia and
// pictures, none for accents that join the one before.
size_t WidthOf(absl::string_view text);

// Appends, or puts before it, blanks up to a width.
std::string PadTo(absl::string_view text, size_t width);
std::string PadLeftTo(absl::string_view text, size_t width);

// Cuts the end of a text that is too wide, for an ellipsis.
std::string CutTo(absl::string_view text, size_t width);

// Control characters and what is no UTF-8 as escapes: "two\nlines".
std::string Printable(absl::string_view text);

// "12,345"
std::string Grouped(int64_t number);

// "3 steps", "1 step"
std::string Count(int64_t number, absl::string_view noun);

// "512 B", "1.5 MiB"
std::string ShortBytes(int64_t bytes);

// "16 ms", "1.2 s", "2 min 3 s", "1 h 2 min", "3 d 4 h"
std::string ShortDuration(int64_t milliseconds);

// Leaves out the middle of a long uri: "minio://.../step/salt/piece" (with a real ellipsis). The
// scheme and as many last parts as fit stay; at least `width` 20 is meant.
std::string ShortUri(absl::string_view uri, size_t width);

// Puts text of several lines on one and cuts it to some 600 bytes.
std::string OnOneLine(absl::string_view text);

}  // namespace pedigree::cli
