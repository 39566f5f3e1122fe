// A table: aligned columns for people, CSV for programs.
//
// Threads: one.
//
//   Table table({{"ID", Align::kRight}, {"NAME"}});
//   table.AddRow({"42", "model"});
//   Print(table.ToText(Screen::OfStandardOutput()));
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/text.h"

namespace pedigree::cli {

enum class Align : uint8_t { kLeft, kRight };
// What of a text stays where there is no room for it: its begin, or, of a uri, its end too.
enum class Cut : uint8_t { kEnd, kMiddleOfUri };

// Whether CSV begins with them: not where it goes on.
enum class Titles : uint8_t { kYes, kNo };

struct Column {
  std::string title;
  Align align = Align::kLeft;
  Cut cut = Cut::kEnd;
};

struct Cell {
  Cell(std::string shown) : text(std::move(shown)) {}  // NOLINT: texts are cells.
  Cell(const char* shown) : text(shown) {}             // NOLINT: the same.
  Cell(std::string shown, Colour in) : text(std::move(shown)), colour(in) {}

  std::string text;
  Colour colour = Colour::kPlain;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // REQUIRES: a cell for each column.
  void AddRow(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }

  // With titles, a row a line, texts as Printable(). Where the screen is too narrow, the widest
  // columns are cut.
  std::string ToText(const Screen& screen) const;
  // As RFC 4180 says, but lines end in "\n": titles in lower case first, texts as they are.
  std::string ToCsv(Titles titles = Titles::kYes) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace pedigree::cli
