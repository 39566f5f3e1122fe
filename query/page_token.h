// Page tokens: where a list goes on, bound to the list that they belong to.
//
// token := base64url(version:u8{1} digest:be64 time:be64 id:be64)
// The digest is over everything that a following page must have in common with the page before:
// the call, what it lists, the filter and the order. The page size may change. Tokens stay good
// across restarts. They are no secret and no proof: a forged one only shows another place in a list
// that the client may read anyway.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "store/reader.h"

namespace pedigree {

// The first 8 bytes of a text's SHA-256.
uint64_t DigestOf(absl::string_view text);

// `list` is any text that says which list it is.
std::string EncodePageToken(absl::string_view list, TimeAndId last);

// InvalidArgument if it is no token, or another list's.
absl::StatusOr<TimeAndId> DecodePageToken(absl::string_view list, absl::string_view token);

}  // namespace pedigree
