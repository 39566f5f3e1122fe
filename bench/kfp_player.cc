#include "bench/kfp_player.h"

#include <unistd.h>

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/interrupt.h"
#include "bench/kfp_messages.h"
#include "bench/kfp_programs.h"
#include "bench/kfp_task_service.h"
#include "bench/process_usage.h"

namespace pedigree::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kSilencePatience{30};

uint64_t NonceOfClock() {
  return static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()) ^
         (static_cast<uint64_t>(getpid()) << 48);
}

Coroutine<void> AskOnce(CallLoop& loop, Activity& activity, const std::string& method,
                        const std::string& request, absl::Status& status) {
  const grpc::ByteBuffer bytes = ByteBufferOf(request);
  const CallLoop::Answer answer = co_await loop.Call(activity, method, bytes);
  status = answer.status;
}

}  // namespace

double KfpPlay::CallsPerTask() const {
  const auto calls = tally.calls_of_pods[static_cast<size_t>(PodKind::kContainerDriver)] +
                     tally.calls_of_pods[static_cast<size_t>(PodKind::kLauncher)];
  return tally.launched == 0 ? 0 : static_cast<double>(calls) / static_cast<double>(tally.launched);
}

// One Play: the clients with their runs, and the window in which they are measured.
class KfpPlayer::Session {
 public:
  Session(KfpPlayer& player, const KfpPipeline& pipeline, const KfpPlayOptions& options,
          KfpRecording* recording)
      : player_(player),
        pipeline_(pipeline),
        options_(options),
        recording_(recording),
        clients_(static_cast<size_t>(options.clients)) {}

  absl::StatusOr<KfpPlay> Play() {
    begin_ = last_answer_ = Clock::now();
    if (IsCounted() || options_.warm_up.count() == 0) Open();
    for (Client& client : clients_) StartRun(client);
    while (busy_ > 0) Step();
    if (!ended_by_.ok()) return ended_by_;
    Close();
    return Result();
  }

 private:
  struct Client {
    std::optional<PlayedRun> run;  // Destroyed after the activity that uses it.
    std::optional<Activity> activity;
  };

  struct Readings {
    Clock::time_point time;
    double server_cpu_s = 0;
    double client_cpu_s = 0;
  };

  enum class Window { kWarmUp, kOpen, kClosed };

  bool IsCounted() const { return options_.runs > 0; }

  Readings ReadNow() const {
    const pid_t server = options_.server_pid;
    return {Clock::now(), server == 0 ? 0 : CpuSecondsOf(server).value_or(0),
            CpuSecondsOf(getpid()).value_or(0)};
  }

  void Open() {
    play_.tally = KfpTally();
    opened_ = ReadNow();
    window_ = Window::kOpen;
  }

  void Close() {
    if (window_ == Window::kClosed) return;
    closed_ = ReadNow();
    window_ = Window::kClosed;
  }

  void MoveWindow() {
    if (IsCounted() || window_ == Window::kClosed) return;
    const auto now = Clock::now();
    if (window_ == Window::kWarmUp && now - begin_ >= options_.warm_up) Open();
    if (window_ != Window::kOpen || now - opened_.time < options_.duration) return;
    Close();
    measured_ = play_.tally;
    CutOff();
  }

  // Ends all runs where they are; their calls in flight come back on their own.
  void CutOff() {
    for (Client& client : clients_) {
      if (client.activity && client.activity->failure.ok()) {
        client.activity->failure = absl::CancelledError("cut off");
      }
    }
  }

  bool WantsAnotherRun() const {
    if (!ended_by_.ok() || window_ == Window::kClosed) return false;
    return !IsCounted() || started_ < options_.runs;
  }

  void StartRun(Client& client) {
    client.activity.reset();
    client.run.reset();
    if (!WantsAnotherRun()) return;
    ++started_;
    ++busy_;
    client.activity.emplace();
    const KfpIdentity identity =
        options_.replay != nullptr
            ? options_.replay->identity
            : IdentityOf(pipeline_.name, player_.nonce_, player_.next_run_++);
    if (recording_ != nullptr) {
      recording_->identity = identity;
      recording_->uses_task_service = player_.uses_task_service_;
    }
    const bool asks_server = options_.replay != nullptr ? options_.replay->uses_task_service
                                                        : player_.uses_task_service_;
    client.run.emplace(PlayedRun{.loop = *player_.loop_,
                                 .activity = *client.activity,
                                 .identity = identity,
                                 .tally = play_.tally,
                                 .local_cache = asks_server ? nullptr : &player_.local_cache_,
                                 .width = options_.width,
                                 .recording = recording_,
                                 .replay = options_.replay,
                                 .listener = options_.listener ? &options_.listener : nullptr});
    client.activity->body = PlayPipeline(pipeline_, *client.run);
    client.activity->body.Start();
  }

  void Step() {
    const Activity* activity = player_.loop_->ResumeOne();
    if (Interrupted()) Abandon(InterruptedStatus());
    if (activity != nullptr) {
      last_answer_ = Clock::now();
      MoveWindow();
    } else if (Clock::now() - last_answer_ > kSilencePatience) {
      Abandon(absl::DeadlineExceededError("no answer for 30 s"));
    }
    for (Client& client : clients_) {
      if (client.activity && client.activity->Ended()) OnEnd(client);
    }
  }

  void OnEnd(Client& client) {
    --busy_;
    const absl::Status& failure = client.activity->failure;
    if (!failure.ok() && window_ != Window::kClosed && ended_by_.ok()) {
      ++play_.failed_runs;
      if (play_.first_failure.ok()) {
        play_.first_failure =
            absl::Status(failure.code(), absl::StrCat("run ", client.run->identity.run_id, " of ",
                                                      pipeline_.name, ": ", failure.message()));
      }
    }
    StartRun(client);
  }

  void Abandon(absl::Status why) {
    if (!ended_by_.ok()) return;
    ended_by_ = std::move(why);
    CutOff();
    player_.loop_->CancelAll();
  }

  KfpPlay Result() {
    if (!IsCounted()) play_.tally = std::move(measured_);
    const KfpTally& tally = play_.tally;
    const auto tasks = static_cast<double>(tally.launched);
    const double seconds = std::chrono::duration<double>(closed_.time - opened_.time).count();
    play_.tasks.calls = tally.launched;
    play_.tasks.seconds = seconds;
    if (tally.launched == 0) return std::move(play_);
    play_.tasks.rate = tasks / seconds;
    play_.tasks.p50_us = tally.task_times.QuantileMicroseconds(0.5);
    play_.tasks.p99_us = tally.task_times.QuantileMicroseconds(0.99);
    play_.tasks.server_cpu_us = (closed_.server_cpu_s - opened_.server_cpu_s) / tasks * 1e6;
    play_.tasks.client_cpu_us = (closed_.client_cpu_s - opened_.client_cpu_s) / tasks * 1e6;
    return std::move(play_);
  }

  KfpPlayer& player_;
  const KfpPipeline& pipeline_;
  const KfpPlayOptions& options_;
  KfpRecording* recording_;
  std::vector<Client> clients_;
  int busy_ = 0;
  int64_t started_ = 0;
  Clock::time_point begin_;
  Clock::time_point last_answer_;
  Window window_ = Window::kWarmUp;
  Readings opened_;
  Readings closed_;
  KfpPlay play_;
  KfpTally measured_;
  absl::Status ended_by_;
};

absl::StatusOr<std::unique_ptr<KfpPlayer>> KfpPlayer::Connect(const std::string& target,
                                                              const KfpConnectOptions& options) {
  auto loop = CallLoop::Connect(target, options.channels);
  if (!loop.ok()) return loop.status();
  const uint64_t nonce = options.nonce == 0 ? NonceOfClock() : options.nonce;
  auto player = std::unique_ptr<KfpPlayer>(new KfpPlayer(*std::move(loop), nonce));
  if (absl::Status found = player->FindTaskService(options.task_service); !found.ok()) {
    return found;
  }
  return player;
}

absl::Status KfpPlayer::FindTaskService(KfpTaskService use) {
  if (use == KfpTaskService::kUnused) return absl::OkStatus();
  const std::string method = absl::StrCat(kTaskServicePrefix, "ListTasksV1");
  const std::string request = ListTasksRequest({.fingerprint = FingerprintOf("no such step"),
                                                .pipeline = "no-such-pipeline",
                                                .name_space = "no-such-namespace"});
  absl::Status answer = absl::UnavailableError("api.TaskService: no answer");
  Activity activity;
  activity.body = AskOnce(*loop_, activity, method, request, answer);
  activity.body.Start();
  const auto deadline = Clock::now() + kSilencePatience;
  while (!activity.Ended()) {
    (void)loop_->ResumeOne();
    if (Interrupted() || Clock::now() > deadline) loop_->CancelAll();
  }
  uses_task_service_ = answer.ok();
  if (answer.ok() ||
      (answer.code() == absl::StatusCode::kUnimplemented && use == KfpTaskService::kIfThere)) {
    return absl::OkStatus();
  }
  return absl::UnavailableError(
      absl::StrCat("the server's api.TaskService does not answer: ", answer.message()));
}

absl::StatusOr<KfpPlay> KfpPlayer::Play(const KfpPipeline& pipeline,
                                        const KfpPlayOptions& options) {
  return Session(*this, pipeline, options, nullptr).Play();
}

absl::StatusOr<KfpRecording> KfpPlayer::Record(const KfpPipeline& pipeline) {
  KfpRecording recording;
  const KfpPlayOptions options{.runs = 1};
  const absl::StatusOr<KfpPlay> play = Session(*this, pipeline, options, &recording).Play();
  if (!play.ok()) return play.status();
  if (!play->first_failure.ok()) return play->first_failure;
  return recording;
}

}  // namespace pedigree::bench
