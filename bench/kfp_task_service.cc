#include "bench/kfp_task_service.h"

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "api/task.pb.h"

namespace pedigree::bench {
namespace {

std::string PipelineName(const KfpCacheKey& key) { return absl::StrCat("pipeline/", key.pipeline); }

std::string Equals(absl::string_view name, absl::string_view value) {
  return absl::StrCat(R"({"op":"EQUALS", "key":")", name, R"(", "stringValue":")", value, R"("})");
}

}  // namespace

std::string ListTasksRequest(const KfpCacheKey& key) {
  api::ListTasksRequest request;
  request.set_page_size(1);
  request.set_sort_by("created_at desc");
  request.set_filter(absl::StrCat(R"({"predicates":[)", Equals("fingerprint", key.fingerprint),
                                  ", ", Equals("pipelineName", PipelineName(key)), ", ",
                                  Equals("namespace", key.name_space), "]}"));
  return request.SerializeAsString();
}

absl::StatusOr<int64_t> CachedExecution(const std::string& list_tasks_response) {
  api::ListTasksResponse response;
  if (!response.ParseFromString(list_tasks_response)) {
    return absl::DataLossError("ListTasksV1: the answer does not parse");
  }
  if (response.tasks_size() == 0) return 0;
  int64_t execution = 0;
  if (!absl::SimpleAtoi(response.tasks(0).mlmdexecutionid(), &execution)) {
    return absl::DataLossError("ListTasksV1: a task without an execution");
  }
  return execution;
}

std::string CreateTaskRequest(const KfpCacheKey& key, const std::string& run_id, int64_t execution,
                              int64_t begin_s, int64_t end_s) {
  api::CreateTaskRequest request;
  api::Task* task = request.mutable_task();
  task->set_namespace_(key.name_space);
  task->set_pipelinename(PipelineName(key));
  task->set_runid(run_id);
  task->set_mlmdexecutionid(absl::StrCat(execution));
  task->mutable_created_at()->set_seconds(begin_s);
  task->mutable_finished_at()->set_seconds(end_s);
  task->set_fingerprint(key.fingerprint);
  return request.SerializeAsString();
}

}  // namespace pedigree::bench
