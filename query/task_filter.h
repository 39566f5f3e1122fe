// The filter of ListTasksV1: an api.Filter as JSON, all of whose predicates must hold.
//
// Comparisons are those of Kubeflow Pipelines' API server, where its database decides nothing:
//   - text is compared byte by byte, so that no look-up finds another fingerprint than it asks for;
//     only IS_SUBSTRING does not tell the case of ASCII letters apart
//   - a number is compared with what a text says in decimal digits; a text that is no number is
//     just not equal to one
//   - times are compared in whole seconds, with a timestamp or a number of seconds; a time that is
//     not set is second 0
// Value types, pure functions: any thread.
//
//   auto filter = TaskFilter::Parse(R"({"predicates": [{"op": "EQUALS", "key": "fingerprint",
//                                                       "stringValue": "c0ffee"}]})");
//   filter->Matches(task);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "api/filter.pb.h"
#include "api/task.pb.h"

namespace pedigree {

enum class TaskField : uint8_t {
  kId,
  kNamespace,
  kPipelineName,
  kRunId,
  kExecutionId,
  kCreatedAt,
  kFinishedAt,
  kFingerprint,
};

// The field of this name, of version v1beta1 or v2beta1 of the API, in any case: sort_by is not
// case sensitive.
std::optional<TaskField> FindTaskField(absl::string_view name);
// The v1beta1 name.
absl::string_view NameOf(TaskField field);

constexpr bool IsTime(TaskField field) {
  return field == TaskField::kCreatedAt || field == TaskField::kFinishedAt;
}
// REQUIRES: the field is no time.
const std::string& TextOf(const api::Task& task, TaskField field);
// REQUIRES: the field is a time.
int64_t SecondsOf(const api::Task& task, TaskField field);

class TaskFilter {
 public:
  // Longer filters are refused: page tokens carry the filter, and a list judges every task by it.
  static constexpr size_t kMaxBytes = size_t{256} << 10;

  // Holds of every task.
  TaskFilter() = default;

  // Reads JSON, in any spelling of protobuf's mapping, or the same URL-escaped; "" is no filter.
  // InvalidArgument says what is wrong with it.
  static absl::StatusOr<TaskFilter> Parse(absl::string_view text);
  static absl::StatusOr<TaskFilter> Of(const api::Filter& filter);

  bool Matches(const api::Task& task) const;
  // A text that every match has in the field; null if none follows from the filter. Not owned.
  const std::string* FixedText(TaskField field) const;
  // The filter in wire format: equal filters have equal bytes.
  const std::string& bytes() const { return bytes_; }
  // About how much work it is to judge one task, in steps of Reader::Spend().
  int64_t cost() const;

 private:
  struct Condition {
    TaskField field;
    api::Predicate::Op op;
    bool is_text;  // Whether `texts` counts, or `numbers`. More than one of them only for IN.
    std::vector<std::string> texts;
    std::vector<int64_t> numbers;
  };

  static absl::StatusOr<Condition> Compile(const api::Predicate& predicate);
  static bool Holds(const Condition& condition, const api::Task& task);

  std::vector<Condition> conditions_;
  std::string bytes_;
};

}  // namespace pedigree
