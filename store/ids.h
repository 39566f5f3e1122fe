// Lists of ids.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace pedigree {

// The ids in ascending order, each once.
template <class Ids>
std::vector<int64_t> SortedOnce(const Ids& ids) {
  std::vector<int64_t> sorted(ids.begin(), ids.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return sorted;
}

}  // namespace pedigree
