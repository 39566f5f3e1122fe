#include "server/task_handlers.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "query/task_list.h"
#include "store/text.h"

namespace pedigree {
namespace {

absl::Status Invalid(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("task: ", what));
}

absl::Status CheckRequired(absl::string_view field, const std::string& text) {
  if (text.empty()) return Invalid(absl::StrCat(field, " is missing"));
  if (text.size() <= kMaxTaskTextBytes) return absl::OkStatus();
  return Invalid(absl::StrCat(field, " has ", text.size(), " bytes; at most ", kMaxTaskTextBytes));
}

// A name may be pipeline/<name>, or anything, or namespace/<namespace>/pipeline/<name>, which must
// not contradict the task.
absl::Status CheckPipelineName(const api::Task& task) {
  if (!absl::StartsWith(task.pipelinename(), "namespace/")) return absl::OkStatus();
  const std::vector<absl::string_view> parts =
      absl::StrSplit(task.pipelinename(), absl::MaxSplits('/', 3));
  if (parts.size() != 4) {
    return Invalid(absl::StrCat("pipelineName ", Quoted(task.pipelinename()),
                                " is not namespace/<namespace>/pipeline/<name>"));
  }
  if (task.namespace_().empty() || parts[1] == task.namespace_()) return absl::OkStatus();
  return Invalid(absl::StrCat("pipelineName is of namespace ", Quoted(parts[1]), ", the task of ",
                              Quoted(task.namespace_())));
}

}  // namespace

absl::Status Prepare(api::CreateTaskRequest* request) {
  api::Task* task = request->mutable_task();
  if (!task->id().empty()) return Invalid("id must not be given: it is generated");
  absl::Status status = CheckRequired("pipelineName", task->pipelinename());
  status.Update(CheckPipelineName(*task));
  status.Update(CheckRequired("runId", task->runid()));
  status.Update(CheckRequired("mlmdExecutionID", task->mlmdexecutionid()));
  status.Update(CheckRequired("fingerprint", task->fingerprint()));
  if (!task->has_created_at()) status.Update(Invalid("created_at is missing"));
  if (task->namespace_().size() > kMaxTaskTextBytes) {
    status.Update(Invalid(absl::StrCat("namespace has more than ", kMaxTaskTextBytes, " bytes")));
  }
  if (!status.ok()) return status;
  task->DiscardUnknownFields();
  task->mutable_created_at()->clear_nanos();
  if (task->has_finished_at()) task->mutable_finished_at()->clear_nanos();
  return absl::OkStatus();
}

absl::Status CreateTaskV1(Transaction& transaction, api::CreateTaskRequest* request,
                          api::Task* response) {
  *response = request->task();
  return transaction.InsertTask(response).status();
}

absl::StatusOr<bool> IsUsable(const Reader& reader, const api::Task& task) {
  int64_t id = 0;
  // Kubeflow's driver fails on a task whose id is no number.
  if (!absl::SimpleAtoi(task.mlmdexecutionid(), &id)) return false;
  int64_t completed_ms = task.created_at().seconds() * 1000;
  auto record = reader.FindRecord(NodeKind::kExecution, id);
  if (!record.ok()) return record.status();
  if (record->has_value()) {
    const auto execution = PeekNode(NodeKind::kExecution, (*record)->message());
    if (!execution.has_value()) return DamagedRecord("execution", id);
    if (execution->state != ml_metadata::Execution::COMPLETE &&
        execution->state != ml_metadata::Execution::CACHED) {
      return false;
    }
    auto entry = reader.FindCacheEntry(id);
    if (!entry.ok()) return entry.status();
    if (entry->has_value()) {
      if ((*entry)->cache_class == CacheClass::kInvalidated) return false;
      completed_ms = (*entry)->completed_ms;
    }
  }
  const CacheRuntime& cache = reader.cache();
  return IsFreshEnough(cache.policy.StalenessFor(std::nullopt), cache.clock_ms() - completed_ms);
}

absl::Status ListTasksV1(const Reader& reader, const api::ListTasksRequest& request,
                         Answer* answer) {
  const auto list =
      ListTasks(reader, request, [&](const api::Task& task) { return IsUsable(reader, task); });
  if (!list.ok()) return list.status();
  for (const std::string& task : list->tasks) {
    answer->AddBytes(api::ListTasksResponse::kTasksFieldNumber, task);
  }
  api::ListTasksResponse rest;
  rest.set_next_page_token(list->next_page_token);
  rest.set_total_size(static_cast<int32_t>(
      std::min<int64_t>(list->total_size, std::numeric_limits<int32_t>::max())));
  answer->AddFields(rest);
  return absl::OkStatus();
}

}  // namespace pedigree
