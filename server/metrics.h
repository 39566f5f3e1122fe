// The page of /metrics: all that the server counts, in Prometheus' text format.
//
// The only place that knows a library for Prometheus. The numbers are counted where they arise
// (call_metrics.h, store/statistics.h, http/options.h) and gathered here when somebody asks.
// Threads: any; it may wait for a moment.
//
//   std::string page = MetricsText({.version = "0.1.0", .store = &store, ...});
#pragma once

#include <string>

#include "server/admin.h"
#include "server/call_metrics.h"
#include "server/http/options.h"
#include "server/process_statistics.h"
#include "store/statistics.h"

namespace pedigree {

// What is there at one moment. Nothing is owned.
struct MetricsSources {
  std::string version;
  const CallMetrics* calls = nullptr;
  StoreStatistics store;
  bool accepts_writes = true;
  BackupNumbers backups;
  HttpStatistics http;
  ProcessStatistics process;
};

std::string MetricsText(const MetricsSources& sources);

}  // namespace pedigree
