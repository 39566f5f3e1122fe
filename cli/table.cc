#include "cli/table.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/csv_cell.h"

namespace pedigree::cli {
namespace {

constexpr absl::string_view kBetween = "  ";
// No column is cut to less.
constexpr size_t kLeastWidth = 12;

// Takes from the widest until all fit, or none may lose more.
void Narrow(std::vector<size_t>& widths, size_t columns) {
  size_t all = std::accumulate(widths.begin(), widths.end(), (widths.size() - 1) * kBetween.size());
  while (all > columns) {
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest <= kLeastWidth) return;
    --*widest;
    --all;
  }
}

std::string Fitted(const Column& column, absl::string_view text, size_t width) {
  const std::string cut =
      column.cut == Cut::kMiddleOfUri ? ShortUri(text, width) : CutTo(text, width);
  return column.align == Align::kRight ? PadLeftTo(cut, width) : PadTo(cut, width);
}

// Ends the line, without the blanks that pad its last column.
void EndLine(std::string& text) {
  while (!text.empty() && text.back() == ' ') text.pop_back();
  text.push_back('\n');
}

}  // namespace

std::string Table::ToText(const Screen& screen) const {
  std::vector<std::vector<std::string>> shown;
  std::vector<size_t> widths;
  for (const Column& column : columns_) widths.push_back(WidthOf(column.title));
  for (const auto& row : rows_) {
    auto& texts = shown.emplace_back();
    for (size_t i = 0; i < columns_.size(); ++i) {
      texts.push_back(Printable(row[i].text));
      widths[i] = std::max(widths[i], WidthOf(texts[i]));
    }
  }
  if (screen.columns != 0) Narrow(widths, screen.columns);
  std::string text;
  for (size_t i = 0; i < columns_.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : kBetween,
                    screen.paint(Colour::kBold, Fitted(columns_[i], columns_[i].title, widths[i])));
  }
  EndLine(text);
  for (size_t r = 0; r < shown.size(); ++r) {
    for (size_t i = 0; i < columns_.size(); ++i) {
      absl::StrAppend(
          &text, i == 0 ? "" : kBetween,
          screen.paint(rows_[r][i].colour, Fitted(columns_[i], shown[r][i], widths[i])));
    }
    EndLine(text);
  }
  return text;
}

std::string Table::ToCsv(Titles titles) const {
  std::string text;
  for (size_t i = 0; i < columns_.size() && titles == Titles::kYes; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ",", CsvCell(absl::AsciiStrToLower(columns_[i].title)));
  }
  if (titles == Titles::kYes) text.push_back('\n');
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      absl::StrAppend(&text, i == 0 ? "" : ",", CsvCell(row[i].text));
    }
    text.push_back('\n');
  }
  return text;
}

}  // namespace pedigree::cli
