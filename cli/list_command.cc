// pedigree ls artifacts|executions|contexts
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/connection.h"
#include "cli/list_nodes.h"

namespace pedigree::cli {
namespace {

class ListCommand final : public Command {
 public:
  const char* name() const override { return "ls"; }
  const char* summary() const override { return "list artifacts, executions or contexts"; }
  const char* examples() const override {
    return "pedigree ls artifacts --type system.Model --order create --desc --limit 5\n"
           "pedigree ls executions --where \"last_known_state = FAILED\" --context my-run\n"
           "pedigree ls artifacts --where \"uri LIKE 's3://models/%'\" --output csv --limit 0";
  }

  void AddOptions(CLI::App* app) override {
    AddKindOption(app, "KIND", &options_.kind, "what to list")->required();
    app->add_option("--where", options_.where,
                    "a filter as filter_query takes it, e.g. \"name = 'v1'\"")
        ->type_name("FILTER");
    AddListOptions(app, &options_);
    AddOutputOption(app, &format_);
    Connection::AddOptions(app, &connection_);
  }

  absl::Status Run() override {
    auto connection = Connection::Open(connection_);
    if (!connection.ok()) return connection.status();
    return PrintNodes(connection->get(), options_, format_);
  }

 private:
  ListOptions options_;
  OutputFormat format_ = OutputFormat::kTable;
  ConnectionOptions connection_;
};

}  // namespace

std::unique_ptr<Command> MakeListCommand() { return std::make_unique<ListCommand>(); }

}  // namespace pedigree::cli
