#include "cli/export/export_query.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "store/text.h"

namespace pedigree::cli {
namespace {

// A string of the filter language.
std::string Literal(absl::string_view text) {
  std::string literal = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') literal.push_back('\\');
    literal.push_back(c);
  }
  literal.push_back('\'');
  return literal;
}

absl::StatusOr<std::string> ContextFilter(absl::string_view context) {
  if (!absl::ConsumePrefix(&context, "context:")) {
    return absl::StrCat("contexts_exported.name = ", Literal(context));
  }
  int64_t id = 0;
  if (!absl::SimpleAtoi(context, &id)) {
    return absl::InvalidArgumentError("--context context:ID must have the id of a context");
  }
  return absl::StrCat("contexts_exported.id = ", id);
}

absl::StatusOr<int64_t> TimeOf(const std::string& text) {
  int64_t ms = 0;
  if (absl::SimpleAtoi(text, &ms)) return ms;
  absl::Time time;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--until ", Quoted(text), " must be a time like 2024-05-17T12:00:00Z, or in ms"));
  }
  return absl::ToUnixMillis(time);
}

}  // namespace

absl::StatusOr<v1::ExportSelection> SelectionOf(const ExportQuery& query) {
  v1::ExportSelection selection;
  std::string filter = query.where;
  if (!query.context.empty()) {
    const auto context = ContextFilter(query.context);
    if (!context.ok()) return context.status();
    filter = filter.empty() ? *context : absl::StrCat("(", filter, ") AND ", *context);
  }
  selection.set_execution_filter(filter);
  if (query.since < 0) return absl::InvalidArgumentError("--since must not be negative");
  selection.set_since_sequence(query.since);
  if (!query.until.empty()) {
    const auto until = TimeOf(query.until);
    if (!until.ok()) return until.status();
    selection.set_until_ms(*until);
  }
  if (!query.upstream_of.empty()) {
    absl::string_view id = query.upstream_of;
    absl::ConsumePrefix(&id, "artifact:");
    int64_t artifact = 0;
    if (!absl::SimpleAtoi(id, &artifact) || artifact < 1) {
      return absl::InvalidArgumentError("--upstream_of must be artifact:ID");
    }
    selection.set_upstream_of_artifact(artifact);
  }
  return selection;
}

}  // namespace pedigree::cli
