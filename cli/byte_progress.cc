#include "cli/byte_progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "cli/text.h"

namespace pedigree::cli {

ByteProgress::ByteProgress() : is_terminal_(isatty(STDERR_FILENO) == 1) {}

std::string ByteProgress::LineOf(absl::string_view what, int64_t done, int64_t all) {
  all = std::max({all, done, int64_t{1}});  // It was an estimate.
  return absl::StrCat(
      what, ": ", ShortBytes(done), " of ", ShortBytes(all), " (",
      static_cast<int64_t>(100.0 * static_cast<double>(done) / static_cast<double>(all)), " %)");
}

void ByteProgress::Show(absl::string_view what, int64_t done, int64_t all) {
  constexpr std::chrono::milliseconds kInterval{100};
  const auto now = std::chrono::steady_clock::now();
  if (!is_terminal_ || now - shown_ < kInterval) return;
  shown_ = now;
  has_shown_ = true;
  std::fprintf(stderr, "\r\033[K%s", LineOf(what, done, all).c_str());
  std::fflush(stderr);
}

void ByteProgress::End() {
  if (has_shown_) std::fputs("\r\033[K", stderr);
  has_shown_ = false;
}

}  // namespace pedigree::cli
