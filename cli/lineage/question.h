// What lineage commands have in common: the options of a question, whom it is put to, and how its
// answer is printed.
//
// Threads: one.
//
//   QuestionOptions options;
//   AddQuestionOptions(app, &options);
//   ...
//   absl::StatusOr<Question> question = Question::Open(options);
//   absl::StatusOr<v1::NodeRef> start = question->Start("artifact:42");
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/connection.h"
#include "cli/output.h"
#include "cli/table.h"
#include "pedigree/v1/lineage.pb.h"

namespace CLI {
class App;
}

namespace pedigree::cli {

// What a lineage begins at, for the help of options.
inline constexpr char kStartHelp[] = "artifact:42, execution:7, a name or a uri";

struct QuestionOptions {
  ConnectionOptions connection = {};
  std::optional<int64_t> depth;
  std::string where;
  std::string where_executions;
  std::string stop_at;
  std::string stop_at_executions;
  std::string as_of;
};

// --depth, --where, --where-executions, --stop-at, --stop-at-executions, --as-of, each also with
// underscores; and those of the connection.
void AddQuestionOptions(CLI::App* app, QuestionOptions* options);

// InvalidArgument: the time is none.
absl::StatusOr<v1::LineageScope> ScopeOf(const QuestionOptions& options);

class Question {
 public:
  // InvalidArgument: the time is none; else as Connection::Open().
  static absl::StatusOr<Question> Open(const QuestionOptions& options);

  Connection* connection() const { return connection_.get(); }
  const v1::LineageScope& scope() const { return scope_; }
  // The artifact or execution that a text names. Errors: as Resolve().
  absl::StatusOr<v1::NodeRef> Start(const std::string& text) const;

 private:
  std::unique_ptr<Connection> connection_;
  v1::LineageScope scope_;
};

// Prints an answer in the format that was asked for: as JSON, or what `table` or `text` makes of
// it.
absl::Status PrintAnswer(OutputFormat format, const google::protobuf::Message& answer,
                         absl::FunctionRef<Table()> table, absl::FunctionRef<std::string()> text);

// "as of 2026-03-01T00:00:00.000Z"; "" without a time.
std::string RemarkOf(const v1::LineageScope& scope);

}  // namespace pedigree::cli
