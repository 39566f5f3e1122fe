// pedigree get REF
#include <CLI/CLI.hpp>
#include <string>

#include "cli/command.h"
#include "cli/connection.h"
#include "cli/node_page.h"
#include "cli/output.h"
#include "cli/reference.h"

namespace pedigree::cli {
namespace {

class GetCommand final : public Command {
 public:
  const char* name() const override { return "get"; }
  const char* summary() const override {
    return "show one node: its properties, contexts and events";
  }
  const char* examples() const override {
    return "pedigree get artifact:42\n"
           "pedigree get s3://models/v2\n"
           "pedigree get execution:7 --output json";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option("REF", text_, kReferenceHelp)->type_name("")->required();
    AddTextOrJsonOption(app, &format_);
    Connection::AddOptions(app, &connection_);
  }

  absl::Status Run() override {
    auto connection = Connection::Open(connection_);
    if (!connection.ok()) return connection.status();
    const auto ref = Resolve(connection->get(), text_);
    if (!ref.ok()) return ref.status();
    return PrintNodePage(connection->get(), *ref, format_);
  }

 private:
  std::string text_;
  OutputFormat format_ = OutputFormat::kTable;
  ConnectionOptions connection_;
};

}  // namespace

std::unique_ptr<Command> MakeGetCommand() { return std::make_unique<GetCommand>(); }

}  // namespace pedigree::cli
