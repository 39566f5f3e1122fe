#include "cli/facts.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace pedigree::cli {

void Facts::Add(std::string name, std::string value) {
  if (!value.empty()) lines_.emplace_back(Printable(name), Printable(value));
}

std::string Facts::ToText(const Screen& screen) const {
  if (lines_.empty()) return "";
  size_t width = 0;
  for (const auto& [name, value] : lines_) width = std::max(width, WidthOf(name));
  std::string text;
  if (!heading_.empty()) {
    absl::StrAppend(&text, "\n", screen.paint(Colour::kBold, heading_), "\n");
  }
  for (const auto& [name, value] : lines_) {
    absl::StrAppend(&text, "  ", screen.paint(Colour::kDim, PadTo(name, width)), "  ", value, "\n");
  }
  return text;
}

}  // namespace pedigree::cli
