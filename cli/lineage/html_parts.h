// The parts of the page that RenderHtml() fills in: html/ of the tree, put into the program when it
// is built. Threads: constants.
//
//   std::string page(kHtmlPage);
#pragma once

#include "absl/strings/string_view.h"

namespace pedigree::cli {

extern const absl::string_view kHtmlPage;
extern const absl::string_view kHtmlStyle;
extern const absl::string_view kHtmlScript;

}  // namespace pedigree::cli
