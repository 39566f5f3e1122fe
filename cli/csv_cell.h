// A cell of CSV as RFC 4180 writes it. Threads: a free function, any.
//
//   row += CsvCell("a \"b\", c");   // "a ""b"", c", in quotes
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace pedigree::cli {

// In quotes where a reader would take it for something else, or take blanks at its ends away.
std::string CsvCell(absl::string_view text);

}  // namespace pedigree::cli
