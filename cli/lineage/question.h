// What lineage commands have in common: the options of a question, and the scope of a call that
// they make.
//
// Threads: one.
//
//   QuestionOptions options;
//   AddQuestionOptions(app, &options);
//   ...
//   absl::StatusOr<v1::LineageScope> scope = ScopeOf(options);
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "pedigree/v1/lineage.pb.h"

namespace CLI {
class App;
}

namespace pedigree::cli {

// What a lineage begins at, for the help of options.
inline constexpr char kStartHelp[] = "artifact:42, execution:7, a name or a uri";

struct QuestionOptions {
  std::optional<int64_t> depth;
  std::string where;
  std::string where_executions;
  std::string stop_at;
  std::string stop_at_executions;
  std::string as_of;
};

// --depth, --where, --where-executions, --stop-at, --stop-at-executions, --as-of, each also with
// underscores.
void AddQuestionOptions(CLI::App* app, QuestionOptions* options);

// InvalidArgument: the time is none.
absl::StatusOr<v1::LineageScope> ScopeOf(const QuestionOptions& options);

// "as of 2026-03-01T00:00:00.000Z"; "" without a time.
std::string RemarkOf(const v1::LineageScope& scope);

}  // namespace pedigree::cli
