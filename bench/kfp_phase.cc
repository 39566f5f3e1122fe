// Task lifecycles of Kubeflow Pipelines: one client and eight of them against the same calls at a
// bare gRPC server; a loop of 60 iterations; 64 runs at once.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/interleave.h"
#include "bench/kfp_player.h"
#include "bench/phases.h"
#include "bench/statistics.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"

namespace pedigree::bench {
namespace {

constexpr char kLifecycles[] = "linear:10";
constexpr int kIterations = 60;
constexpr int kLoops = 3;
constexpr int kRunsAtOnce = 64;
constexpr int kPodsOfRunAtOnce = 4;

// A pedigreed, who plays against it, and who plays the same against the echo.
struct Stage {
  std::unique_ptr<MeasuredServer> server;
  std::unique_ptr<KfpPlayer> player;
  std::unique_ptr<KfpPlayer> replayer;
};

absl::StatusOr<Stage> SetStage(const Bench& bench) {
  Stage stage;
  auto server = StartPedigreed(bench.settings, "pedigreed --sync=always", "always");
  if (!server.ok()) return server.status();
  stage.server = *std::move(server);
  auto player = KfpPlayer::Connect(stage.server->address(), {});
  if (!player.ok()) return player.status();
  stage.player = *std::move(player);
  auto replayer =
      KfpPlayer::Connect(bench.echo.address(), {.task_service = KfpTaskService::kUnused});
  if (!replayer.ok()) return replayer.status();
  stage.replayer = *std::move(replayer);
  bench.report.AddFact(
      "KFP", absl::StrCat("what is cached is known to the ", stage.player->uses_task_service()
                                                                 ? "server's api.TaskService"
                                                                 : "player: no api.TaskService"));
  return stage;
}

// What was played, unless a run failed.
absl::StatusOr<KfpPlay> PlayWell(KfpPlayer& player, const std::string& shape,
                                 const KfpPlayOptions& options) {
  const absl::StatusOr<KfpPipeline> pipeline = BuiltInPipeline(shape);
  if (!pipeline.ok()) return pipeline.status();
  absl::StatusOr<KfpPlay> play = player.Play(*pipeline, options);
  if (play.ok() && play->failed_runs > 0) return play->first_failure;
  return play;
}

absl::StatusOr<KfpRecording> RecordLaterRun(KfpPlayer& player) {
  const absl::StatusOr<KfpPlay> first = PlayWell(player, kLifecycles, {.runs = 1});
  if (!first.ok()) return first.status();
  return player.Record(*BuiltInPipeline(kLifecycles));
}

absl::Status MeasureLifecycles(const Bench& bench, Stage& stage, int clients, double target) {
  const Settings& settings = bench.settings;
  const absl::StatusOr<KfpRecording> recording = RecordLaterRun(*stage.player);
  if (!recording.ok()) return recording.status();
  std::vector<double> calls_per_task;
  const KfpPlayOptions options{.clients = clients,
                               .warm_up = settings.warm_up,
                               .duration = settings.window,
                               .server_pid = stage.server->pid()};
  KfpPlayOptions replay_options = options;
  replay_options.server_pid = bench.echo.pid();
  replay_options.replay = &*recording;
  const auto play = [&]() -> absl::StatusOr<LoadResult> {
    const absl::StatusOr<KfpPlay> played = PlayWell(*stage.player, kLifecycles, options);
    if (!played.ok()) return played.status();
    calls_per_task.push_back(played->CallsPerTask());
    return played->tasks;
  };
  const auto replay = [&]() -> absl::StatusOr<LoadResult> {
    const absl::StatusOr<KfpPlay> played = PlayWell(*stage.replayer, kLifecycles, replay_options);
    if (!played.ok()) return played.status();
    return played->tasks;
  };
  const absl::StatusOr<Rounds> rounds =
      Interleave({{stage.server->name(), play}, {"the same calls, bare gRPC", replay}},
                 settings.rounds, [&stage] { WaitUntilIdle({stage.server.get()}); });
  if (!rounds.ok()) return rounds.status();
  const std::string name =
      absl::StrFormat("KFP task lifecycles, %d client%s", clients, clients == 1 ? "" : "s");
  bench.report.AddLoad(name + " (a call is a task)", stage.server->name(), (*rounds)[0]);
  bench.report.AddLoad(name + " (a call is a task)", "the same calls, bare gRPC", (*rounds)[1]);
  bench.report.AddFigure({.name = name + " / the same calls, bare gRPC",
                          .values = RatiosOf(ValuesOf((*rounds)[0], &LoadResult::rate),
                                             ValuesOf((*rounds)[1], &LoadResult::rate)),
                          .target = AtLeast(target),
                          .note = "rates; the client's work is the same, parsing included"});
  bench.report.AddFigure({.name = "  the same by CPU of both sides",
                          .values = SharesByCpu((*rounds)[0], (*rounds)[1])});
  bench.report.AddFigure({.name = "  tasks",
                          .unit = Unit::kPerSecond,
                          .values = ValuesOf((*rounds)[0], &LoadResult::rate),
                          .note = clients == 1 ? "the peer: 8.6 /s" : "the peer: 3.9 /s"});
  bench.report.AddFigure({.name = "  RPCs a task, driver and launcher",
                          .unit = Unit::kCount,
                          .values = calls_per_task});
  return absl::OkStatus();
}

absl::Status MeasureLoop(const Bench& bench, Stage& stage) {
  const std::string shape = absl::StrCat("parallel-for:", kIterations);
  std::vector<double> seconds, calls;
  for (int i = 0; i < kLoops; ++i) {
    WaitUntilIdle({stage.server.get()});
    const absl::StatusOr<KfpPlay> play = PlayWell(*stage.player, shape, {.runs = 1});
    if (!play.ok()) return play.status();
    seconds.push_back(play->tasks.seconds);
    calls.push_back(static_cast<double>(play->tally.AllCalls()));
  }
  const std::string name = absl::StrFormat("KFP parallel-for of %d iterations", kIterations);
  bench.report.AddFigure({.name = name,
                          .unit = Unit::kSeconds,
                          .values = seconds,
                          .note = "one pod after the other; the peer: 25 s"});
  bench.report.AddFigure(
      {.name = "  RPCs", .unit = Unit::kCount, .values = calls, .note = "the peer: 2,748"});
  return absl::OkStatus();
}

absl::Status MeasureManyRuns(const Bench& bench, Stage& stage) {
  const absl::StatusOr<KfpPipeline> pipeline = BuiltInPipeline("mixed");
  const absl::StatusOr<KfpPlay> play = stage.player->Play(
      *pipeline, {.clients = kRunsAtOnce, .runs = kRunsAtOnce, .width = kPodsOfRunAtOnce});
  if (!play.ok()) return play.status();
  if (!play->first_failure.ok()) {
    bench.report.AddFact("the first run that failed", play->first_failure.ToString());
  }
  const std::string name =
      absl::StrFormat("KFP, %d runs at once of %d pods each", kRunsAtOnce, kPodsOfRunAtOnce);
  const auto count = [&](const std::string& what, double value) {
    bench.report.AddFigure({.name = absl::StrCat(name, ": ", what),
                            .unit = Unit::kCount,
                            .values = {value},
                            .target = AtMost(0)});
  };
  count("runs that failed", static_cast<double>(play->failed_runs));
  count("ABORTED", static_cast<double>(play->tally.CallsWith(absl::StatusCode::kAborted)));
  bench.report.AddFigure(
      {.name = "  RPCs",
       .unit = Unit::kPerSecond,
       .values = {static_cast<double>(play->tally.AllCalls()) / play->tasks.seconds},
       .note = absl::StrFormat("%d tasks launched, %d cached, %d skipped in "
                               "%.2f s",
                               play->tally.launched, play->tally.cached, play->tally.skipped,
                               play->tasks.seconds)});
  return absl::OkStatus();
}

// On the peer a scan of all associations, four times a task.
absl::Status MeasureContextsByExecution(const Bench& bench, Stage& stage) {
  namespace mlmd = ml_metadata;
  mlmd::GetContextsByExecutionRequest contexts;
  contexts.set_execution_id(1);
  mlmd::GetExecutionsByIDRequest execution;
  execution.add_execution_ids(1);
  const auto ask = [&stage](const std::string& method, const std::string& request) {
    return stage.server->client()
        .Call(absl::StrCat("/ml_metadata.MetadataStoreService/", method), request)
        .status();
  };
  const absl::StatusOr<Rounds> rounds = InterleaveOperations(
      {{"GetContextsByExecution",
        [&] { return ask("GetContextsByExecution", contexts.SerializeAsString()); }},
       {"GetExecutionsByID",
        [&] { return ask("GetExecutionsByID", execution.SerializeAsString()); }}},
      bench.settings.rounds, bench.settings.window / 4);
  if (!rounds.ok()) return rounds.status();
  bench.report.AddFigure({.name = "GetContextsByExecution: p50 / GetExecutionsByID of 1",
                          .unit = Unit::kTimes,
                          .values = RatiosOf(ValuesOf((*rounds)[0], &LoadResult::p50_us),
                                             ValuesOf((*rounds)[1], &LoadResult::p50_us)),
                          .target = AtMost(1.5),
                          .note = "after all of the above is in the store"});
  return absl::OkStatus();
}

}  // namespace

absl::Status RunKfpPhase(const Bench& bench) {
  absl::StatusOr<Stage> stage = SetStage(bench);
  if (!stage.ok()) return stage.status();
  if (absl::Status status = MeasureLifecycles(bench, *stage, 8, 0.6); !status.ok()) return status;
  if (absl::Status status = MeasureLifecycles(bench, *stage, 1, 0.4); !status.ok()) return status;
  if (absl::Status status = MeasureLoop(bench, *stage); !status.ok()) return status;
  if (absl::Status status = MeasureManyRuns(bench, *stage); !status.ok()) return status;
  if (absl::Status status = MeasureContextsByExecution(bench, *stage); !status.ok()) return status;
  stage->player.reset();
  return stage->server->Stop();
}

}  // namespace pedigree::bench
