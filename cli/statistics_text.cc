#include "cli/statistics_text.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/facts.h"

namespace pedigree::cli {
namespace {

using Types = google::protobuf::RepeatedPtrField<v1::TypeStatistics>;

int64_t NodesOf(const Types& types) {
  int64_t nodes = 0;
  for (const v1::TypeStatistics& type : types) nodes += type.nodes();
  return nodes;
}

enum class Unused : uint8_t { kShown, kHidden };

void AddRows(const char* kind, const Types& types, Unused unused, Table* table) {
  std::vector<const v1::TypeStatistics*> sorted;
  for (const v1::TypeStatistics& type : types) {
    if (unused == Unused::kShown || type.nodes() > 0) sorted.push_back(&type);
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto* a, const auto* b) { return a->nodes() > b->nodes(); });
  for (const v1::TypeStatistics* type : sorted) {
    table->AddRow({kind, type->name(), type->version(), absl::StrCat(type->nodes())});
  }
}

Table TableOf(const v1::GetStatisticsResponse& statistics, Unused unused) {
  Table table({{"KIND"}, {"TYPE"}, {"VERSION"}, {"NODES", Align::kRight}});
  AddRows("artifact", statistics.artifact_types(), unused, &table);
  AddRows("execution", statistics.execution_types(), unused, &table);
  AddRows("context", statistics.context_types(), unused, &table);
  return table;
}

}  // namespace

Table TypeTable(const v1::GetStatisticsResponse& statistics) {
  return TableOf(statistics, Unused::kShown);
}

std::string StatisticsText(const v1::GetStatisticsResponse& statistics, const Screen& screen) {
  Facts facts;
  facts.Add("artifacts", Grouped(NodesOf(statistics.artifact_types())));
  facts.Add("executions", Grouped(NodesOf(statistics.execution_types())));
  facts.Add("contexts", Grouped(NodesOf(statistics.context_types())));
  facts.Add("events", Grouped(statistics.events()));
  facts.Add("last write", screen.Time(statistics.last_write_ms()));
  facts.Add("on the disk", ShortBytes(statistics.disk_bytes()));
  facts.Add("graph in memory", ShortBytes(statistics.graph_bytes()));
  facts.Add("block cache", ShortBytes(statistics.block_cache_bytes()));
  facts.Add("record cache", ShortBytes(statistics.record_cache_bytes()));
  facts.Add("version", statistics.version());
  facts.Add("up for", ShortDuration(statistics.uptime_ms()));
  return absl::StrCat(facts.ToText(screen), "\n",
                      TableOf(statistics, Unused::kHidden).ToText(screen));
}

}  // namespace pedigree::cli
