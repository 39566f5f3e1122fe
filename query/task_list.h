// Lists of the tasks of Kubeflow Pipelines: ListTasksV1 without its transport.
//
// What Kubeflow's driver asks, the newest task of a (fingerprint, pipeline, namespace), is one seek
// in the index, however many tasks there are. A filter that fixes an id or a fingerprint looks at
// the tasks that have it; any other looks at all tasks, for every page, within the limits of a
// query (ReadLimits). Pure function over a Reader; threads as the Reader.
//
//   auto list = ListTasks(reader, request, IsUsable);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "api/task.pb.h"
#include "store/reader.h"

namespace pedigree {

struct TaskList {
  std::vector<std::string> tasks;  // In wire format, as they are stored.
  std::string next_page_token;     // "" after the last page.
  // Of all pages. Exact, but for a look-up in the index that has more than kMostCountedTasks to
  // look at: there it is a lower bound, so that its work does not grow with what is not answered.
  int64_t total_size = 0;
};

inline constexpr int64_t kMostCountedTasks = 200;

// `is_usable` says whether a task's results can be used; a list that fixes the fingerprint leaves
// out the others.
// Errors: InvalidArgument if the request is wrong; ResourceExhausted if it needs too much work;
// those of `is_usable`; as Reader.
absl::StatusOr<TaskList> ListTasks(
    const Reader& reader, const api::ListTasksRequest& request,
    absl::FunctionRef<absl::StatusOr<bool>(const api::Task& task)> is_usable);

}  // namespace pedigree
