#include "cli/parse_time.h"

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "store/text.h"

namespace pedigree::cli {

absl::StatusOr<int64_t> ParseTime(absl::string_view text, absl::TimeZone zone) {
  int64_t ms = 0;
  if (absl::SimpleAtoi(text, &ms) && ms >= 0) return ms;
  absl::Time time;
  std::string problem;
  if (absl::ParseTime("%Y-%m-%dT%H:%M:%E*S%Ez", text, &time, &problem) ||
      absl::ParseTime("%Y-%m-%d", text, zone, &time, &problem)) {
    return absl::ToUnixMillis(time);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      Quoted(text), " is no time: write 2026-03-01T12:00:00Z, 2026-03-01, or ms since 1970"));
}

}  // namespace pedigree::cli
