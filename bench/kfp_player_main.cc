// pedigree_kfp_player: loads a metadata server with the traffic of Kubeflow Pipelines and says how
// it fared. The server is used as it is: what is played stays in its store.
//
//   pedigree_kfp_player --server=127.0.0.1:8080 --shape=mixed --clients=64 --runs=64
#include <gflags/gflags.h>

#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/interrupt.h"
#include "bench/kfp_player.h"
#include "bench/text_table.h"

DEFINE_string(server, "127.0.0.1:8080", "the metadata server to play against");
DEFINE_string(shape, "mixed",
              "what to play: linear, fan-out, parallel-for, recorded or mixed, with a size after a "
              "colon if wanted (linear:10)");
DEFINE_int32(iterations, 0, "the size of the shape, for those who prefer a flag");
DEFINE_int64(runs, 0, "how many runs to play; 0: as many as there is time for");
DEFINE_int32(clients, 8, "runs at once");
DEFINE_int32(width, 1, "pods of a run at once");
DEFINE_double(seconds, 10, "how long to play if --runs is not given");
DEFINE_string(task_service, "auto",
              "on: the server's api.TaskService says what is cached; off: the player does; auto: "
              "the server if it has one");

namespace pedigree::bench {
namespace {

absl::StatusOr<KfpTaskService> TaskServiceFromFlag() {
  if (FLAGS_task_service == "auto") return KfpTaskService::kIfThere;
  if (FLAGS_task_service == "on") return KfpTaskService::kRequired;
  if (FLAGS_task_service == "off") return KfpTaskService::kUnused;
  return absl::InvalidArgumentError("--task_service is none of auto, on and off");
}

std::string CallTable(const KfpTally& tally) {
  TextTable table({"method", "code", "calls", "mean us"});
  for (const auto& [method, calls] : tally.calls) {
    const double us = std::chrono::duration<double, std::micro>(calls.time).count();
    table.AddRow({method.first, absl::StatusCodeToString(method.second), absl::StrCat(calls.count),
                  absl::StrFormat("%.0f", us / static_cast<double>(calls.count))});
  }
  return table.ToText();
}

void Print(const KfpPlayer& player, const KfpPlay& play) {
  const KfpTally& tally = play.tally;
  std::cout << CallTable(tally) << "\n"
            << absl::StrFormat(
                   "%d runs in %.2f s: %d tasks launched (%d failed), %d cached, %d skipped, %d "
                   "imported, %d DAGs; the cache is %s\n",
                   tally.runs, play.tasks.seconds, tally.launched, tally.failed, tally.cached,
                   tally.skipped, tally.imported, tally.dags,
                   player.uses_task_service() ? "the server's" : "the player's")
            << absl::StrFormat(
                   "%.1f tasks/s, p50 %.2f ms, p99 %.2f ms; %.1f RPCs a task, %.0f "
                   "RPCs/s; %d ABORTED, %d UNAVAILABLE\n",
                   play.tasks.rate, play.tasks.p50_us / 1e3, play.tasks.p99_us / 1e3,
                   play.CallsPerTask(), static_cast<double>(tally.AllCalls()) / play.tasks.seconds,
                   tally.CallsWith(absl::StatusCode::kAborted),
                   tally.CallsWith(absl::StatusCode::kUnavailable));
}

absl::Status CheckFlags() {
  if (FLAGS_clients < 1 || FLAGS_width < 1 || FLAGS_runs < 0 || FLAGS_seconds <= 0) {
    return absl::InvalidArgumentError("--clients, --width and --seconds must be above 0");
  }
  return absl::OkStatus();
}

absl::Status Run() {
  if (absl::Status flags = CheckFlags(); !flags.ok()) return flags;
  const auto task_service = TaskServiceFromFlag();
  if (!task_service.ok()) return task_service.status();
  const std::string shape =
      FLAGS_iterations > 0
          ? absl::StrCat(FLAGS_shape.substr(0, FLAGS_shape.find(':')), ":", FLAGS_iterations)
          : FLAGS_shape;
  const absl::StatusOr<KfpPipeline> pipeline = BuiltInPipeline(shape);
  if (!pipeline.ok()) return pipeline.status();
  auto player = KfpPlayer::Connect(FLAGS_server, {.task_service = *task_service});
  if (!player.ok()) return player.status();
  const KfpPlayOptions options{
      .clients = FLAGS_clients,
      .runs = FLAGS_runs,
      .duration = std::chrono::milliseconds(static_cast<int64_t>(FLAGS_seconds * 1e3)),
      .width = FLAGS_width};
  const absl::StatusOr<KfpPlay> play = (*player)->Play(*pipeline, options);
  if (!play.ok()) return play.status();
  Print(**player, *play);
  if (play->failed_runs == 0) return absl::OkStatus();
  return absl::Status(play->first_failure.code(),
                      absl::StrCat(play->failed_runs, " runs have failed, the first one: ",
                                   play->first_failure.message()));
}

}  // namespace
}  // namespace pedigree::bench

int main(int argc, char** argv) {
  gflags::SetUsageMessage("plays Kubeflow pipelines against a metadata server");
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  pedigree::bench::InstallInterruptHandlers();
  const absl::Status status = pedigree::bench::Run();
  if (status.ok()) return 0;
  std::cerr << "pedigree_kfp_player: " << status << "\n";
  return 1;
}
