// Counts values by size, for statistics: latencies, sizes of groups.
//
// Threads: any. Observe() is two additions to memory that no lock guards; a reader may see a value
// in its bucket before it is in the sum.
//
//   constexpr int64_t kBounds[] = {1, 10, 100};
//   Histogram histogram(kBounds);
//   histogram.Observe(7);        // Values().counts is now {0, 1, 0, 0}
#pragma once

#include <array>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace pedigree {

struct HistogramValues {
  absl::Span<const int64_t> bounds;  // The largest values of all buckets but the last.
  std::vector<uint64_t> counts;      // Of values by bucket: one more than there are bounds.
  int64_t sum = 0;
};

class Histogram {
 public:
  static constexpr size_t kMaxBounds = 16;

  // `bounds` ascend and outlive this. REQUIRES: there are at most kMaxBounds.
  explicit Histogram(absl::Span<const int64_t> bounds) : bounds_(bounds) {
    assert(bounds.size() <= kMaxBounds);
  }

  void Observe(int64_t value) {
    size_t bucket = 0;  // Most values are in one of the first few.
    while (bucket < bounds_.size() && value > bounds_[bucket]) ++bucket;
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }

  HistogramValues Values() const {
    HistogramValues values;
    values.bounds = bounds_;
    for (size_t i = 0; i <= bounds_.size(); ++i) {
      values.counts.push_back(counts_[i].load(std::memory_order_relaxed));
    }
    values.sum = sum_.load(std::memory_order_relaxed);
    return values;
  }

 private:
  const absl::Span<const int64_t> bounds_;
  std::array<std::atomic<uint64_t>, kMaxBounds + 1> counts_ = {};
  std::atomic<int64_t> sum_ = 0;
};

}  // namespace pedigree
