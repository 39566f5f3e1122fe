#include "store/text.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace pedigree {

std::string Quoted(absl::string_view text) {
  constexpr size_t kMostBytes = 80;
  if (text.size() <= kMostBytes) return absl::StrCat("'", absl::Utf8SafeCEscape(text), "'");
  size_t cut = kMostBytes;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
  return absl::StrCat("'", absl::Utf8SafeCEscape(text.substr(0, cut)), "...' (", text.size(),
                      " bytes)");
}

}  // namespace pedigree
