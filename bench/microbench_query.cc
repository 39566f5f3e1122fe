// What planning a filter costs, and going through nodes that no index narrows down.
#include <benchmark/benchmark.h>

#include <string>

#include "bench/store_fixture.h"
#include "query/filter_parser.h"
#include "query/filter_plan.h"
#include "query/list.h"

namespace pedigree::bench {
namespace {

constexpr int64_t kArtifacts = 200'000;

StoreFixture* Fixture(benchmark::State& state) {
  static auto fixture = StoreFixture::Create(kArtifacts);
  if (fixture.ok()) return fixture->get();
  state.SkipWithError(std::string(fixture.status().message()).c_str());
  return nullptr;
}

// Ten terms that offer no unique look-up, so that the planner goes through all its steps.
constexpr char kTenTerms[] =
    "type = 'system.Dataset' AND state = LIVE AND contexts_run.type = 'system.PipelineRun' AND "
    "contexts_run.name = '5e0bd5ea-1795-4113-b759-0ea2c1e0f0a1' AND "
    "custom_properties.stage.string_value IN ('a', 'b') AND "
    "NOT uri LIKE 'gs://scratch/%' AND id > 100 AND events_0.type = OUTPUT AND "
    "custom_properties.size.int_value > 5 AND name IS NOT NULL";

void BM_ParseAndPlanTenTerms(benchmark::State& state) {
  StoreFixture* fixture = Fixture(state);
  if (fixture == nullptr) return;
  (void)fixture->store().Read(Blocking::kAllowed, [&](const Reader& reader) {
    for (auto _ : state) {
      auto filter = ParseFilter(NodeKind::kArtifact, kTenTerms);
      auto plan = PlanFilter(reader, *filter, ListScope::All());
      if (!plan.ok()) state.SkipWithError("the filter cannot be planned");
      benchmark::DoNotOptimize(plan);
    }
    return absl::OkStatus();
  });
}
BENCHMARK(BM_ParseAndPlanTenTerms);

// A filter that no index serves and no node matches, over all nodes.
void Scan(benchmark::State& state, const std::string& text) {
  StoreFixture* fixture = Fixture(state);
  if (fixture == nullptr) return;
  ml_metadata::ListOperationOptions options;
  options.set_filter_query(text);
  const ListQuery query = {"GetArtifacts", NodeKind::kArtifact, ListScope::All(), &options};
  for (auto _ : state) {
    (void)fixture->store().Read(Blocking::kAllowed, [&](const Reader& reader) {
      auto token = ListNodes(reader, query, [&](int64_t, const RecordView&) {
        state.SkipWithError("a node matches");
      });
      if (!token.ok()) state.SkipWithError("the list fails");
      return absl::OkStatus();
    });
  }
  state.SetItemsProcessed(state.iterations() * kArtifacts);
}

void BM_ScanByState(benchmark::State& state) { Scan(state, "state = PENDING"); }
BENCHMARK(BM_ScanByState)->Unit(benchmark::kMillisecond);

void BM_ScanByProperty(benchmark::State& state) {
  Scan(state, "custom_properties.display_name.string_value = 'no such name'");
}
BENCHMARK(BM_ScanByProperty)->Unit(benchmark::kMillisecond);

void BM_ScanByLike(benchmark::State& state) { Scan(state, "uri LIKE '%no such uri%'"); }
BENCHMARK(BM_ScanByLike)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace pedigree::bench
