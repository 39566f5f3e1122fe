#include "cli/lineage/question.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/lineage/fetch.h"
#include "cli/parse_time.h"
#include "cli/reference.h"
#include "cli/text.h"

namespace pedigree::cli {

void AddQuestionOptions(CLI::App* app, QuestionOptions* options) {
  const std::string group = "What to look at";
  const auto add = [&](const std::string& names, std::string* value, const std::string& help,
                       const std::string& type) {
    app->add_option(names, *value, help)->type_name(type)->group(group);
  };
  app->add_option("--depth", options->depth, "hops to go; an event is one [all]")
      ->check(CLI::Range(int64_t{0}, int64_t{1'000'000'000}).description(""))
      ->type_name("N")
      ->group(group);
  add("--where", &options->where,
      "only artifacts that satisfy this filter, and what is reached through them", "FILTER");
  add("--where-executions,--where_executions", &options->where_executions,
      "the same for executions", "FILTER");
  add("--stop-at,--stop_at", &options->stop_at, "artifacts that are shown, and not gone beyond",
      "FILTER");
  add("--stop-at-executions,--stop_at_executions", &options->stop_at_executions,
      "the same for executions", "FILTER");
  add("--as-of,--as_of", &options->as_of,
      "only what was there then: 2026-03-01T12:00:00Z, 2026-03-01, or ms since 1970", "TIME");
  Connection::AddOptions(app, &options->connection);
}

absl::StatusOr<v1::LineageScope> ScopeOf(const QuestionOptions& options) {
  v1::LineageScope scope;
  if (options.depth.has_value()) scope.set_max_hops(*options.depth);
  scope.set_artifact_filter(options.where);
  scope.set_execution_filter(options.where_executions);
  scope.set_stop_artifacts(options.stop_at);
  scope.set_stop_executions(options.stop_at_executions);
  if (!options.as_of.empty()) {
    const auto time = ParseTime(options.as_of, absl::LocalTimeZone());
    if (!time.ok()) return time.status();
    scope.set_as_of_ms(*time);
  }
  return scope;
}

absl::StatusOr<Question> Question::Open(const QuestionOptions& options) {
  Question question;
  auto scope = ScopeOf(options);
  if (!scope.ok()) return scope.status();
  question.scope_ = *std::move(scope);
  auto connection = Connection::Open(options.connection);
  if (!connection.ok()) return connection.status();
  question.connection_ = *std::move(connection);
  return question;
}

absl::StatusOr<v1::NodeRef> Question::Start(const std::string& text) const {
  const auto ref = Resolve(connection(), text, {NodeKind::kArtifact, NodeKind::kExecution});
  if (!ref.ok()) return ref.status();
  return ToProto(*ref);
}

absl::Status PrintAnswer(OutputFormat format, const google::protobuf::Message& answer,
                         absl::FunctionRef<Table()> table, absl::FunctionRef<std::string()> text) {
  if (format == OutputFormat::kJson) return PrintJson(answer);
  Print(format == OutputFormat::kCsv ? table().ToCsv() : text());
  return absl::OkStatus();
}

std::string RemarkOf(const v1::LineageScope& scope) {
  if (!scope.has_as_of_ms()) return "";
  return absl::StrCat("as of ", Screen::Plain().Time(scope.as_of_ms()));
}

}  // namespace pedigree::cli
