// pedigree import SOURCE --data_dir DIR: MLMD's databases, and exports in jsonl
#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/command.h"
#include "cli/export/jsonl_import.h"
#include "migrate/import.h"
#include "migrate/schema.h"
#include "store/durable_file.h"

namespace pedigree::cli {
namespace {

class ImportCommand final : public Command {
 public:
  const char* name() const override { return "import"; }
  const char* summary() const override {
    return "make a new store of an MLMD database, or of an export in jsonl";
  }
  const char* examples() const override {
    return "pedigree import mysql://root@db:3306/metadb --data_dir pedigree-data\n"
           "pedigree import sqlite:metadata.db --data_dir pedigree-data --report repairs.tsv";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option(
           "SOURCE", source_,
           absl::StrCat("jsonl:FILE|DIR, what `pedigree export` has written; or ", kSourceHelp))
        ->required();
    app->add_option("--data_dir", data_dir_, "the new store: an empty or missing directory")
        ->required();
    app->add_option("--repair", repairs_,
                    "what to do about rows that break the source's own rules (else nothing is "
                    "imported, and they are listed):\n" +
                        migrate::DescribeRepairs());

    app->add_option("--report", report_,
                    "a file for every row that had to be repaired, or that is refused: a line of "
                    "problem, repair and place, separated by tabs");
    app->add_option("--write_buffer_bytes", write_buffer_bytes_,
                    "memory for what is not on the disk yet, in bytes")
        ->check(CLI::Range(size_t{64} << 10, size_t{1} << 40));
  }

  absl::Status Run() override {
    absl::string_view jsonl = source_;
    if (absl::ConsumePrefix(&jsonl, "jsonl:")) return RunJsonl(std::string(jsonl));
    auto repairs = migrate::ParseRepairs(repairs_);
    if (!repairs.ok()) return repairs.status();
    auto source = migrate::OpenSource(source_);
    if (!source.ok()) return source.status();
    std::ofstream report;
    if (!report_.empty()) {
      report.open(report_);
      if (!report) return FileError(errno, "write", report_);
    }
    migrate::Progress progress(migrate::Progress::Style::kAuto);
    migrate::ImportOptions options;
    options.data_dir = data_dir_;
    options.repairs = *repairs;
    options.write_buffer_bytes = write_buffer_bytes_;
    options.report = [&](const migrate::Finding& finding) {
      if (!report.is_open()) return;
      report << migrate::FactsOf(finding.problem).name << '\t' << migrate::NameOf(finding.repair)
             << '\t' << finding.where << '\n';
    };
    auto result = migrate::Import(source->get(), options, &progress);
    report.close();
    if (!report_.empty() && !report) return FileError(EIO, "write", report_);
    if (!result.ok()) return result.status();
    for (size_t i = 0; i < migrate::kTableCount; ++i) {
      const auto table = static_cast<migrate::Table>(i);
      std::printf("%-18s %lld\n", std::string(migrate::NameOf(table)).c_str(),
                  static_cast<long long>(result->kept[i]));
    }
    if (result->findings.total() > 0) {
      std::printf("%s", absl::StrCat("repaired ", result->findings.total(), " rows:\n",
                                     result->findings.ToString())
                            .c_str());
    }
    return absl::OkStatus();
  }

 private:
  absl::Status RunJsonl(const std::string& from) {
    if (!repairs_.empty() || !report_.empty()) {
      return absl::InvalidArgumentError("an export has nothing to repair or to report");
    }
    JsonlImportOptions options;
    options.from = from;
    options.data_dir = data_dir_;
    options.write_buffer_bytes = write_buffer_bytes_;
    const auto counts = ImportJsonl(options);
    if (!counts.ok()) return counts.status();
    for (const auto& [name, count] : *counts) {
      std::printf("%-18s %lld\n", name.c_str(), static_cast<long long>(count));
    }
    return absl::OkStatus();
  }

  std::string source_;
  std::string data_dir_;
  std::string report_;
  std::vector<std::string> repairs_;
  size_t write_buffer_bytes_ = migrate::ImportOptions().write_buffer_bytes;
};

}  // namespace

std::unique_ptr<Command> MakeImportCommand() { return std::make_unique<ImportCommand>(); }

}  // namespace pedigree::cli
