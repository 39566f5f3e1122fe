#include "store/text.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/stubs/common.h"

namespace pedigree {

namespace {

// Requests that only read may hold any bytes; what answers them is UTF-8.
std::string Escaped(absl::string_view text) {
  const bool is_utf8 = google::protobuf::internal::IsStructurallyValidUTF8(
      text.data(), static_cast<int>(text.size()));
  return is_utf8 ? absl::Utf8SafeCEscape(text) : absl::CHexEscape(text);
}

}  // namespace

std::string Quoted(absl::string_view text) {
  constexpr size_t kMostBytes = 80;
  if (text.size() <= kMostBytes) return absl::StrCat("'", Escaped(text), "'");
  size_t cut = kMostBytes;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
  return absl::StrCat("'", Escaped(text.substr(0, cut)), "...' (", text.size(), " bytes)");
}

}  // namespace pedigree
