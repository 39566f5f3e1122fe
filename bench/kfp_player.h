// Plays pipelines against a metadata server as Kubeflow Pipelines does: many runs at once, each a
// sequence of pods whose every call depends on the answer before. Only the public protocol is used:
// any ML Metadata server can be loaded with it.
//
// What it leaves out: every pod of KFP opens a connection of its own, and its client waits and
// tries again after ABORTED and UNAVAILABLE. Here all share a few connections, and such an answer
// ends the run as a failure.
//
// Threading: one thread at a time.
//
//   auto player = KfpPlayer::Connect("127.0.0.1:8080", {});
//   auto played = (*player)->Play(*BuiltInPipeline("mixed"), {.clients = 64, .runs = 64});
//   printf("%.1f tasks/s, %s\n", played->tasks.rate, played->first_failure.ToString().c_str());
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/call_loop.h"
#include "bench/kfp_pipeline.h"
#include "bench/kfp_run.h"
#include "bench/load_generator.h"

namespace pedigree::bench {

// Who knows which steps have been cached.
enum class KfpTaskService {
  kIfThere,   // The server's api.TaskService if it has one, or else the player.
  kRequired,  // The server.
  kUnused,    // The player.
};

struct KfpConnectOptions {
  int channels = 2;
  KfpTaskService task_service = KfpTaskService::kIfThere;
  // Sets the runs of this player apart from those of others on the same server; 0: by the clock.
  uint64_t nonce = 0;
};

struct KfpPlayOptions {
  int clients = 1;  // Runs at once.
  // How many runs to play, all of which are measured; 0: as many as there is time for.
  int64_t runs = 0;
  // With `runs` = 0: time that is not measured, and time that is. Runs at its end are cut off.
  std::chrono::milliseconds warm_up{0};
  std::chrono::milliseconds duration{1000};
  int width = 1;  // Pods of a run at once.
  // The process whose CPU is charged; 0 for none.
  pid_t server_pid = 0;
  // Instead of runs of their own, all clients play this one (kfp_run.h); the server is the echo.
  const KfpRecording* replay = nullptr;
  KfpCallListener listener = nullptr;
};

struct KfpPlay {
  // Tasks in place of calls: their rate, their times from the driver's first call to the launcher's
  // last, and CPU per task. Without times if there was no task.
  LoadResult tasks;
  KfpTally tally;
  uint64_t failed_runs = 0;
  absl::Status first_failure;

  double CallsPerTask() const;  // Of driver and launcher.
};

class KfpPlayer {
 public:
  // Unavailable if nobody listens at `target`, or if it has no TaskService and needs one.
  static absl::StatusOr<std::unique_ptr<KfpPlayer>> Connect(const std::string& target,
                                                            const KfpConnectOptions& options);

  bool uses_task_service() const { return uses_task_service_; }

  // Plays runs of `pipeline`. A run that fails does not end the others. Cancelled on Ctrl-C,
  // DeadlineExceeded if the server does not answer for 30 s.
  absl::StatusOr<KfpPlay> Play(const KfpPipeline& pipeline, const KfpPlayOptions& options);

  // Plays one run and records it. The failure of the run, if it fails.
  absl::StatusOr<KfpRecording> Record(const KfpPipeline& pipeline);

 private:
  class Session;

  KfpPlayer(std::unique_ptr<CallLoop> loop, uint64_t nonce)
      : loop_(std::move(loop)), nonce_(nonce) {}

  absl::Status FindTaskService(KfpTaskService use);

  std::unique_ptr<CallLoop> loop_;
  const uint64_t nonce_;
  bool uses_task_service_ = false;
  KfpLocalCache local_cache_;
  int64_t next_run_ = 0;
};

}  // namespace pedigree::bench
