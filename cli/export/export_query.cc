#include "cli/export/export_query.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "cli/filter_text.h"
#include "cli/parse_time.h"

namespace pedigree::cli {
namespace {

absl::StatusOr<std::string> ContextFilter(absl::string_view context) {
  if (!absl::ConsumePrefix(&context, "context:")) {
    return absl::StrCat("contexts_exported.name = ", FilterText(context));
  }
  int64_t id = 0;
  if (!absl::SimpleAtoi(context, &id)) {
    return absl::InvalidArgumentError("--context context:ID must have the id of a context");
  }
  return absl::StrCat("contexts_exported.id = ", id);
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
    const auto until = ParseTime(query.until, absl::LocalTimeZone());
    if (!until.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("--until ", until.status().message()));
    }
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
