// Error texts as they may travel. Pure functions; any thread.
//
//   Finish(Shortened(status));
#pragma once

#include <cstddef>

#include "absl/status/status.h"

namespace pedigree {

// Texts travel in HTTP/2 trailers, which clients limit.
inline constexpr size_t kMaxErrorBytes = 1024;

// The status with at most kMaxErrorBytes of text, cut between characters.
absl::Status Shortened(const absl::Status& status);

}  // namespace pedigree
