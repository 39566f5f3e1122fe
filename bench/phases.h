// The phases of a benchmark run. Each starts the servers it needs, measures, and adds its loads and
// figures, with the targets that the project has set itself, to the report.
//
// Threading: the main thread (see child_process.h).
//
//   Bench bench{settings, *echo, report};
//   absl::Status status = RunPutExecutionPhase(bench);
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/interleave.h"
#include "bench/report.h"
#include "bench/servers.h"
#include "bench/workload.h"

namespace pedigree::bench {

// How much to measure, and what.
struct Settings {
  std::string program;                    // path of pedigreed
  std::vector<std::string> server_flags;  // for every pedigreed, beyond the memory bounds
  std::string directory;                  // scratch: data, logs
  int rounds = 9;
  std::chrono::milliseconds warm_up{300};
  std::chrono::milliseconds window{1200};
  int64_t memory_nodes = 1'000'000;
  // What bounds the memory of every pedigreed: its --block_cache_bytes and --write_buffer_bytes.
  int64_t block_cache_mib = 256;
  int64_t write_buffer_mib = 64;
  int64_t cache_fingerprints = 10'000'000;
  // Where the stores of the cache phase stay for other runs; in `directory` if empty.
  std::string keep_directory;
  std::string plot;  // Where to write the plot of closures, as SVG; nowhere if empty.
};

// What every phase uses.
struct Bench {
  const Settings& settings;
  MeasuredServer& echo;
  Report& report;
};

// Starts a pedigreed called `name` with the flags of `settings` and --sync=`sync`, on a new store
// or on that in `data_dir`.
absl::StatusOr<std::unique_ptr<MeasuredServer>> StartPedigreed(const Settings& settings,
                                                               const std::string& name,
                                                               const std::string& sync,
                                                               const std::string& data_dir = "");

// A load on `server` with the windows of `settings`. `next_request` is borrowed and outlives it.
Contender ServerLoad(MeasuredServer& server, const std::string& method, int in_flight,
                     const RequestFactory& next_request, const Settings& settings);

// The echo's CPU per call over the server's, client included, by round: the share of the echo that
// the other work on the cores disturbs least.
std::vector<double> SharesByCpu(const std::vector<LoadResult>& server,
                                const std::vector<LoadResult>& echo);

// PutExecution with 64 in flight and with 1, durable and not, against the echo, the disk's
// fdatasync and raw RocksDB writes.
absl::Status RunPutExecutionPhase(const Bench& bench);

// PutExecution with 64 in flight, with the journal and without.
absl::Status RunJournalPhase(const Bench& bench);

// A server that holds artifacts with the ids 1 to `artifacts`.
struct LoadedServer {
  std::unique_ptr<MeasuredServer> server;
  KfpRun run;
  int64_t artifacts = 0;
};

// Memory of an idle server and of one with `memory_nodes` artifacts, which is handed on.
absl::StatusOr<LoadedServer> RunMemoryPhase(const Bench& bench);

// GetArtifactsByID and GetContextByTypeAndName against the echo, on a loaded server; and the CPU
// cost of a node in an answer.
absl::Status RunReadPhase(const Bench& bench, LoadedServer& loaded);

// The common filters against reads by id, with 10,000 executions and with `memory_nodes`.
absl::Status RunFilterPhase(const Bench& bench);

// Walks over the graph of events against compressed sparse rows, with `memory_nodes` executions;
// GetLineageSubgraph over gRPC; the graph's memory, and how fast it is there after a start.
absl::Status RunLineagePhase(const Bench& bench);

// Kubeflow's task lifecycles at 8 clients and at 1 against the same calls at a bare gRPC server; a
// loop of 60 iterations; 64 runs at once.
absl::Status RunKfpPhase(const Bench& bench);

// CacheService.Lookup among 10,000 fingerprints and among `cache_fingerprints`, against the echo
// and one another.
absl::Status RunCachePhase(const Bench& bench);

}  // namespace pedigree::bench
