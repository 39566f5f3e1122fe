// Times as people write them in options. Threads: a free function, any.
//
//   auto ms = ParseTime("2026-03-01", absl::LocalTimeZone());
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace pedigree::cli {

// A time in ms since the epoch from RFC 3339 ("2026-03-01T12:00:00Z"), a date ("2026-03-01", its
// begin in `zone`), or ms since the epoch. InvalidArgument otherwise.
absl::StatusOr<int64_t> ParseTime(absl::string_view text, absl::TimeZone zone);

}  // namespace pedigree::cli
