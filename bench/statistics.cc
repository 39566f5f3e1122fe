#include "bench/statistics.h"

#include <algorithm>
#include <cassert>
#include <cstddef>

namespace pedigree::bench {

Spread SpreadOf(std::vector<double> values) {
  assert(!values.empty());
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}

std::vector<double> RatiosOf(const std::vector<double>& values, const std::vector<double>& bases) {
  assert(values.size() == bases.size());
  std::vector<double> ratios;
  ratios.reserve(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    ratios.push_back(bases[i] > 0 ? values[i] / bases[i] : 0);
  }
  return ratios;
}

}  // namespace pedigree::bench
