#include "cli/text.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "cli/utf8.h"

namespace pedigree::cli {
namespace {

constexpr char kEllipsis[] = "…";
constexpr size_t kOneLineBytes = 600;

absl::string_view CodeOf(Colour colour) {
  switch (colour) {
    case Colour::kPlain:
      return "";
    case Colour::kBold:
      return "1";
    case Colour::kDim:
      return "2";
    case Colour::kRed:
      return "31";
    case Colour::kGreen:
      return "32";
    case Colour::kYellow:
      return "33";
    case Colour::kCyan:
      return "36";
  }
  return "";
}

// Of one character of a text: its number and how many bytes it takes. A byte that begins none
// stands for itself.
struct Character {
  uint32_t code = 0;
  size_t bytes = 1;
};

// REQUIRES: !text.empty().
Character FirstOf(absl::string_view text) {
  const size_t bytes = Utf8Bytes(text);
  if (bytes == 0) return {static_cast<unsigned char>(text[0]), 1};
  return {Utf8Code(text, bytes), bytes};
}

struct Range {
  uint32_t first;
  uint32_t last;
};

// Of Unicode's East Asian Width (W and F) and of its combining marks what is met in practice.
constexpr Range kWide[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},
                           {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},
                           {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F},
                           {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
constexpr Range kJoined[] = {
    {0x0300, 0x036F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}};

template <size_t n>
bool IsIn(const Range (&ranges)[n], uint32_t code) {
  for (const Range& range : ranges) {
    if (code >= range.first && code <= range.last) return true;
  }
  return false;
}

size_t WidthOf(uint32_t code) {
  if (code < kJoined[0].first) return 1;
  return IsIn(kJoined, code) ? 0 : IsIn(kWide, code) ? 2 : 1;
}

bool ContinuesACharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// The last `width` characters.
absl::string_view Tail(absl::string_view text, size_t width) {
  size_t begin = text.size();
  while (begin > 0 && width > 0) {
    --begin;
    if (!ContinuesACharacter(text[begin])) --width;
  }
  return text.substr(begin);
}

}  // namespace

Paint Paint::ForStandardOutput() {
  const auto value = [](const char* name) {
    const char* text = std::getenv(name);
    return absl::string_view(text == nullptr ? "" : text);
  };
  const bool wanted = value("NO_COLOR").empty() && value("TERM") != "dumb";
  return isatty(STDOUT_FILENO) && wanted ? Coloured() : Plain();
}

Screen Screen::OfStandardOutput() {
  if (!isatty(STDOUT_FILENO)) return Plain();
  Screen screen = {.paint = Paint::ForStandardOutput(), .times = Times::kLocal};
  winsize size = {};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) screen.columns = size.ws_col;
  return screen;
}

std::string Screen::Time(int64_t ms_since_epoch) const {
  if (ms_since_epoch == 0) return "-";
  if (times == Times::kIso) {
    return absl::FormatTime("%E4Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(ms_since_epoch),
                            absl::UTCTimeZone());
  }
  // Not by absl: it knows time zones by name only, and TZ may hold rules.
  const auto seconds = static_cast<time_t>(ms_since_epoch / 1000);
  tm local = {};
  char text[64];
  if (localtime_r(&seconds, &local) == nullptr ||
      std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local) == 0) {
    return "?";
  }
  return text;
}

std::string Paint::operator()(Colour colour, absl::string_view text) const {
  if (mode_ == Mode::kPlain || colour == Colour::kPlain || text.empty()) return std::string(text);
  return absl::StrCat("\033[", CodeOf(colour), "m", text, "\033[0m");
}

size_t WidthOf(absl::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const Character first = FirstOf(text);
    width += WidthOf(first.code);
    text.remove_prefix(first.bytes);
  }
  return width;
}

std::string PadTo(absl::string_view text, size_t width) {
  const size_t now = WidthOf(text);
  return absl::StrCat(text, std::string(now < width ? width - now : 0, ' '));
}

std::string PadLeftTo(absl::string_view text, size_t width) {
  const size_t now = WidthOf(text);
  return absl::StrCat(std::string(now < width ? width - now : 0, ' '), text);
}

std::string CutTo(absl::string_view text, size_t width) {
  if (WidthOf(text) <= width) return std::string(text);
  if (width == 0) return "";
  size_t end = 0;
  for (size_t room = width - 1; end < text.size();) {
    const Character next = FirstOf(text.substr(end));
    if (WidthOf(next.code) > room) break;
    room -= WidthOf(next.code);
    end += next.bytes;
  }
  return absl::StrCat(text.substr(0, end), kEllipsis);
}

std::string Printable(absl::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const bool is_text = Utf8Bytes(text) > 0;
    const Character first = FirstOf(text);
    const absl::string_view bytes = text.substr(0, first.bytes);
    const bool is_control = first.code < 0x20 || (first.code >= 0x7F && first.code < 0xA0);
    if (is_text && !is_control) {
      absl::StrAppend(&shown, bytes);
    } else if (is_text && first.bytes > 1) {
      absl::StrAppend(&shown, "\\u", absl::Hex(first.code, absl::kZeroPad4));
    } else {
      absl::StrAppend(&shown, absl::CEscape(bytes));
    }
    text.remove_prefix(first.bytes);
  }
  return shown;
}

std::string Grouped(int64_t number) {
  std::string text = absl::StrCat(number);
  const size_t sign = number < 0 ? 1 : 0;
  for (size_t end = text.size(); end > sign + 3;) {
    end -= 3;
    text.insert(end, 1, ',');
  }
  return text;
}

std::string Count(int64_t number, absl::string_view noun) {
  return absl::StrCat(Grouped(number), " ", noun, number == 1 ? "" : "s");
}

std::string ShortBytes(int64_t bytes) {
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return absl::StrCat(bytes, " B");
  auto size = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; size >= 1024 && unit + 1 < std::size(kUnits); ++unit) size /= 1024;
  return absl::StrFormat("%.1f %s", size, kUnits[unit]);
}

std::string ShortDuration(int64_t milliseconds) {
  if (milliseconds < 1000) return absl::StrCat(milliseconds, " ms");
  if (milliseconds < 60'000) {
    return absl::StrFormat("%d.%d s", milliseconds / 1000, milliseconds % 1000 / 100);
  }
  const int64_t seconds = milliseconds / 1000;
  if (seconds < 3600) return absl::StrCat(seconds / 60, " min ", seconds % 60, " s");
  const int64_t hours = seconds / 3600;
  if (hours < 48) return absl::StrCat(hours, " h ", seconds % 3600 / 60, " min");
  return absl::StrCat(hours / 24, " d ", hours % 24, " h");
}

std::string ShortUri(absl::string_view uri, size_t width) {
  if (WidthOf(uri) <= width) return std::string(uri);
  const size_t scheme_end = uri.find("://");
  const absl::string_view scheme = scheme_end == uri.npos ? "" : uri.substr(0, scheme_end + 3);
  const std::string head = absl::StrCat(scheme, kEllipsis);
  const size_t room = width > WidthOf(head) ? width - WidthOf(head) : 1;
  const absl::string_view tail = Tail(uri, room);
  const size_t slash = tail.find('/');  // Whole parts only, if one fits.
  return absl::StrCat(head, slash == tail.npos ? tail : tail.substr(slash));
}

std::string OnOneLine(absl::string_view text) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n', absl::SkipWhitespace());
  std::string line = absl::StrJoin(lines, " | ");
  if (line.size() > kOneLineBytes) line = line.substr(0, kOneLineBytes) + "...";
  return line;
}

}  // namespace pedigree::cli
