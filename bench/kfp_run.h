// One run of a pipeline that is being played: who it is, how its calls reach the server, and what
// is counted of it.
//
// A run can be recorded, and be played again from its recording: then every request goes, as it
// was, to a bare server that answers nothing but as many bytes as the real one did
// (kEchoSizedMethod), and the recorded answer takes the place of those bytes. What the client does
// is the same to the byte; what the real server does is left out. That is the yardstick.
//
// Threading: one thread.
//
//   PlayedRun run{.loop = loop, .activity = activity, .identity = identity, .tally = tally};
//   CallLoop::Answer answer = co_await run.Call(pod, PodKind::kLauncher, path, method, bytes);
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "bench/call_loop.h"
#include "bench/coroutine.h"
#include "bench/latency_histogram.h"

namespace pedigree::bench {

// A process of KFP, and with it a cache of type ids that starts empty.
enum class PodKind { kRootDriver, kDagDriver, kContainerDriver, kLauncher, kImporter };
inline constexpr size_t kPodKinds = 5;

// What has been played. Sums of several runs.
struct KfpTally {
  struct Calls {
    uint64_t count = 0;
    std::chrono::nanoseconds time{0};  // From request to answer, of all of them.
  };
  std::map<std::pair<std::string, absl::StatusCode>, Calls> calls;  // By method and code.
  std::array<uint64_t, kPodKinds> pods = {};
  std::array<uint64_t, kPodKinds> calls_of_pods = {};
  uint64_t launched = 0;  // Tasks with driver and launcher, failed ones included.
  uint64_t failed = 0;    // Of these.
  uint64_t cached = 0;
  uint64_t skipped = 0;
  uint64_t imported = 0;
  uint64_t dags = 0;  // Roots included.
  uint64_t runs = 0;
  LatencyHistogram task_times;  // Of the launched, from the driver's first call on.

  uint64_t AllCalls() const;
  uint64_t CallsWith(absl::StatusCode code) const;
};

// The same in every play of the same number.
struct KfpIdentity {
  int64_t number = 0;
  std::string pipeline;
  std::string run_id;  // A uuid.
  std::string name_space = "kubeflow";

  std::string PipelineRoot() const;
};

// The calls of a run, in order.
struct KfpRecording {
  struct Call {
    std::string method;
    absl::StatusCode code;
    std::string reply;  // Or the error's message.
  };
  KfpIdentity identity;
  bool uses_task_service = false;
  std::vector<Call> calls;
};

// Called after every call of a run.
using KfpCallListener = std::function<void(const KfpIdentity& run, int pod, PodKind pod_kind,
                                           const std::string& method, absl::StatusCode code)>;

// Which fingerprints have been seen, where the server has no TaskService: what KFP's API server
// knows. By fingerprint and pipeline.
using KfpLocalCache = absl::flat_hash_map<std::pair<std::string, std::string>, int64_t>;

struct PlayedRun {
  CallLoop& loop;
  Activity& activity;
  const KfpIdentity identity;
  KfpTally& tally;
  // Unset if the server has a TaskService.
  KfpLocalCache* local_cache = nullptr;
  int width = 1;  // How many pods of the run may be at work at once.
  // At most one of the two is set; both need a width of 1.
  KfpRecording* recording = nullptr;
  const KfpRecording* replay = nullptr;
  const KfpCallListener* listener = nullptr;
  size_t replayed = 0;
  int pods = 0;  // That have been started.

  // Calls `path`/`method` with `request` for the run's `pod`th pod. Gives the run up if the
  // recording that is replayed went on differently.
  Coroutine<CallLoop::Answer> Call(int pod, PodKind pod_kind, absl::string_view path,
                                   absl::string_view method, const std::string& request);

  // What the local cache says, or has said in the run that is replayed; 0 if nothing.
  int64_t FindInLocalCache(const std::string& fingerprint);
  void PutIntoLocalCache(const std::string& fingerprint, int64_t execution);

 private:
  const KfpRecording::Call* NextRecorded(absl::string_view method);
};

}  // namespace pedigree::bench
