// Tasks of Kubeflow Pipelines' cache (api.Task): what the store itself must know of them.
//
// A task is stored once and never changes. Its number is its place in the order of insertion; its
// id, which clients see, is a UUID of version 8 (RFC 9562: bits of the application's choice) with
// the number in it, so that an id finds its task without an index. Pure values: any thread.
//
//   std::string id = NewTaskId(42);    // 5f0c61f1-9d3e-87ab-8000-00000000002a
//   NumberOfTaskId(id);                // 42
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace pedigree {

// A place in the order by the time of creation; ties stand in the order of insertion.
struct TaskPlace {
  int64_t created_s;  // Seconds since the epoch, as the client gave them.
  int64_t number;

  bool operator==(const TaskPlace&) const = default;
};

// A new id with this number. Half of it is random, so that no two stores have the same.
std::string NewTaskId(int64_t number);

// The number in an id; nullopt if NewTaskId() cannot have made it.
std::optional<int64_t> NumberOfTaskId(absl::string_view id);

}  // namespace pedigree
