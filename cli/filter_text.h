// Texts within filters. Threads: a free function, any.
//
//   absl::StrCat("name = ", FilterText(name))
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace pedigree::cli {

// A text as it stands in a filter_query: 'it\'s'.
std::string FilterText(absl::string_view text);

}  // namespace pedigree::cli
