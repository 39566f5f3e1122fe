// pedigree verify-import SOURCE --data_dir DIR | --server ADDRESS
#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/migrate_client.h"
#include "cli/open_store.h"
#include "migrate/grpc_source.h"
#include "migrate/verify_import.h"
#include "store/durable_file.h"

namespace pedigree::cli {
namespace {

class VerifyImportCommand final : public Command {
 public:
  const char* name() const override { return "verify-import"; }
  const char* summary() const override {
    return "prove that a store or a server has exactly what its source has";
  }
  const char* examples() const override {
    return "pedigree verify-import sqlite:metadata.db --data_dir pedigree-data --report "
           "proof.json\n"
           "pedigree verify-import sqlite:metadata.db --server pedigree.kubeflow:8080";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option("SOURCE", source_, kSourceHelp)->required();
    Connection::AddOptions(app, &target_);
    app->get_option("--data_dir")->description("the store, which no server may have open");
    app->get_option("--server")
        ->description(
            "or a running pedigreed, which is read by its calls: HOST:PORT or unix:PATH; "
            "whether its store is whole in itself, `pedigree verify` says");
    app->add_option("--repair", repairs_, "as given to import");
    app->add_option("--report", report_, "a file for the report in JSON");
  }

  absl::Status Run() override {
    if (target_.data_dir.empty() == target_.server.empty()) {
      return absl::InvalidArgumentError(
          "say what to compare with the source: --data_dir DIR, a store, or --server ADDRESS, a "
          "running pedigreed; one of the two");
    }
    auto repairs = migrate::ParseRepairs(repairs_);
    if (!repairs.ok()) return repairs.status();
    auto source = migrate::OpenSource(source_);
    if (!source.ok()) return source.status();
    auto proof = Prove(source->get(), *repairs);
    if (!proof.ok()) return proof.status();
    std::fputs(proof->ToTable().c_str(), stdout);
    if (!report_.empty()) {
      const std::filesystem::path path = std::filesystem::absolute(report_);
      absl::Status status =
          ReplaceFile(path.parent_path(), path.filename().string(), proof->ToJson());
      if (!status.ok()) return status;
    }
    if (proof->ok()) return absl::OkStatus();
    return absl::DataLossError("the store does not have what the source has");
  }

 private:
  absl::StatusOr<migrate::ImportProof> Prove(migrate::Source* source,
                                             const migrate::Repairs& repairs) const {
    migrate::Progress progress(migrate::Progress::Style::kAuto);
    if (target_.server.empty()) {
      auto store = OpenStore(target_.data_dir);
      if (!store.ok()) return store.status();
      return migrate::VerifyImport(source, **store, repairs, &progress);
    }
    auto connection = Connection::Open(target_);
    if (!connection.ok()) return connection.status();
    migrate::GrpcClient client = ClientOver(connection->get());
    return migrate::VerifyImport(
        source, [&] { return migrate::OpenGrpcSource(&client); }, repairs, &progress);
  }

  std::string source_;
  ConnectionOptions target_;
  std::string report_;
  std::vector<std::string> repairs_;
};

}  // namespace

std::unique_ptr<Command> MakeVerifyImportCommand() {
  return std::make_unique<VerifyImportCommand>();
}

}  // namespace pedigree::cli
