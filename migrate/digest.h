// A digest of many rows that tells where two sets of rows differ.
//
// Rows are added in any order, each under an id. The SHA-256 of the rows of 1,024 ids are added up,
// as numbers of 256 bits; the digest is the SHA-256 of these sums. So two digests are equal if the
// rows are, and if not, the blocks that differ name the ids to look at.
// Value type; threads: one.
//
//   digest.Add(7, row);
//   if (digest.ToHex() != other.ToHex()) for (int64_t block : digest.Differences(other)) ...
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace pedigree::migrate {

class Digest {
 public:
  static constexpr int64_t kIdsPerBlock = 1024;

  void Add(int64_t id, absl::string_view row);
  int64_t rows() const { return rows_; }
  std::string ToHex() const;
  // Blocks (id / kIdsPerBlock) in which the two differ, ascending.
  std::vector<int64_t> Differences(const Digest& other) const;

 private:
  using Sum = std::array<uint64_t, 4>;  // The least significant word first.

  std::map<int64_t, Sum> blocks_;
  int64_t rows_ = 0;
};

}  // namespace pedigree::migrate
