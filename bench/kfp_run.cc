#include "bench/kfp_run.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "bench/echo_server.h"
#include "bench/load_generator.h"

namespace pedigree::bench {
namespace {

constexpr char kLocalLookup[] = "(local cache)";

}  // namespace

uint64_t KfpTally::AllCalls() const {
  uint64_t sum = 0;
  for (const auto& [method, of_method] : calls) sum += of_method.count;
  return sum;
}

uint64_t KfpTally::CallsWith(absl::StatusCode code) const {
  uint64_t sum = 0;
  for (const auto& [method, of_method] : calls) {
    if (method.second == code) sum += of_method.count;
  }
  return sum;
}

std::string KfpIdentity::PipelineRoot() const {
  return absl::StrCat("minio://mlpipeline/v2/artifacts/", pipeline, "/", run_id);
}

const KfpRecording::Call* PlayedRun::NextRecorded(absl::string_view method) {
  if (replayed == replay->calls.size() || replay->calls[replayed].method != method) return nullptr;
  return &replay->calls[replayed++];
}

Coroutine<CallLoop::Answer> PlayedRun::Call(int pod, PodKind pod_kind, absl::string_view path,
                                            absl::string_view method, const std::string& request) {
  const KfpRecording::Call* recorded = nullptr;
  std::string full_method = absl::StrCat(path, method);
  grpc::ByteBuffer bytes;
  if (replay == nullptr) {
    bytes = ByteBufferOf(request);
  } else {
    recorded = NextRecorded(method);
    if (recorded == nullptr) {
      co_await GiveUp(activity, absl::InternalError(absl::StrCat(
                                    method, ": the recorded run did not call this here")));
    }
    full_method = kEchoSizedMethod;
    bytes = SizedEchoRequest(recorded->reply.size(), request);
  }
  CallLoop::Answer answer = co_await loop.Call(activity, full_method, bytes);
  if (recorded != nullptr && answer.status.ok()) {
    if (recorded->code == absl::StatusCode::kOk) {
      answer.reply = recorded->reply;
    } else {
      answer.status = absl::Status(recorded->code, recorded->reply);
    }
  }
  if (recording != nullptr) {
    recording->calls.push_back(
        {std::string(method), answer.status.code(),
         answer.status.ok() ? answer.reply : std::string(answer.status.message())});
  }
  KfpTally::Calls& of_method = tally.calls[{std::string(method), answer.status.code()}];
  ++of_method.count;
  of_method.time += answer.took;
  ++tally.calls_of_pods[static_cast<size_t>(pod_kind)];
  if (listener != nullptr) {
    (*listener)(identity, pod, pod_kind, std::string(method), answer.status.code());
  }
  co_return answer;
}

int64_t PlayedRun::FindInLocalCache(const std::string& fingerprint) {
  int64_t execution = 0;
  if (replay != nullptr) {
    const KfpRecording::Call* recorded = NextRecorded(kLocalLookup);
    // Whatever is answered after a mismatch, the next call gives the run up.
    if (recorded == nullptr || !absl::SimpleAtoi(recorded->reply, &execution)) return 0;
    return execution;
  }
  const auto found = local_cache->find(std::pair(fingerprint, identity.pipeline));
  if (found != local_cache->end()) execution = found->second;
  if (recording != nullptr) {
    recording->calls.push_back({kLocalLookup, absl::StatusCode::kOk, absl::StrCat(execution)});
  }
  return execution;
}

void PlayedRun::PutIntoLocalCache(const std::string& fingerprint, int64_t execution) {
  if (replay == nullptr) (*local_cache)[std::pair(fingerprint, identity.pipeline)] = execution;
}

}  // namespace pedigree::bench
