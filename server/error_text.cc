#include "server/error_text.h"

#include "absl/strings/str_cat.h"

namespace pedigree {

absl::Status Shortened(const absl::Status& status) {
  constexpr absl::string_view kCut = "...";
  if (status.message().size() <= kMaxErrorBytes) return status;
  absl::string_view kept = status.message().substr(0, kMaxErrorBytes - kCut.size());
  while (!kept.empty() && (static_cast<unsigned char>(kept.back()) & 0xc0) == 0x80) {
    kept.remove_suffix(1);
  }
  if (!kept.empty() && static_cast<unsigned char>(kept.back()) >= 0xc0) kept.remove_suffix(1);
  return absl::Status(status.code(), absl::StrCat(kept, kCut));
}

}  // namespace pedigree
