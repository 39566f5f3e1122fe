#include "query/task_page.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "store/codec.h"
#include "store/text.h"

namespace pedigree {
namespace {

constexpr uint8_t kVersion = 1;

absl::StatusOr<TaskOrder> ReadOrder(const std::string& text) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(text, absl::ByAnyChar(" \t\r\n\v\f"), absl::SkipEmpty());
  TaskOrder order;
  if (words.empty()) return order;
  const bool is_descending = words.size() == 2 && absl::EqualsIgnoreCase(words[1], "desc");
  const bool is_ascending =
      words.size() == 1 || (words.size() == 2 && absl::EqualsIgnoreCase(words[1], "asc"));
  const auto field = FindTaskField(words[0]);
  if (!field.has_value() || (!is_ascending && !is_descending)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "sort_by ", Quoted(text), ": give a field of a task, and \"asc\" or \"desc\" if you like"));
  }
  return TaskOrder{*field, is_descending ? Direction::kDescending : Direction::kAscending};
}

absl::StatusOr<size_t> ReadSize(int32_t page_size) {
  if (page_size < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("page_size is ", page_size, "; it must not be negative"));
  }
  if (page_size == 0) return kDefaultTaskPageSize;
  return std::min(static_cast<size_t>(page_size), kMaxTaskPageSize);
}

// Kubeflow's API server refuses the other types, and looks at none of those it lets pass: a task
// belongs to no experiment, job or version of a pipeline.
absl::StatusOr<std::string> ReadScope(const api::ListTasksRequest& request) {
  if (!request.has_resource_reference_key()) return std::string();
  switch (request.resource_reference_key().type()) {
    case api::NAMESPACE:
      return request.resource_reference_key().id();
    case api::EXPERIMENT:
    case api::JOB:
    case api::PIPELINE_VERSION:
      return std::string();
    default:
      return absl::InvalidArgumentError(
          "resource_reference_key.type: tasks are listed by NAMESPACE only");
  }
}

bool ReadText(ByteReader* reader, std::string* text) {
  uint64_t size = 0;
  absl::string_view bytes;
  if (!reader->ReadVarint(&size) || !reader->ReadBytes(size, &bytes)) return false;
  *text = std::string(bytes);
  return true;
}

void AppendSized(std::string* out, absl::string_view text) {
  AppendVarint(out, text.size());
  out->append(text.data(), text.size());
}

absl::Status NoToken() {
  return absl::InvalidArgumentError(
      "page_token is not one that this server made: start again without it");
}

absl::StatusOr<TaskPage> ReadToken(absl::string_view token) {
  TaskPage page;
  std::string bytes;
  uint8_t version = 0;
  uint8_t field = 0;
  uint8_t direction = 0;
  TaskPosition last;
  std::string filter_bytes;
  if (!absl::WebSafeBase64Unescape(token, &bytes)) bytes.clear();
  ByteReader reader(bytes);
  if (!reader.ReadU8(&version) || version != kVersion || !reader.ReadU8(&field) ||
      !reader.ReadU8(&direction) || !reader.ReadTime(&last.seconds) ||
      !reader.ReadId(&last.number) || !ReadText(&reader, &last.text) ||
      !ReadText(&reader, &filter_bytes) || direction > 1 || last.number < 0 ||
      field > static_cast<uint8_t>(TaskField::kFingerprint)) {
    return NoToken();
  }
  page.name_space = std::string(reader.rest());
  page.order = {static_cast<TaskField>(field), static_cast<Direction>(direction)};
  page.after = std::move(last);
  api::Filter filter;
  if (!filter.ParseFromString(filter_bytes)) return NoToken();
  auto compiled = TaskFilter::Of(filter);
  if (!compiled.ok()) return NoToken();
  page.filter = *std::move(compiled);
  return page;
}

absl::Status OtherList() {
  return absl::InvalidArgumentError(
      "page_token belongs to another list: sort_by, filter and resource_reference_key must be "
      "those of the page before, or be left out");
}

}  // namespace

TaskPosition TaskOrder::PositionOf(const api::Task& task, int64_t number) const {
  if (IsTime(field)) return {SecondsOf(task, field), "", number};
  return {0, TextOf(task, field), number};
}

bool TaskOrder::IsBefore(const TaskPosition& a, const TaskPosition& b) const {
  const auto key_a = std::tie(a.seconds, a.text, a.number);
  const auto key_b = std::tie(b.seconds, b.text, b.number);
  return direction == Direction::kAscending ? key_a < key_b : key_b < key_a;
}

const std::string* TaskPage::FixedText(TaskField field) const {
  if (field == TaskField::kNamespace && !name_space.empty()) return &name_space;
  return filter.FixedText(field);
}

bool TaskPage::Matches(const api::Task& task) const {
  return (name_space.empty() || task.namespace_() == name_space) && filter.Matches(task);
}

std::string TaskPage::TokenAfter(const TaskPosition& last) const {
  std::string bytes;
  AppendU8(&bytes, kVersion);
  AppendU8(&bytes, static_cast<uint8_t>(order.field));
  AppendU8(&bytes, static_cast<uint8_t>(order.direction));
  AppendTime(&bytes, last.seconds);
  AppendId(&bytes, last.number);
  AppendSized(&bytes, last.text);
  AppendSized(&bytes, filter.bytes());
  bytes.append(name_space);
  return absl::WebSafeBase64Escape(bytes);
}

absl::StatusOr<TaskPage> ReadTaskPage(const api::ListTasksRequest& request) {
  const auto size = ReadSize(request.page_size());
  if (!size.ok()) return size.status();
  const auto order = ReadOrder(request.sort_by());
  if (!order.ok()) return order.status();
  auto scope = ReadScope(request);
  if (!scope.ok()) return scope.status();
  auto filter = TaskFilter::Parse(request.filter());
  if (!filter.ok()) return filter.status();
  if (request.page_token().empty()) {
    return TaskPage{*order, *std::move(filter), *std::move(scope), *size, std::nullopt};
  }
  auto page = ReadToken(request.page_token());
  if (!page.ok()) return page.status();
  const bool repeats = !request.sort_by().empty() || !request.filter().empty();
  if (repeats && (*order != page->order || filter->bytes() != page->filter.bytes())) {
    return OtherList();
  }
  if (request.has_resource_reference_key() && *scope != page->name_space) return OtherList();
  page->size = *size;
  return page;
}

}  // namespace pedigree
