#include "tests/conformance/demo_text.h"

#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace pedigree::conformance {
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
  const char* no_colour = std::getenv("NO_COLOR");
  const bool wanted = no_colour == nullptr || *no_colour == '\0';
  return isatty(STDOUT_FILENO) && wanted ? Coloured() : Plain();
}

std::string Paint::operator()(Colour colour, absl::string_view text) const {
  if (mode_ == Mode::kPlain || colour == Colour::kPlain || text.empty()) return std::string(text);
  return absl::StrCat("\033[", CodeOf(colour), "m", text, "\033[0m");
}

size_t WidthOf(absl::string_view text) {
  size_t width = 0;
  for (const char byte : text) width += ContinuesACharacter(byte) ? 0 : 1;
  return width;
}

std::string PadTo(absl::string_view text, size_t width) {
  const size_t now = WidthOf(text);
  return absl::StrCat(text, std::string(now < width ? width - now : 0, ' '));
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

std::string ShortDuration(int64_t milliseconds) {
  if (milliseconds < 1000) return absl::StrCat(milliseconds, " ms");
  if (milliseconds < 60'000) {
    return absl::StrFormat("%d.%d s", milliseconds / 1000, milliseconds % 1000 / 100);
  }
  const int64_t seconds = milliseconds / 1000;
  if (seconds < 3600) return absl::StrCat(seconds / 60, " min ", seconds % 60, " s");
  return absl::StrCat(seconds / 3600, " h ", seconds % 3600 / 60, " min");
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

}  // namespace pedigree::conformance
