// A log-linear histogram of durations: constant memory, constant time per record, and every
// quantile within 0.4 % of the recorded value, which is finer than the noise of any load on this
// machine.
//
// Threading: one thread at a time.
//
//   LatencyHistogram histogram;
//   histogram.Record(std::chrono::microseconds(150));
//   double p99_us = histogram.QuantileMicroseconds(0.99);
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pedigree::bench {

class LatencyHistogram {
 public:
  LatencyHistogram();

  // Counts one duration; negative ones count as zero.
  void Record(std::chrono::nanoseconds duration);

  uint64_t count() const { return count_; }

  // The duration that a share of `quantile` (0..1) of the records do not exceed; 0 if there are
  // none.
  double QuantileMicroseconds(double quantile) const;

 private:
  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
};

}  // namespace pedigree::bench
