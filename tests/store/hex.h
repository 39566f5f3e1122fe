// Bytes as hexadecimal text, as vectors in comments and FORMAT.md have them.
#pragma once

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace pedigree {

inline std::string Hex(absl::string_view bytes) { return absl::BytesToHexString(bytes); }

// Blanks and bars between groups of digits are for the reader only.
inline std::string WithoutBlanks(absl::string_view hex) {
  return absl::StrReplaceAll(hex, {{" ", ""}, {"|", ""}, {"\n", ""}});
}

inline std::string FromHex(absl::string_view hex) {
  return absl::HexStringToBytes(WithoutBlanks(hex));
}

}  // namespace pedigree
