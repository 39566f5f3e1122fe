#include "cli/filter_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace pedigree::cli {

std::string FilterText(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

}  // namespace pedigree::cli
