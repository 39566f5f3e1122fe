// Order statistics over the repeats of a measurement.
//
// Threading: pure functions.
//
//   Spread share = SpreadOf(RatiosOf(pedigreed_rates, echo_rates));   // share.median, share.min
//   ...
#pragma once

#include <vector>

namespace pedigree::bench {

// The middle of some repeats and how far they lie apart.
struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
};

// The spread of `values`; the median of an even number is the mean of the middle two.
// REQUIRES: `values` is not empty.
Spread SpreadOf(std::vector<double> values);

// values[i] / bases[i]: both come from the same round, so what disturbed one disturbed the other.
// REQUIRES: equal sizes.
std::vector<double> RatiosOf(const std::vector<double>& values, const std::vector<double>& bases);

}  // namespace pedigree::bench
