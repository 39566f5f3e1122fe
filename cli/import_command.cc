// pedigree import SOURCE --data_dir DIR | --server ADDRESS [--follow]: from MLMD, or our jsonl
#include <signal.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/export/jsonl_import.h"
#include "cli/migrate_client.h"
#include "migrate/follow.h"
#include "migrate/import.h"
#include "migrate/schema.h"
#include "store/directory.h"
#include "store/durable_file.h"

namespace pedigree::cli {
namespace {

// How often SIGINT or SIGTERM has come. What a signal handler touches is global.
std::atomic<int> stop_signals = 0;

void CountStopSignals() {
  const auto count = [](int) { stop_signals.fetch_add(1); };
  signal(SIGINT, count);
  signal(SIGTERM, count);
}

migrate::Stop StopBySignals() {
  const int signals = stop_signals.load();
  if (signals == 0) return migrate::Stop::kGoOn;
  return signals == 1 ? migrate::Stop::kFinish : migrate::Stop::kNow;
}

class ImportCommand final : public Command {
 public:
  const char* name() const override { return "import"; }
  const char* summary() const override {
    return "make a store of an MLMD database or server, or of an export in jsonl";
  }
  const char* examples() const override {
    return "pedigree import mysql://root@db:3306/metadb --data_dir pedigree-data\n"
           "pedigree import mysql://root@db:3306/metadb --data_dir pedigree-data --follow\n"
           "pedigree import grpc://mlmd:8080 --data_dir pedigree-data\n"
           "pedigree import sqlite:metadata.db --data_dir pedigree-data --report repairs.tsv\n"
           "pedigree import sqlite:metadata.db --server pedigree.kubeflow:8080";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option(
           "SOURCE", source_,
           absl::StrCat("jsonl:FILE|DIR, what `pedigree export` has written; or ", kSourceHelp))
        ->required();
    Connection::AddOptions(app, &target_);
    const std::string group = "Where it goes";
    app->get_option("--data_dir")
        ->description("a new store: an empty or missing directory")
        ->group(group);
    app->get_option("--server")
        ->description(
            "or HOST:PORT or unix:PATH of a pedigreed that is empty and has "
            "--allow_import; only the import writes to it until all is there")
        ->group(group);
    app->add_option("--repair", repairs_,
                    "what to do about rows that break the source's own rules (else nothing is "
                    "imported, and they are listed):\n" +
                        migrate::DescribeRepairs());
    app->add_flag(
        "--follow", follow_,
        "when everything is there, bring what the source receives meanwhile, until SIGINT "
        "or SIGTERM; then do it once more, and the store is ready (the second time: at "
        "once)");
    app->add_option("--report", report_,
                    "a file for every row that had to be repaired, or that is refused: a line of "
                    "problem, repair and place, separated by tabs");
    app->add_option("--write_buffer_bytes", write_buffer_bytes_,
                    "memory for what is not on the disk yet, in bytes (with --data_dir)")
        ->check(CLI::Range(size_t{64} << 10, size_t{1} << 40));
  }

  absl::Status Run() override {
    if (target_.data_dir.empty() == target_.server.empty()) {
      return absl::InvalidArgumentError(
          "say where to import to: --data_dir DIR, a new store, or --server ADDRESS, a pedigreed "
          "that is empty; one of the two");
    }
    absl::string_view jsonl = source_;
    if (absl::ConsumePrefix(&jsonl, "jsonl:")) return RunJsonl(std::string(jsonl));
    auto repairs = migrate::ParseRepairs(repairs_);
    if (!repairs.ok()) return repairs.status();
    std::ofstream report;
    if (!report_.empty()) {
      report.open(report_);
      if (!report) return FileError(errno, "write", report_);
    }
    migrate::Progress progress(migrate::Progress::Style::kAuto);
    migrate::ImportOptions options;
    options.data_dir = target_.data_dir;
    options.repairs = *repairs;
    options.write_buffer_bytes = write_buffer_bytes_;
    options.report = [&](const migrate::Finding& finding) {
      if (!report.is_open()) return;
      report << migrate::FactsOf(finding.problem).name << '\t' << migrate::NameOf(finding.repair)
             << '\t' << finding.where << '\n';
    };
    absl::Status status = ImportTo(options, &progress);
    report.close();
    if (!report_.empty() && !report) return FileError(EIO, "write", report_);
    return status;
  }

 private:
  absl::Status ImportTo(const migrate::ImportOptions& options, migrate::Progress* progress) const {
    if (!target_.server.empty()) return ImportToServer(options, progress);
    auto target = CheckImportTarget(target_.data_dir);
    if (!target.ok()) return target.status();
    if (follow_ || migrate::IsServerUrl(source_) || *target == DirectoryState::kFollowing) {
      return ImportAndFollow(options, nullptr, progress);
    }
    auto source = migrate::OpenSource(source_);
    if (!source.ok()) return source.status();
    auto result = migrate::Import(source->get(), options, progress);
    if (!result.ok()) return result.status();
    Print(result->kept);
    Print(result->findings);
    return absl::OkStatus();
  }

  absl::Status ImportToServer(const migrate::ImportOptions& options,
                              migrate::Progress* progress) const {
    auto connection = Connection::Open(target_);
    if (!connection.ok()) return connection.status();
    migrate::GrpcClient client = ClientOver(connection->get());
    return ImportAndFollow(options, &client, progress);
  }

  // `server`: null for --data_dir.
  absl::Status ImportAndFollow(const migrate::ImportOptions& import, migrate::GrpcClient* server,
                               migrate::Progress* progress) const {
    migrate::FollowOptions options;
    options.import = import;
    options.server = server;
    if (follow_) {
      options.stop = StopBySignals;
      // Before that, a signal ends the program: the next one goes on.
      options.on_loaded = CountStopSignals;
    }
    options.say = [](absl::string_view line) {
      std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
    };
    auto result =
        migrate::ImportAndFollow([&] { return migrate::OpenSource(source_); }, options, progress);
    if (!result.ok()) return result.status();
    if (server == nullptr) Print(result->loaded);
    Print(result->findings);
    std::printf("%s%s\n", server == nullptr ? "then brought        " : "brought             ",
                result->brought.ToString().c_str());
    if (!result->is_settled) {
      std::printf(
          "the source may have rows that were not brought: it was still being written to, or this "
          "was stopped before it could look; verify-import names them\n");
    }
    return absl::OkStatus();
  }

  static void Print(const migrate::TableCounts& rows) {
    for (size_t i = 0; i < migrate::kTableCount; ++i) {
      const auto table = static_cast<migrate::Table>(i);
      std::printf("%-18s %lld\n", std::string(migrate::NameOf(table)).c_str(),
                  static_cast<long long>(rows[i]));
    }
  }

  static void Print(const migrate::Findings& findings) {
    if (findings.total() == 0) return;
    std::printf(
        "%s", absl::StrCat("repaired ", findings.total(), " rows:\n", findings.ToString()).c_str());
  }

  absl::Status RunJsonl(const std::string& from) {
    if (!target_.server.empty()) {
      return absl::InvalidArgumentError("an export goes into a new store: say --data_dir");
    }
    if (!repairs_.empty() || !report_.empty()) {
      return absl::InvalidArgumentError("an export has nothing to repair or to report");
    }
    JsonlImportOptions options;
    options.from = from;
    options.data_dir = target_.data_dir;
    options.write_buffer_bytes = write_buffer_bytes_;
    const auto counts = ImportJsonl(options);
    if (!counts.ok()) return counts.status();
    for (const auto& [name, count] : *counts) {
      std::printf("%-18s %lld\n", name.c_str(), static_cast<long long>(count));
    }
    return absl::OkStatus();
  }

  std::string source_;
  ConnectionOptions target_;
  std::string report_;
  std::vector<std::string> repairs_;
  bool follow_ = false;
  size_t write_buffer_bytes_ = migrate::ImportOptions().write_buffer_bytes;
};

}  // namespace

std::unique_ptr<Command> MakeImportCommand() { return std::make_unique<ImportCommand>(); }

}  // namespace pedigree::cli
