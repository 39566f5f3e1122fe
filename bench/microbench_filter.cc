// What it costs to parse a filter.
#include <benchmark/benchmark.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "query/filter_parser.h"

namespace pedigree::bench {
namespace {

// Ten terms of the kinds that clients send.
constexpr char kTenTerms[] =
    "type = 'Model' AND state = LIVE AND (contexts_run.type = 'system.PipelineRun' AND "
    "contexts_run.name = 'run-1795411317711759931') AND "
    "(custom_properties.stage.string_value IN ('prod', 'canary') OR "
    "properties.accuracy.double_value > 0.9) AND NOT uri LIKE 'gs://scratch/%' AND "
    "create_time_since_epoch >= 1795411004187 AND events_0.type = OUTPUT AND "
    "name IS NOT NULL";

void BM_ParseFilter(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(ParseFilter(NodeKind::kArtifact, kTenTerms));
  }
}
BENCHMARK(BM_ParseFilter);

// What Kubeflow's pages send.
void BM_ParseFilterOfOneTerm(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        ParseFilter(NodeKind::kExecution, "custom_properties.parent_dag_id.int_value = 1"));
  }
}
BENCHMARK(BM_ParseFilterOfOneTerm);

// Linear: the time per item is the same for all.
void BM_ParseFilterOfAList(benchmark::State& state) {
  std::string text = "id IN (0";
  for (int64_t i = 1; i < state.range(0); ++i) absl::StrAppend(&text, ", ", i);
  text.push_back(')');
  for (auto _ : state) benchmark::DoNotOptimize(ParseFilter(NodeKind::kArtifact, text));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_ParseFilterOfAList)->Arg(100)->Arg(10'000)->Arg(100'000);

}  // namespace
}  // namespace pedigree::bench
