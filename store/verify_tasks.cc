// Verify: tasks of Kubeflow Pipelines and their index.
#include "api/task.pb.h"
#include "store/codec.h"
#include "store/verifier.h"

namespace pedigree {
namespace {

TaskFingerprintKey FingerprintKeyOf(const api::Task& task, int64_t number) {
  return {task.fingerprint(), task.pipelinename(), task.namespace_(),
          TaskPlace{task.created_at().seconds(), number}};
}

bool ReadTask(absl::string_view bytes, int64_t number, api::Task* task) {
  return task->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) &&
         task->has_created_at() && NumberOfTaskId(task->id()) == number;
}

}  // namespace

absl::StatusOr<int64_t> Verifier::LastTask() {
  auto bytes = Get(LastTaskKey().Encode());
  if (!bytes.ok()) return bytes.status();
  int64_t last = 0;
  if (bytes->has_value()) ByteReader(**bytes).ReadId(&last);
  return last;
}

void Verifier::CheckLastTask(absl::string_view value) {
  ByteReader reader(value);
  int64_t last = 0;
  if (!reader.ReadId(&last) || !reader.AtEnd() || last < 1) Problem("last_task does not decode");
}

absl::Status Verifier::CheckTask(absl::string_view key, absl::string_view value) {
  TaskKey head = {};
  if (!TaskKey::Decode(key, &head) || head.number < 1) {
    Problem("a key of a task does not decode");
    return absl::OkStatus();
  }
  ++report_.tasks;
  auto last = LastTask();
  if (!last.ok()) return last.status();
  if (head.number > *last) Problem("task ", head.number, ": beyond the last number handed out");
  api::Task task;
  if (!ReadTask(value, head.number, &task)) {
    Problem("task ", head.number, ": it does not decode");
    return absl::OkStatus();
  }
  return Expect(FingerprintKeyOf(task, head.number).Encode(), "",
                [&] { return absl::StrCat("task ", head.number, ": task_fingerprint"); });
}

// The texts of the key are not decoded: the task's own key is encoded and compared with it.
absl::Status Verifier::CheckTaskFingerprint(absl::string_view key, absl::string_view value) {
  ++report_.index_entries;
  TaskPlace place = {};
  if (!TaskFingerprintKey::DecodePlace(key, &place) || !value.empty()) {
    Problem("an entry of the index task_fingerprint does not decode");
    return absl::OkStatus();
  }
  auto bytes = Get(TaskKey{place.number}.Encode());
  if (!bytes.ok()) return bytes.status();
  api::Task task;
  // A task that does not decode is a problem of its own.
  if (bytes->has_value() && !ReadTask(**bytes, place.number, &task)) return absl::OkStatus();
  if (!bytes->has_value() || FingerprintKeyOf(task, place.number).Encode() != key) {
    Problem("task ", place.number, ": a stale entry in the index task_fingerprint");
  }
  return absl::OkStatus();
}

}  // namespace pedigree
