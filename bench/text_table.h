// Rows of text in aligned columns.
//
// Threading: one thread.
//
//   TextTable table({"server", "calls/s"});
//   table.AddRow({"echo", "40100"});
//   std::cout << table.ToText();      // the first column to the left, the others to the right
#pragma once

#include <string>
#include <vector>

namespace pedigree::bench {

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) : rows_({std::move(header)}) {}

  // REQUIRES: as many cells as the header has.
  void AddRow(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  // The header, a rule, the rows; each line ends with a newline and is indented by two blanks.
  std::string ToText() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace pedigree::bench
