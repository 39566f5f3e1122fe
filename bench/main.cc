// pedigree_bench: the whole benchmark in one command. Starts pedigreed and the yardsticks on
// 127.0.0.1, loads them in turn, and prints every figure with its ratio and its target.
#include <gflags/gflags.h>
#include <unistd.h>

#include <chrono>
#include <climits>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "bench/echo_server.h"
#include "bench/hardware.h"
#include "bench/interrupt.h"
#include "bench/phases.h"
#include "bench/process_usage.h"
#include "bench/report.h"
#include "bench/scratch_directory.h"

DEFINE_bool(quick, false, "about a minute: shorter windows, fewer rounds, 100,000 nodes");
DEFINE_string(json, "", "also write the report, with every round's values, to this file");
DEFINE_string(dir, "", "parent of the scratch directory; default: $TMPDIR, else /tmp");
DEFINE_string(pedigreed, "", "the server to measure; default: pedigreed beside this program");
DEFINE_string(server_flags, "", "flags for every pedigreed, separated by blanks");
DEFINE_string(
    phases, "memory,reads,filters,lineage,writes,journal,kfp",
    "which phases to run; reads need memory. Besides: cache, which takes long to fill its "
    "store");
DEFINE_int64(cache_fingerprints, 0,
             "of the cache phase's large store; default: 10,000,000, quick 1,000,000");
DEFINE_string(keep_dir, "",
              "where the cache phase keeps its stores for other runs of the same version; remove "
              "them yourself; default: the scratch directory");
DEFINE_int64(memory_nodes, 0, "artifacts of the memory phase; default: 1,000,000, quick 100,000");
DEFINE_string(plot, "", "write a plot of time against closure size to this file, as SVG");
DEFINE_int64(block_cache_mib, 256, "--block_cache_bytes of every pedigreed");
DEFINE_int64(write_buffer_mib, 64, "--write_buffer_bytes of every pedigreed");
DEFINE_string(role, "bench", "internal: `echo` makes this process the echo server");
DEFINE_int32(echo_port, 0, "internal: where the echo server listens");

namespace pedigree::bench {
namespace {

std::string ScratchParent() {
  if (!FLAGS_dir.empty()) return FLAGS_dir;
  const char* from_environment = std::getenv("TMPDIR");
  return from_environment != nullptr && *from_environment != '\0' ? from_environment : "/tmp";
}

std::string DefaultProgram() {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  const std::string self(path, length > 0 ? static_cast<size_t>(length) : 0);
  return self.substr(0, self.rfind('/') + 1) + "pedigreed";
}

Settings SettingsFromFlags(const std::string& scratch) {
  Settings settings;
  settings.program = FLAGS_pedigreed.empty() ? DefaultProgram() : FLAGS_pedigreed;
  settings.server_flags = absl::StrSplit(FLAGS_server_flags, ' ', absl::SkipEmpty());
  settings.directory = scratch;
  if (FLAGS_quick) {
    settings.rounds = 5;
    settings.warm_up = std::chrono::milliseconds(100);
    settings.window = std::chrono::milliseconds(400);
    settings.memory_nodes = 100'000;
    settings.cache_fingerprints = 1'000'000;
  }
  settings.plot = FLAGS_plot;
  settings.block_cache_mib = FLAGS_block_cache_mib;
  settings.write_buffer_mib = FLAGS_write_buffer_mib;
  settings.keep_directory = FLAGS_keep_dir;
  if (FLAGS_cache_fingerprints > 0) settings.cache_fingerprints = FLAGS_cache_fingerprints;
  if (FLAGS_memory_nodes > 0) settings.memory_nodes = FLAGS_memory_nodes;
  return settings;
}

bool IsWanted(const std::string& phase) {
  for (absl::string_view wanted : absl::StrSplit(FLAGS_phases, ',')) {
    if (wanted == phase) return true;
  }
  return false;
}

// Runs `phase` and reports how long it took.
template <class Phase>
auto Timed(Report& report, const std::string& name, Phase phase) {
  std::cerr << "pedigree_bench: " << name << " ..." << std::endl;
  const auto begin = std::chrono::steady_clock::now();
  auto result = phase();
  report.AddPhase(name,
                  std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  return result;
}

absl::Status RunPhases(const Bench& bench) {
  if (IsWanted("memory")) {
    absl::StatusOr<LoadedServer> loaded =
        Timed(bench.report, "memory", [&] { return RunMemoryPhase(bench); });
    if (!loaded.ok()) return loaded.status();
    if (IsWanted("reads")) {
      absl::Status read =
          Timed(bench.report, "reads", [&] { return RunReadPhase(bench, *loaded); });
      if (!read.ok()) return read;
    }
  }
  if (IsWanted("filters")) {
    absl::Status filtered = Timed(bench.report, "filters", [&] { return RunFilterPhase(bench); });
    if (!filtered.ok()) return filtered;
  }
  if (IsWanted("lineage")) {
    absl::Status walked = Timed(bench.report, "lineage", [&] { return RunLineagePhase(bench); });
    if (!walked.ok()) return walked;
  }
  if (IsWanted("writes")) {
    absl::Status put = Timed(bench.report, "writes", [&] { return RunPutExecutionPhase(bench); });
    if (!put.ok()) return put;
  }
  if (IsWanted("journal")) {
    absl::Status put = Timed(bench.report, "journal", [&] { return RunJournalPhase(bench); });
    if (!put.ok()) return put;
  }
  if (IsWanted("kfp")) {
    absl::Status played = Timed(bench.report, "kfp", [&] { return RunKfpPhase(bench); });
    if (!played.ok()) return played;
  }
  if (!IsWanted("cache")) return absl::OkStatus();
  return Timed(bench.report, "cache", [&] { return RunCachePhase(bench); });
}

absl::Status WriteJson(const Report& report) {
  if (FLAGS_json.empty()) return absl::OkStatus();
  std::ofstream file(FLAGS_json);
  file << report.ToJson();
  file.close();
  if (!file) return absl::UnavailableError(absl::StrCat("cannot write ", FLAGS_json));
  return absl::OkStatus();
}

void AddDisturbance(const CoreWatch& cores, Report& report) {
  constexpr double kMuch = 0.2;
  const absl::StatusOr<double> others = cores.CoresBusyWithOthers();
  if (!others.ok()) return;
  report.AddFact(
      "disturbance",
      absl::StrFormat("other processes kept %.2f cores busy meanwhile%s", *others,
                      *others > kMuch ? ": trust the lines by CPU, not those by rate" : ""));
}

absl::Status RunBenchmark() {
  absl::StatusOr<std::unique_ptr<ScratchDirectory>> scratch =
      ScratchDirectory::Create(ScratchParent());
  if (!scratch.ok()) return scratch.status();
  const Settings settings = SettingsFromFlags((*scratch)->path());
  absl::StatusOr<std::unique_ptr<MeasuredServer>> echo = StartEcho(settings.directory);
  if (!echo.ok()) return echo.status();
  const CoreWatch cores;
  Report report;
  report.AddFact("hardware", HardwareLine(settings.directory));
  if (IsInMemory(settings.directory)) {
    report.AddFact("WARNING", "the scratch directory is in memory: fsync costs nothing; use --dir");
  }
  const absl::Status measured = RunPhases({settings, **echo, report});
  const absl::Status echo_stopped = (*echo)->Stop();
  AddDisturbance(cores, report);
  std::cout << report.ToText();
  if (!measured.ok()) return measured;
  if (!echo_stopped.ok()) return echo_stopped;
  return WriteJson(report);
}

}  // namespace
}  // namespace pedigree::bench

int main(int argc, char** argv) {
  gflags::SetUsageMessage("measures pedigreed against a bare gRPC echo and raw RocksDB");
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // As pedigreed does.
  absl::Status status;
  if (FLAGS_role == "echo") {
    status = pedigree::bench::ServeEcho(static_cast<uint16_t>(FLAGS_echo_port));
  } else {
    pedigree::bench::InstallInterruptHandlers();
    status = pedigree::bench::RunBenchmark();
  }
  if (status.ok()) return 0;
  std::cerr << "pedigree_bench: " << status << "\n";
  return 1;
}
