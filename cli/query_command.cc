// pedigree query FILTER
#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/facts.h"
#include "cli/list_nodes.h"
#include "cli/output.h"
#include "pedigree/v1/query.pb.h"

namespace pedigree::cli {
namespace {

std::string ExplanationText(const v1::ExplainResponse& answer, const Screen& screen) {
  Facts facts;
  facts.Add("filter", answer.filter());
  facts.Add("order", answer.order());
  facts.Add("source", answer.source());
  if (answer.is_estimate_exact() || answer.estimated_rows() > 0) {
    facts.Add("it has", absl::StrCat(answer.is_estimate_exact() ? "" : "at least ",
                                     Count(answer.estimated_rows(), "node")));
  }
  facts.Add("looked at", Count(answer.candidates(), "node"));
  facts.Add("matched", Count(answer.rows(), "node"));
  if (!answer.missing_index().empty()) {
    facts.Add("would help", absl::StrCat("pedigree index add ", answer.missing_index()));
  }
  facts.Add("fails", answer.error());
  return facts.ToText(screen);
}

class QueryCommand final : public Command {
 public:
  const char* name() const override { return "query"; }
  const char* summary() const override {
    return "list the nodes that match a filter, or say how they are found";
  }
  const char* examples() const override {
    return "pedigree query \"properties.accuracy.double_value > 0.9\"\n"
           "pedigree query --kind executions \"custom_properties.run_id.string_value = 'r1'\" "
           "--explain";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option("FILTER", options_.where, "as filter_query takes it")
        ->type_name("")
        ->required();
    AddKindOption(app, "--kind", &options_.kind, "of what")->default_str("artifacts");
    app->add_flag("--explain", explain_, "only how the first page is found, and what it costs");
    AddListOptions(app, &options_);
    AddOutputOption(app, &format_);
    Connection::AddOptions(app, &connection_);
  }

  absl::Status Run() override {
    auto connection = Connection::Open(connection_);
    if (!connection.ok()) return connection.status();
    if (explain_) return Explain(connection->get());
    return PrintNodes(connection->get(), options_, format_);
  }

 private:
  absl::Status Explain(Connection* connection) {
    constexpr int64_t kPageSize = 100;
    const int64_t page = options_.limit == 0 ? kPageSize : std::min(options_.limit, kPageSize);
    auto options = ToOperationOptions(connection, options_, static_cast<int32_t>(page));
    if (!options.ok()) return options.status();
    v1::ExplainRequest request;
    request.set_kind(static_cast<v1::NodeKind>(options_.kind));
    *request.mutable_options() = *std::move(options);
    v1::ExplainResponse answer;
    absl::Status status = connection->Call("/pedigree.v1.QueryService/Explain", request, &answer);
    if (!status.ok()) return status;
    if (format_ == OutputFormat::kJson) return PrintJson(answer);
    if (format_ == OutputFormat::kCsv) {
      return absl::InvalidArgumentError("--explain is no table: there is --output json");
    }
    Print(ExplanationText(answer, Screen::OfStandardOutput()));
    return absl::OkStatus();
  }

  ListOptions options_;
  bool explain_ = false;
  OutputFormat format_ = OutputFormat::kTable;
  ConnectionOptions connection_;
};

static_assert(static_cast<int>(NodeKind::kArtifact) == v1::ARTIFACT &&
              static_cast<int>(NodeKind::kExecution) == v1::EXECUTION &&
              static_cast<int>(NodeKind::kContext) == v1::CONTEXT);

}  // namespace

std::unique_ptr<Command> MakeQueryCommand() { return std::make_unique<QueryCommand>(); }

}  // namespace pedigree::cli
