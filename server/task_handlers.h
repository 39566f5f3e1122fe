// The calls of api.TaskService, Kubeflow Pipelines' cache; otherwise as handlers.h.
//
// Its driver fails a task on any error of a look-up, so what is not there (a namespace, a pipeline,
// a fingerprint that nobody has used) is an empty list, and only a request that cannot be read is
// an error. The launcher records a task shortly before it publishes the execution as complete; a
// hit in between would be one without outputs, so a look-up does not see such tasks yet.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/task.pb.h"
#include "server/answer.h"
#include "store/lookup.h"
#include "store/reader.h"
#include "store/transaction.h"

namespace pedigree {

// The longest text of a task. Every list reads whole tasks.
inline constexpr size_t kMaxTaskTextBytes = size_t{64} << 10;

// InvalidArgument if a field is missing or too long, the id is given, or pipelineName names another
// namespace. Drops what the contract does not know, and parts of seconds.
absl::Status Prepare(api::CreateTaskRequest* request);

absl::Status CreateTaskV1(Transaction& transaction, api::CreateTaskRequest* request,
                          api::Task* response);
absl::Status ListTasksV1(const Reader& reader, const api::ListTasksRequest& request,
                         Answer* answer);

// Whether a look-up may answer with the task: its execution is COMPLETE or CACHED, or this store
// does not have it, so that another one may. Nor must it have been taken out of the cache
// (CacheService.Invalidate), or be older than the server's policy lets those be who do not say.
absl::StatusOr<bool> IsUsable(const Reader& reader, const api::Task& task);

}  // namespace pedigree
