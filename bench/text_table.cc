#include "bench/text_table.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"

namespace pedigree::bench {
namespace {

constexpr char kGap[] = "  ";

std::string Padding(size_t width, const std::string& cell) {
  return std::string(width - std::min(width, cell.size()), ' ');
}

}  // namespace

std::string TextTable::ToText() const {
  std::vector<size_t> widths(rows_[0].size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (size_t line = 0; line < rows_.size(); ++line) {
    for (size_t i = 0; i < rows_[line].size(); ++i) {
      const std::string& cell = rows_[line][i];
      const std::string padding = Padding(widths[i], cell);
      i == 0 ? absl::StrAppend(&text, kGap, cell, padding)
             : absl::StrAppend(&text, kGap, padding, cell);
    }
    absl::StrAppend(&text, "\n");
    if (line > 0) continue;
    for (const size_t width : widths) absl::StrAppend(&text, kGap, std::string(width, '-'));
    absl::StrAppend(&text, "\n");
  }
  return text;
}

}  // namespace pedigree::bench
