// pedigree verify-import SOURCE --data_dir DIR
#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/open_store.h"
#include "migrate/verify_import.h"
#include "store/durable_file.h"

namespace pedigree::cli {
namespace {

class VerifyImportCommand final : public Command {
 public:
  const char* name() const override { return "verify-import"; }
  const char* summary() const override {
    return "prove that a store has exactly what its source has";
  }
  const char* examples() const override {
    return "pedigree verify-import sqlite:metadata.db --data_dir pedigree-data --report proof.json";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option("SOURCE", source_, kSourceHelp)->required();
    app->add_option("--data_dir", data_dir_, "the store, which no server may have open")
        ->required();
    app->add_option("--repair", repairs_, "as given to import");
    app->add_option("--report", report_, "a file for the report in JSON");
  }

  absl::Status Run() override {
    auto repairs = migrate::ParseRepairs(repairs_);
    if (!repairs.ok()) return repairs.status();
    auto source = migrate::OpenSource(source_);
    if (!source.ok()) return source.status();
    auto store = OpenStore(data_dir_);
    if (!store.ok()) return store.status();
    migrate::Progress progress(migrate::Progress::Style::kAuto);
    auto proof = migrate::VerifyImport(source->get(), **store, *repairs, &progress);
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
  std::string source_;
  std::string data_dir_;
  std::string report_;
  std::vector<std::string> repairs_;
};

}  // namespace

std::unique_ptr<Command> MakeVerifyImportCommand() {
  return std::make_unique<VerifyImportCommand>();
}

}  // namespace pedigree::cli
