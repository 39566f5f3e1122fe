// What a ListTasksV1 request asks for, read and checked, and the tokens of its pages.
//
// A token carries the filter and the order, so that a client may leave them out of the requests for
// the following pages, as Kubeflow's API server lets it; if they are given they must be the same.
// It names the last task of its page by place, not by count: tasks that are added meanwhile neither
// shift nor repeat others. Tokens stay good across restarts, are no secret and no proof.
//
// token := base64url(version:u8{1} field:u8 direction:u8 seconds:time number:be64
//                    size:varint text{size}  size:varint filter{size}  namespace)
// Value types; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "api/task.pb.h"
#include "query/task_filter.h"
#include "store/engine.h"

namespace pedigree {

// A place in an order of tasks: the value of the field, and the number of the task.
struct TaskPosition {
  int64_t seconds = 0;  // Of a time.
  std::string text;     // Of any other field.
  int64_t number = 0;
};

struct TaskOrder {
  TaskField field = TaskField::kCreatedAt;
  Direction direction = Direction::kAscending;

  bool operator==(const TaskOrder&) const = default;

  TaskPosition PositionOf(const api::Task& task, int64_t number) const;
  bool IsBefore(const TaskPosition& a, const TaskPosition& b) const;
};

struct TaskPage {
  TaskOrder order;
  TaskFilter filter;
  std::string name_space;  // Of resource_reference_key: only its tasks; "" of all.
  size_t size = 0;
  std::optional<TaskPosition> after;  // The last task of the page before.

  // A text that every task of the list has in the field; null if it may differ. Not owned.
  const std::string* FixedText(TaskField field) const;
  bool Matches(const api::Task& task) const;
  // The token of the page after the one that ends there.
  std::string TokenAfter(const TaskPosition& last) const;
};

inline constexpr size_t kDefaultTaskPageSize = 20;
inline constexpr size_t kMaxTaskPageSize = 200;

// InvalidArgument if the filter, the order, the size, the resource type or the token is wrong.
absl::StatusOr<TaskPage> ReadTaskPage(const api::ListTasksRequest& request);

}  // namespace pedigree
