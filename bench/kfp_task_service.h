// What KFP's driver and launcher say to api.TaskService, the index of its cache.
//
// Threading: pure functions.
//
//   client.Call(kListTasks, ListTasksRequest(key));
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace pedigree::bench {

inline constexpr char kTaskServicePrefix[] = "/api.TaskService/";

// What a cached step is known by.
struct KfpCacheKey {
  std::string fingerprint;
  std::string pipeline;  // Without the prefix that KFP sends.
  std::string name_space;
};

// ListTasksV1 for the newest task of `key`, with the filter as KFP's client spells it.
std::string ListTasksRequest(const KfpCacheKey& key);

// The execution that the first task of a ListTasksResponse names; 0 if there is no task. DataLoss
// if it is no such response.
absl::StatusOr<int64_t> CachedExecution(const std::string& list_tasks_response);

// CreateTaskV1 of a task that began and ended at the given times, in seconds since the epoch.
std::string CreateTaskRequest(const KfpCacheKey& key, const std::string& run_id, int64_t execution,
                              int64_t begin_s, int64_t end_s);

}  // namespace pedigree::bench
