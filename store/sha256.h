// SHA-256 of bytes, many short ones a second: OpenSSL's one-shot call looks its algorithm up anew
// each time, which costs more than the hash of a node.
//
// Any thread.
//
//   const Sha256Digest digest = Sha256("abc");
//   AppendDigest(&value, digest);
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace pedigree {

inline constexpr size_t kSha256Bytes = 32;
using Sha256Digest = std::array<char, kSha256Bytes>;

Sha256Digest Sha256(absl::string_view bytes);

inline absl::string_view ToView(const Sha256Digest& digest) {
  return {digest.data(), digest.size()};
}
inline void AppendDigest(std::string* out, const Sha256Digest& digest) {
  out->append(digest.data(), digest.size());
}

}  // namespace pedigree
