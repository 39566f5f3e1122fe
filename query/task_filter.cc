#include "query/task_filter.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/stubs/common.h"
#include "google/protobuf/util/json_util.h"
#include "store/text.h"

namespace pedigree {
namespace {

using api::Predicate;

struct FieldName {
  absl::string_view name;
  TaskField field;
};

// The first of each field is its v1beta1 name.
constexpr std::array kFieldNames = {
    FieldName{"id", TaskField::kId},
    FieldName{"task_id", TaskField::kId},
    FieldName{"namespace", TaskField::kNamespace},
    FieldName{"pipelineName", TaskField::kPipelineName},
    FieldName{"pipeline_name", TaskField::kPipelineName},
    FieldName{"runId", TaskField::kRunId},
    FieldName{"run_id", TaskField::kRunId},
    FieldName{"mlmdExecutionID", TaskField::kExecutionId},
    FieldName{"mlmd_execution_id", TaskField::kExecutionId},
    FieldName{"execution_id", TaskField::kExecutionId},
    FieldName{"created_at", TaskField::kCreatedAt},
    FieldName{"create_time", TaskField::kCreatedAt},
    FieldName{"finished_at", TaskField::kFinishedAt},
    FieldName{"finish_time", TaskField::kFinishedAt},
    FieldName{"end_time", TaskField::kFinishedAt},
    FieldName{"fingerprint", TaskField::kFingerprint},
};

absl::Status Invalid(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("filter: ", what));
}

std::optional<int64_t> DecimalOf(const std::string& text) {
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end) return std::nullopt;
  return number;
}

int ValueOfHexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// As a URL's query is unescaped; nullopt if it is none, or not UTF-8 after it.
std::optional<std::string> Unescaped(absl::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = ValueOfHexDigit(text[i + 1]);
      const int low = ValueOfHexDigit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      plain.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      plain.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  const bool is_utf8 = google::protobuf::internal::IsStructurallyValidUTF8(
      plain.data(), static_cast<int>(plain.size()));
  return is_utf8 ? std::make_optional(std::move(plain)) : std::nullopt;
}

absl::StatusOr<api::Filter> ReadJson(absl::string_view text) {
  api::Filter filter;
  const auto status = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(text.data(), text.size()), &filter);
  if (status.ok()) return filter;
  const absl::string_view why(status.message().data(), status.message().size());
  return Invalid(absl::StrCat(Quoted(text), " is not the JSON of an api.Filter: ", Quoted(why)));
}

bool IsList(const Predicate& predicate) {
  return predicate.has_int_values() || predicate.has_long_values() || predicate.has_string_values();
}

absl::Status CheckOperator(const Predicate& predicate) {
  const absl::string_view key = predicate.key();
  switch (predicate.op()) {
    case Predicate::EQUALS:
    case Predicate::NOT_EQUALS:
    case Predicate::GREATER_THAN:
    case Predicate::GREATER_THAN_EQUALS:
    case Predicate::LESS_THAN:
    case Predicate::LESS_THAN_EQUALS:
      if (!IsList(predicate)) return absl::OkStatus();
      return Invalid(absl::StrCat(key, ": only IN takes a list of values"));
    case Predicate::IN:
      if (IsList(predicate)) return absl::OkStatus();
      return Invalid(absl::StrCat(key, ": IN takes a list of values"));
    case Predicate::IS_SUBSTRING:
      if (predicate.has_string_value()) return absl::OkStatus();
      return Invalid(absl::StrCat(key, ": IS_SUBSTRING takes a string"));
    default:
      return Invalid(absl::StrCat(key, ": op is missing, or none of api.Predicate.Op"));
  }
}

bool Compares(Predicate::Op op, bool is_less, bool is_equal) {
  switch (op) {
    case Predicate::EQUALS:
    case Predicate::IN:
      return is_equal;
    case Predicate::NOT_EQUALS:
      return !is_equal;
    case Predicate::GREATER_THAN:
      return !is_less && !is_equal;
    case Predicate::GREATER_THAN_EQUALS:
      return !is_less;
    case Predicate::LESS_THAN:
      return is_less;
    case Predicate::LESS_THAN_EQUALS:
      return is_less || is_equal;
    default:
      return false;
  }
}

}  // namespace

std::optional<TaskField> FindTaskField(absl::string_view name) {
  for (const FieldName& one : kFieldNames) {
    if (absl::EqualsIgnoreCase(one.name, name)) return one.field;
  }
  return std::nullopt;
}

absl::string_view NameOf(TaskField field) {
  for (const FieldName& one : kFieldNames) {
    if (one.field == field) return one.name;
  }
  return "";
}

const std::string& TextOf(const api::Task& task, TaskField field) {
  switch (field) {
    case TaskField::kNamespace:
      return task.namespace_();
    case TaskField::kPipelineName:
      return task.pipelinename();
    case TaskField::kRunId:
      return task.runid();
    case TaskField::kExecutionId:
      return task.mlmdexecutionid();
    case TaskField::kFingerprint:
      return task.fingerprint();
    default:
      return task.id();
  }
}

int64_t SecondsOf(const api::Task& task, TaskField field) {
  return field == TaskField::kCreatedAt ? task.created_at().seconds()
                                        : task.finished_at().seconds();
}

absl::StatusOr<TaskFilter> TaskFilter::Parse(absl::string_view text) {
  if (text.empty()) return TaskFilter();
  if (text.size() > kMaxBytes) {
    return Invalid(absl::StrCat("it has ", text.size(), " bytes; at most ", kMaxBytes));
  }
  auto filter = ReadJson(text);
  // Kubeflow's API server unescapes every filter. A filter that is JSON as it is is left alone, so
  // that its texts may have percent signs.
  if (!filter.ok()) {
    const std::optional<std::string> plain = Unescaped(text);
    if (plain.has_value() && *plain != text) {
      if (auto second = ReadJson(*plain); second.ok()) filter = std::move(second);
    }
  }
  if (!filter.ok()) return filter.status();
  return Of(*filter);
}

absl::StatusOr<TaskFilter> TaskFilter::Of(const api::Filter& filter) {
  TaskFilter compiled;
  for (const Predicate& predicate : filter.predicates()) {
    auto condition = Compile(predicate);
    if (!condition.ok()) return condition.status();
    compiled.conditions_.push_back(*std::move(condition));
  }
  compiled.bytes_ = filter.SerializeAsString();
  return compiled;
}

absl::StatusOr<TaskFilter::Condition> TaskFilter::Compile(const Predicate& predicate) {
  if (predicate.key().empty()) return Invalid("a predicate has no key");
  const auto field = FindTaskField(predicate.key());
  if (!field.has_value()) {
    return Invalid(absl::StrCat("tasks have no field ", Quoted(predicate.key())));
  }
  if (absl::Status status = CheckOperator(predicate); !status.ok()) return status;
  Condition condition = {*field, predicate.op(), false, {}, {}};
  switch (predicate.value_case()) {
    case Predicate::kIntValue:
      condition.numbers = {predicate.int_value()};
      break;
    case Predicate::kLongValue:
      condition.numbers = {predicate.long_value()};
      break;
    case Predicate::kTimestampValue:
      if (!IsTime(*field)) return Invalid(absl::StrCat(predicate.key(), " is no time"));
      condition.numbers = {predicate.timestamp_value().seconds()};
      break;
    case Predicate::kStringValue:
      condition.texts = {predicate.string_value()};
      condition.is_text = true;
      break;
    case Predicate::kIntValues:
      condition.numbers.assign(predicate.int_values().values().begin(),
                               predicate.int_values().values().end());
      break;
    case Predicate::kLongValues:
      condition.numbers.assign(predicate.long_values().values().begin(),
                               predicate.long_values().values().end());
      break;
    case Predicate::kStringValues:
      condition.texts.assign(predicate.string_values().values().begin(),
                             predicate.string_values().values().end());
      condition.is_text = true;
      break;
    case Predicate::VALUE_NOT_SET:
      return Invalid(absl::StrCat(predicate.key(), ": a value is missing"));
  }
  if (condition.is_text && IsTime(*field)) {
    return Invalid(
        absl::StrCat(predicate.key(), " is a time: give a timestamp_value or a number of seconds"));
  }
  if (condition.op == Predicate::IS_SUBSTRING) absl::AsciiStrToLower(&condition.texts[0]);
  return condition;
}

bool TaskFilter::Holds(const Condition& condition, const api::Task& task) {
  const Predicate::Op op = condition.op;
  if (condition.is_text) {
    const std::string& text = TextOf(task, condition.field);
    if (op == Predicate::IS_SUBSTRING) {
      return absl::StrContains(absl::AsciiStrToLower(text), condition.texts[0]);
    }
    return std::any_of(condition.texts.begin(), condition.texts.end(),
                       [&](const std::string& wanted) {
                         const int order = text.compare(wanted);
                         return Compares(op, order < 0, order == 0);
                       });
  }
  const std::optional<int64_t> number = IsTime(condition.field)
                                            ? SecondsOf(task, condition.field)
                                            : DecimalOf(TextOf(task, condition.field));
  if (!number.has_value()) return op == Predicate::NOT_EQUALS;
  return std::any_of(condition.numbers.begin(), condition.numbers.end(), [&](int64_t wanted) {
    return Compares(op, *number < wanted, *number == wanted);
  });
}

bool TaskFilter::Matches(const api::Task& task) const {
  return std::all_of(conditions_.begin(), conditions_.end(),
                     [&](const Condition& condition) { return Holds(condition, task); });
}

const std::string* TaskFilter::FixedText(TaskField field) const {
  for (const Condition& condition : conditions_) {
    if (condition.field == field && condition.op == Predicate::EQUALS && condition.is_text) {
      return &condition.texts[0];
    }
  }
  return nullptr;
}

int64_t TaskFilter::cost() const {
  constexpr size_t kComparisonsPerStep = 16;
  size_t comparisons = 0;
  for (const Condition& condition : conditions_) {
    comparisons += condition.texts.size() + condition.numbers.size();
  }
  return static_cast<int64_t>(comparisons / kComparisonsPerStep);
}

}  // namespace pedigree
