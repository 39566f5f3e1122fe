// Repeats of several measurements in turn (A, B, C, A, B, C, ...), so that what else the machine
// does falls on all of them alike and their ratios hold.
//
// Threading: one thread.
//
//   auto rounds = Interleave({{"pedigreed", run_pedigreed}, {"echo", run_echo}}, 5, settle);
//   RatiosOf(ValuesOf((*rounds)[0], &LoadResult::rate), ValuesOf((*rounds)[1], &LoadResult::rate));
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/load_generator.h"

namespace pedigree::bench {

// The results of every contender, by round.
using Rounds = std::vector<std::vector<LoadResult>>;

// One of the measurements that are compared.
struct Contender {
  std::string name;
  std::function<absl::StatusOr<LoadResult>()> measure;
};

// Measures every contender `rounds` times, calling `settle` before each. The status of the first
// that failed, with its contender's name.
absl::StatusOr<Rounds> Interleave(const std::vector<Contender>& contenders, int rounds,
                                  const std::function<void()>& settle);

// One of the operations whose durations are compared.
struct Operation {
  std::string name;
  std::function<absl::Status()> run;
};

// Takes turns at single operations, for `rounds` rounds of `window` each: the finest interleaving,
// for latencies. A loop of nothing but fdatasync waits a scheduler tick (4 ms) each time on busy
// cores, while the same call between others takes 0.2 ms; so only this compares like with like. The
// results have no CPU times. Errors as Interleave; Cancelled on Ctrl-C.
absl::StatusOr<Rounds> InterleaveOperations(const std::vector<Operation>& operations, int rounds,
                                            std::chrono::milliseconds window);

}  // namespace pedigree::bench
