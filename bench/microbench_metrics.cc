// What counting and timing a call costs: the same for every call of every transport.
#include <benchmark/benchmark.h>

#include "server/call_metrics.h"

namespace pedigree::bench {
namespace {

// Of one method: threads share its numbers, which is the worst that there is.
void BM_CountCall(benchmark::State& state) {
  static CallMetrics* const metrics = new CallMetrics(AllServices());
  const Method& method = *FindMethod("PutExecution");
  for (auto _ : state) {
    CallTimer timer(metrics->Find(method));
    timer.Finish(absl::StatusCode::kOk);
  }
}
BENCHMARK(BM_CountCall)->Threads(1)->Threads(2)->UseRealTime();

}  // namespace
}  // namespace pedigree::bench
