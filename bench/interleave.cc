#include "bench/interleave.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "bench/interrupt.h"
#include "bench/latency_histogram.h"

namespace pedigree::bench {
namespace {

using Clock = std::chrono::steady_clock;

absl::Status Named(const std::string& name, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(name, ": ", status.message()));
}

// What one operation took within a round.
struct Durations {
  LatencyHistogram histogram;
  Clock::duration sum{0};

  void Add(Clock::duration duration) {
    histogram.Record(duration);
    sum += duration;
  }

  LoadResult Result() const {
    const double seconds = std::chrono::duration<double>(sum).count();
    return {.calls = histogram.count(),
            .seconds = seconds,
            .rate = static_cast<double>(histogram.count()) / seconds,
            .p50_us = histogram.QuantileMicroseconds(0.5),
            .p99_us = histogram.QuantileMicroseconds(0.99)};
  }
};

absl::StatusOr<std::vector<Durations>> RunRound(const std::vector<Operation>& operations,
                                                std::chrono::milliseconds window) {
  std::vector<Durations> durations(operations.size());
  const auto end = Clock::now() + window;
  while (Clock::now() < end) {
    if (Interrupted()) return InterruptedStatus();
    for (size_t i = 0; i < operations.size(); ++i) {
      const auto begin = Clock::now();
      if (absl::Status status = operations[i].run(); !status.ok()) {
        return Named(operations[i].name, status);
      }
      durations[i].Add(Clock::now() - begin);
    }
  }
  return durations;
}

}  // namespace

absl::StatusOr<Rounds> Interleave(const std::vector<Contender>& contenders, int rounds,
                                  const std::function<void()>& settle) {
  Rounds results(contenders.size());
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < contenders.size(); ++i) {
      settle();
      absl::StatusOr<LoadResult> result = contenders[i].measure();
      if (!result.ok()) return Named(contenders[i].name, result.status());
      results[i].push_back(*result);
    }
  }
  return results;
}

absl::StatusOr<Rounds> InterleaveOperations(const std::vector<Operation>& operations, int rounds,
                                            std::chrono::milliseconds window) {
  Rounds results(operations.size());
  for (int round = 0; round < rounds; ++round) {
    const auto durations = RunRound(operations, window);
    if (!durations.ok()) return durations.status();
    for (size_t i = 0; i < operations.size(); ++i) results[i].push_back((*durations)[i].Result());
  }
  return results;
}

}  // namespace pedigree::bench
