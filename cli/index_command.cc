// pedigree index add|drop|list
#include <CLI/CLI.hpp>
#include <chrono>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/list_nodes.h"
#include "cli/output.h"
#include "cli/table.h"
#include "migrate/progress.h"
#include "pedigree/v1/query.pb.h"
#include "store/text.h"

namespace pedigree::cli {
namespace {

constexpr char kListMethod[] = "/pedigree.v1.QueryService/ListPropertyIndexes";
constexpr std::chrono::milliseconds kLookInterval{200};

// What `index add` and `index drop` name.
struct NamedProperty {
  NodeKind kind = NodeKind::kArtifact;
  std::string path;  // "custom_properties.run_id"

  void AddOptions(CLI::App* app) {
    AddKindOption(app, "KIND", &kind, "of what")->required();
    app->add_option("PROPERTY", path, "properties.NAME or custom_properties.NAME")
        ->type_name("")
        ->required();
  }

  // Sets kind, is_custom and name. InvalidArgument if the path is none.
  template <class Request>
  absl::Status Fill(Request* request) const {
    absl::string_view rest = path;
    const bool is_custom = absl::ConsumePrefix(&rest, "custom_properties.");
    if ((!is_custom && !absl::ConsumePrefix(&rest, "properties.")) || rest.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(Quoted(path), " must be properties.NAME or custom_properties.NAME"));
    }
    request->set_kind(static_cast<v1::NodeKind>(kind));
    request->set_is_custom(is_custom);
    request->set_name(std::string(rest));
    return absl::OkStatus();
  }
};

std::string KindText(const v1::PropertyIndex& index) {
  return std::string(NameOf(static_cast<NodeKind>(index.kind())));
}

std::string PathText(const v1::PropertyIndex& index) {
  return absl::StrCat(index.is_custom() ? "custom_properties." : "properties.", index.name());
}

std::string ProgressText(const v1::PropertyIndex& index) {
  if (index.state() != v1::PropertyIndex::BUILDING) return "";
  return absl::StrCat(index.nodes_done(), " of ", index.nodes_in_all());
}

class AddIndexCommand final : public Command {
 public:
  const char* name() const override { return "add"; }
  const char* summary() const override {
    return "index a property, so that filters on it look it up";
  }
  const char* examples() const override {
    return "pedigree index add execution custom_properties.run_id --wait";
  }

  void AddOptions(CLI::App* app) override {
    property_.AddOptions(app);
    app->add_flag("--wait", wait_, "until queries use it");
    Connection::AddOptions(app, &connection_);
  }

  absl::Status Run() override {
    v1::AddPropertyIndexRequest request;
    absl::Status status = property_.Fill(&request);
    if (!status.ok()) return status;
    auto connection = Connection::Open(connection_);
    if (!connection.ok()) return connection.status();
    v1::AddPropertyIndexResponse answer;
    status = (*connection)->Call("/pedigree.v1.QueryService/AddPropertyIndex", request, &answer);
    if (!status.ok()) return status;
    if (wait_) {
      auto ready = Wait(connection->get(), answer.index());
      if (!ready.ok()) return ready.status();
      *answer.mutable_index() = *std::move(ready);
    }
    const v1::PropertyIndex& index = answer.index();
    Print(absl::StrCat(KindText(index), " ", PathText(index), ": ",
                       index.state() == v1::PropertyIndex::READY
                           ? "ready\n"
                           : "being built while the server serves (see pedigree index list)\n"));
    return absl::OkStatus();
  }

 private:
  // The index once it is no more being built.
  static absl::StatusOr<v1::PropertyIndex> Wait(Connection* connection, v1::PropertyIndex index) {
    if (index.state() != v1::PropertyIndex::BUILDING) return index;
    migrate::Progress progress(migrate::Progress::OnlyOnTerminal());
    progress.Begin("indexing", index.nodes_in_all());
    int64_t told = 0;
    while (index.state() == v1::PropertyIndex::BUILDING) {
      progress.Add(index.nodes_done() - told);
      told = index.nodes_done();
      std::this_thread::sleep_for(kLookInterval);
      v1::ListPropertyIndexesResponse all;
      absl::Status status = connection->Call(kListMethod, v1::ListPropertyIndexesRequest(), &all);
      if (!status.ok()) return status;
      const v1::PropertyIndex* found = nullptr;
      for (const v1::PropertyIndex& other : all.indexes()) {
        if (KindText(other) == KindText(index) && PathText(other) == PathText(index)) {
          found = &other;
        }
      }
      if (found == nullptr) return absl::AbortedError("somebody has dropped the index meanwhile");
      index = *found;
    }
    progress.Add(index.nodes_in_all() - told);
    progress.End();
    return index;
  }

  NamedProperty property_;
  bool wait_ = false;
  ConnectionOptions connection_;
};

class DropIndexCommand final : public Command {
 public:
  const char* name() const override { return "drop"; }
  const char* summary() const override { return "forget an index"; }
  const char* examples() const override {
    return "pedigree index drop execution custom_properties.run_id";
  }

  void AddOptions(CLI::App* app) override {
    property_.AddOptions(app);
    Connection::AddOptions(app, &connection_);
  }

  absl::Status Run() override {
    v1::DropPropertyIndexRequest request;
    absl::Status status = property_.Fill(&request);
    if (!status.ok()) return status;
    auto connection = Connection::Open(connection_);
    if (!connection.ok()) return connection.status();
    v1::DropPropertyIndexResponse answer;
    status = (*connection)->Call("/pedigree.v1.QueryService/DropPropertyIndex", request, &answer);
    if (!status.ok()) return status;
    Print(absl::StrCat(NameOf(property_.kind), " ", property_.path, ": dropped\n"));
    return absl::OkStatus();
  }

 private:
  NamedProperty property_;
  ConnectionOptions connection_;
};

class ListIndexesCommand final : public Command {
 public:
  const char* name() const override { return "list"; }
  const char* summary() const override { return "list the indexes of properties"; }
  const char* examples() const override { return "pedigree index list"; }

  void AddOptions(CLI::App* app) override {
    AddOutputOption(app, &format_);
    Connection::AddOptions(app, &connection_);
  }

  absl::Status Run() override {
    auto connection = Connection::Open(connection_);
    if (!connection.ok()) return connection.status();
    v1::ListPropertyIndexesResponse answer;
    absl::Status status =
        (*connection)->Call(kListMethod, v1::ListPropertyIndexesRequest(), &answer);
    if (!status.ok()) return status;
    if (format_ == OutputFormat::kJson) return PrintJson(answer);
    Table table({{"KIND"}, {"PROPERTY"}, {"STATE"}, {"DONE"}});
    for (const v1::PropertyIndex& index : answer.indexes()) {
      table.AddRow({KindText(index), PathText(index), v1::PropertyIndex::State_Name(index.state()),
                    ProgressText(index)});
    }
    Print(format_ == OutputFormat::kCsv ? table.ToCsv() : table.ToText(Screen::OfStandardOutput()));
    return absl::OkStatus();
  }

 private:
  OutputFormat format_ = OutputFormat::kTable;
  ConnectionOptions connection_;
};

}  // namespace

std::unique_ptr<Command> MakeIndexCommand() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(std::make_unique<AddIndexCommand>());
  commands.push_back(std::make_unique<DropIndexCommand>());
  commands.push_back(std::make_unique<ListIndexesCommand>());
  return std::make_unique<CommandGroup>("index", "the indexes that filters use",
                                        std::move(commands));
}

}  // namespace pedigree::cli
