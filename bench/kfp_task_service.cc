#include "bench/kfp_task_service.h"

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "store/wire.h"

namespace pedigree::bench {
namespace {

// Field numbers of backend/api/v1beta1/task.proto in kubeflow/pipelines.
constexpr int kTaskNamespace = 2;
constexpr int kTaskPipelineName = 3;
constexpr int kTaskRunId = 4;
constexpr int kTaskExecution = 5;
constexpr int kTaskCreatedAt = 6;
constexpr int kTaskFinishedAt = 7;
constexpr int kTaskFingerprint = 8;
constexpr int kCreateTask = 1;
constexpr int kListPageSize = 2;
constexpr int kListSortBy = 3;
constexpr int kListFilter = 5;
constexpr int kListedTasks = 1;
constexpr int kTimestampSeconds = 1;

std::string PipelineName(const KfpCacheKey& key) { return absl::StrCat("pipeline/", key.pipeline); }

std::string Equals(absl::string_view name, absl::string_view value) {
  return absl::StrCat(R"({"op":"EQUALS", "key":")", name, R"(", "stringValue":")", value, R"("})");
}

std::string Timestamp(int64_t seconds) {
  std::string bytes;
  AppendVarintField(&bytes, kTimestampSeconds, static_cast<uint64_t>(seconds));
  return bytes;
}

}  // namespace

std::string ListTasksRequest(const KfpCacheKey& key) {
  std::string request;
  AppendVarintField(&request, kListPageSize, 1);
  AppendBytesField(&request, kListSortBy, "created_at desc");
  AppendBytesField(&request, kListFilter,
                   absl::StrCat(R"({"predicates":[)", Equals("fingerprint", key.fingerprint), ", ",
                                Equals("pipelineName", PipelineName(key)), ", ",
                                Equals("namespace", key.name_space), "]}"));
  return request;
}

absl::StatusOr<int64_t> CachedExecution(absl::string_view list_tasks_response) {
  WireCursor response(list_tasks_response);
  while (const auto field = response.Next()) {
    if (field->number != kListedTasks) continue;
    WireCursor task(field->bytes);
    while (const auto member = task.Next()) {
      int64_t execution = 0;
      if (member->number == kTaskExecution && absl::SimpleAtoi(member->bytes, &execution)) {
        return execution;
      }
    }
    return absl::DataLossError("ListTasksV1: a task without an execution");
  }
  if (!response.ok()) return absl::DataLossError("ListTasksV1: the answer does not parse");
  return 0;
}

std::string CreateTaskRequest(const KfpCacheKey& key, const std::string& run_id, int64_t execution,
                              int64_t begin_s, int64_t end_s) {
  std::string task;
  AppendBytesField(&task, kTaskNamespace, key.name_space);
  AppendBytesField(&task, kTaskPipelineName, PipelineName(key));
  AppendBytesField(&task, kTaskRunId, run_id);
  AppendBytesField(&task, kTaskExecution, absl::StrCat(execution));
  AppendBytesField(&task, kTaskCreatedAt, Timestamp(begin_s));
  AppendBytesField(&task, kTaskFinishedAt, Timestamp(end_s));
  AppendBytesField(&task, kTaskFingerprint, key.fingerprint);
  std::string request;
  AppendBytesField(&request, kCreateTask, task);
  return request;
}

}  // namespace pedigree::bench
