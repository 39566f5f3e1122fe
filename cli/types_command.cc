// pedigree types
#include <CLI/CLI.hpp>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/list_nodes.h"
#include "cli/node_calls.h"
#include "cli/output.h"
#include "cli/table.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Execution;

// "accuracy DOUBLE, epochs INT"
template <class Type>
std::string PropertiesOf(const Type& type) {
  const std::map<std::string, ml_metadata::PropertyType> sorted(type.properties().begin(),
                                                                type.properties().end());
  std::string text;
  for (const auto& [name, property] : sorted) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", name, " ",
                    ml_metadata::PropertyType_Name(property));
  }
  return text;
}

class TypesCommand final : public Command {
 public:
  const char* name() const override { return "types"; }
  const char* summary() const override {
    return "list the types of artifacts, executions and contexts";
  }
  const char* examples() const override {
    return "pedigree types\n"
           "pedigree types artifacts --output json";
  }

  void AddOptions(CLI::App* app) override {
    kind_option_ = AddKindOption(app, "KIND", &kind_, "only those of this kind");
    AddOutputOption(app, &format_);
    Connection::AddOptions(app, &connection_);
  }

  absl::Status Run() override {
    auto connection = Connection::Open(connection_);
    if (!connection.ok()) return connection.status();
    absl::Status status = Add<Artifact>(connection->get());
    if (status.ok()) status = Add<Execution>(connection->get());
    if (status.ok()) status = Add<Context>(connection->get());
    if (!status.ok()) return status;
    if (format_ == OutputFormat::kJson) return PrintJson(json_);
    Print(format_ == OutputFormat::kCsv ? table_.ToCsv()
                                        : table_.ToText(Screen::OfStandardOutput()));
    return absl::OkStatus();
  }

 private:
  // Unless only another kind is asked for.
  template <class Node>
  absl::Status Add(Connection* connection) {
    if (!kind_option_->empty() && kind_ != TraitsOf<Node>::kKind) return absl::OkStatus();
    typename ReadsOf<Node>::Types request;
    typename ReadsOf<Node>::TypesAnswer answer;
    absl::Status status = connection->Call(ReadsOf<Node>::kTypes, request, &answer);
    if (!status.ok()) return status;
    const std::string kind(TraitsOf<Node>::kName);
    json_.AddList(kind + "_types", ReadsOf<Node>::TypesIn(answer));
    for (const auto& type : ReadsOf<Node>::TypesIn(answer)) {
      table_.AddRow(
          {kind, absl::StrCat(type.id()), type.name(), type.version(), PropertiesOf(type)});
    }
    return absl::OkStatus();
  }

  NodeKind kind_ = NodeKind::kArtifact;
  const CLI::Option* kind_option_ = nullptr;  // CLI11's.
  OutputFormat format_ = OutputFormat::kTable;
  ConnectionOptions connection_;
  JsonDocument json_;
  Table table_{{{"KIND"}, {"ID", Align::kRight}, {"NAME"}, {"VERSION"}, {"PROPERTIES"}}};
};

}  // namespace

std::unique_ptr<Command> MakeTypesCommand() { return std::make_unique<TypesCommand>(); }

}  // namespace pedigree::cli
