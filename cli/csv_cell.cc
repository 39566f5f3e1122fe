#include "cli/csv_cell.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace pedigree::cli {

std::string CsvCell(absl::string_view text) {
  const bool is_plain = text.find_first_of(",\"\r\n") == absl::string_view::npos &&
                        (text.empty() || (text.front() != ' ' && text.back() != ' '));
  if (is_plain) return std::string(text);
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

}  // namespace pedigree::cli
