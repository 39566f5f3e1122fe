// Text from requests as it may appear in messages to people.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace pedigree {

// `text` in single quotes, C-escaped (UTF-8 kept) and cut to about 80 bytes: error texts travel in
// HTTP/2 trailers, which clients limit to a few KiB.
std::string Quoted(absl::string_view text);

}  // namespace pedigree
