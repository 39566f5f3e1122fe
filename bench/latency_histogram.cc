#include "bench/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace pedigree::bench {
namespace {

// Each power of two is cut into 2^kStepBits equal steps; below 2^kStepBits every value has its own.
constexpr int kStepBits = 7;
constexpr uint64_t kSteps = uint64_t{1} << kStepBits;
constexpr size_t kBuckets = (64 - kStepBits + 1) * kSteps;

size_t BucketOf(uint64_t nanoseconds) {
  if (nanoseconds < kSteps) return nanoseconds;
  const int shift = static_cast<int>(std::bit_width(nanoseconds)) - 1 - kStepBits;
  return (static_cast<size_t>(shift) + 1) * kSteps + ((nanoseconds >> shift) & (kSteps - 1));
}

double MiddleOf(size_t bucket) {
  if (bucket < kSteps) return static_cast<double>(bucket);
  const size_t shift = bucket / kSteps - 1;
  const double width = std::ldexp(1.0, static_cast<int>(shift));
  return (static_cast<double>(kSteps + bucket % kSteps) + 0.5) * width;
}

}  // namespace

LatencyHistogram::LatencyHistogram() : buckets_(kBuckets) {}

void LatencyHistogram::Record(std::chrono::nanoseconds duration) {
  const auto nanoseconds = static_cast<uint64_t>(std::max<int64_t>(0, duration.count()));
  ++buckets_[BucketOf(nanoseconds)];
  ++count_;
}

double LatencyHistogram::QuantileMicroseconds(double quantile) const {
  const auto rank = static_cast<uint64_t>(std::ceil(quantile * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen > 0 && seen >= rank) return MiddleOf(bucket) / 1e3;
  }
  return 0;
}

}  // namespace pedigree::bench
