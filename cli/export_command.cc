// pedigree export --format F --to FILE|DIR|URL
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/choice.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/export/export_query.h"
#include "cli/export/export_run.h"
#include "cli/export/lineage_post.h"
#include "cli/export/uuid.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/reference.h"
#include "cli/text.h"
#include "migrate/progress.h"
#include "store/durable_file.h"

namespace pedigree::cli {
namespace {

using migrate::Progress;

std::string NamesOfFormats(absl::string_view between) {
  return absl::StrJoin(
      AllExportFormats(), between,
      [](std::string* names, const ExportFormat& format) { absl::StrAppend(names, format.name); });
}

std::string SummariesOfFormats() {
  std::string summaries;
  for (const ExportFormat& format : AllExportFormats()) {
    absl::StrAppend(&summaries, "\n  ", format.name, ": ", format.summary);
  }
  return summaries;
}

class ConnectedSource final : public ExportSource {
 public:
  explicit ConnectedSource(Connection* connection) : connection_(connection) {}

  absl::Status Export(const v1::ExportRequest& request,
                      absl::FunctionRef<bool(v1::ExportResponseBytes& part)> visit) override {
    return connection_->Stream<v1::ExportResponseBytes>("/pedigree.v1.AuditService/Export", request,
                                                        visit);
  }

 private:
  Connection* connection_;  // Not owned.
};

// A bar that is told how far the work is. On a terminal only: what a log shall have is the answer.
class Bar {
 public:
  explicit Bar(absl::string_view what) : progress_(Progress::OnlyOnTerminal()) {
    progress_.Begin(what, Progress::kUnknown);
  }
  ~Bar() { progress_.End(); }
  Bar(const Bar&) = delete;
  Bar& operator=(const Bar&) = delete;

  void Show(int64_t done) { progress_.Add(done - std::exchange(done_, done)); }
  // A line of its own.
  static void Note(absl::string_view line) {
    std::fprintf(stderr, "%s%s\n", isatty(STDERR_FILENO) == 1 ? "\r\033[K" : "",
                 Printable(line).c_str());
  }

 private:
  Progress progress_;
  int64_t done_ = 0;
};

class ExportCommand final : public Command {
 public:
  const char* name() const override { return "export"; }
  const char* summary() const override {
    return "write the history, or a part of it, as files for auditors; `export verify` checks them";
  }
  const char* examples() const override {
    return "pedigree export --format jsonl --to history.jsonl --key auditor.pem\n"
           "pedigree export --format csv --to tables --context run-7 --until 2026-03-01\n"
           "pedigree export --format cyclonedx --model churn-v2 --to bom.json\n"
           "pedigree export --format openlineage --to https://marquez.example --spool spool\n"
           "pedigree export verify history.jsonl --public_key auditor.pub";
  }

  void AddOptions(CLI::App* app) override {
    std::vector<std::pair<std::string, const ExportFormat*>> formats;
    for (const ExportFormat& format : AllExportFormats()) {
      formats.emplace_back(format.name, &format);
    }
    AddChoice<const ExportFormat*>(app, "--format", &format_, std::move(formats),
                                   NamesOfFormats("|"), "what to write:" + SummariesOfFormats());
    const auto add = [app](const std::string& option, std::string* value, const std::string& type,
                           const std::string& description) {
      return app->add_option(option, *value, description)->type_name(type)->check(NotEmpty());
    };
    add("--to", &to_, "FILE|DIR|URL",
        "the file (a name with an extension) or the directory to write. Run again after an "
        "interruption, the export goes on where it was. Of openlineage also "
        "http(s)://HOST[:PORT][/PATH]: a lineage backend");
    add("--spool", &spool_, "DIR",
        "with --to http(s)://: where events wait to be posted. The same command goes on there "
        "after an interruption [a temporary directory]");
    auto* const model = add("--model", &model_, "REF",
                            "of cyclonedx: the model, as artifact:42, its name or its uri");
    app->add_option("--where", query_.where,
                    "only executions that match this filter, and what goes with them")
        ->type_name("FILTER");
    add("--context", &query_.context, "REF",
        "only executions in the context of this name, or context:3");
    add("--upstream_of", &query_.upstream_of, "artifact:ID", "only what this artifact was made by")
        ->excludes(model);
    app->add_option("--since", query_.since, "only what has changed after this journal entry")
        ->type_name("SEQUENCE")
        ->check(NotNegative());
    add("--until", &query_.until, "TIME",
        "only what was created until then: 2026-03-01T12:00:00Z, 2026-03-01, or ms since 1970");
    add("--key", &key_, "FILE", "a private Ed25519 key (PEM) that signs the manifest");
    app->add_option("--option", options_, "of the format; may be repeated")
        ->type_name("NAME=VALUE");
    app->add_option("--checkpoint_bytes", checkpoint_bytes_,
                    "how much may have to be written again after an interruption")
        ->type_name("N")
        ->check(CLI::Range(int64_t{1}, int64_t{1} << 40).description(""));
    AddTextOrJsonOption(app, &output_);
    Connection::AddOptions(app, &connection_);
    verify_part_ = AddCommand(app, verify_.get());
  }

  absl::Status Run() override {
    if (verify_part_->parsed()) return verify_->Run();
    if (format_ == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("say --format: one of ", NamesOfFormats(", ")));
    }
    if (to_.empty()) return absl::InvalidArgumentError("say --to: a file or a directory");
    if (!IsUrl(to_)) {
      if (!spool_.empty()) return absl::InvalidArgumentError("--spool is for --to http(s)://");
      if (absl::Status status = WriteFiles(to_); !status.ok()) return status;
    } else {
      if (format_->name != absl::string_view("openlineage")) {
        return absl::InvalidArgumentError("only --format openlineage goes to http(s)://");
      }
      if (absl::Status status = ExportToBackend(); !status.ok()) return status;
    }
    Report();
    return absl::OkStatus();
  }

 private:
  static bool IsUrl(absl::string_view to) {
    return absl::StartsWith(to, "http://") || absl::StartsWith(to, "https://");
  }

  // Events are in their order, and can be posted again, only once all of them are in a file: that
  // of an ordinary export into the spool, in a directory that this command and no other names.
  absl::Status ExportToBackend() {
    auto backend = LineageBackend::Open(BackendFromEnvironment(to_));
    if (!backend.ok()) return backend.status();
    auto selection = SelectionOf(query_);
    if (!selection.ok()) return selection.status();
    std::string spool = spool_;
    if (spool.empty()) {
      auto made = TemporaryDirectory();
      if (!made.ok()) return made.status();
      spool = *made;
    }
    const std::string events =
        absl::StrCat(spool, "/", UuidV5(kUuidOfUrl, WhatGoesTo((*backend)->url(), *selection)));
    std::error_code error;
    const bool is_whole = std::filesystem::exists(absl::StrCat(events, "/", kManifestName), error);
    absl::Status status = is_whole ? absl::OkStatus() : MakeSpool(spool);
    if (status.ok() && !is_whole) status = WriteFiles(events);
    if (status.ok()) status = Post(absl::StrCat(events, "/", format_->file_name), backend->get());
    if (!status.ok()) {
      return {status.code(), absl::StrCat(status.message(), " (go on with --spool ", spool, ")")};
    }
    std::filesystem::remove_all(spool_.empty() ? spool : events, error);
    return absl::OkStatus();
  }

  // All that decides which events there are, and to whom they go.
  std::string WhatGoesTo(const std::string& url, const v1::ExportSelection& selection) const {
    std::error_code error;
    const std::string source =
        connection_.data_dir.empty()
            ? Connection::WhereOf(connection_)
            : std::filesystem::absolute(connection_.data_dir, error).lexically_normal().string();
    return absl::StrCat(url, "\n", source, "\n", format_->name, " ", format_->version, "\n",
                        absl::StrJoin(options_, "\n"), "\n", selection.SerializeAsString());
  }

  static absl::Status MakeSpool(const std::string& spool) {
    std::error_code error;
    std::filesystem::create_directories(spool, error);
    return error ? FileError(error.value(), "create", spool) : absl::OkStatus();
  }

  static absl::StatusOr<std::string> TemporaryDirectory() {
    const char* parent = std::getenv("TMPDIR");
    std::string path = absl::StrCat(parent == nullptr || *parent == '\0' ? "/tmp" : parent,
                                    "/pedigree-spool-XXXXXX");
    if (mkdtemp(path.data()) == nullptr) return FileError(errno, "create", path);
    return path;
  }

  absl::Status Post(const std::string& events, LineageBackend* backend) {
    Bar bar("posting");
    auto posted = PostEvents(events, backend, [&bar](int64_t count) { bar.Show(count); });
    if (!posted.ok()) return posted.status();
    posted_ = *posted;
    return absl::OkStatus();
  }

  absl::Status WriteFiles(const std::string& to) {
    ExportRunOptions run;
    run.format = format_;
    run.to = to;
    run.program_version = PEDIGREE_VERSION;
    run.checkpoint_bytes = checkpoint_bytes_;
    std::optional<SigningKey> key;
    if (!key_.empty()) {
      auto loaded = SigningKey::Load(key_);
      if (!loaded.ok()) return loaded.status();
      key = *std::move(loaded);
      run.writer.key = &*key;
    }
    auto connection = Connection::Open(connection_);
    if (!connection.ok()) return connection.status();
    if (!model_.empty()) {
      const auto model = Resolve(connection->get(), model_, {NodeKind::kArtifact});
      if (!model.ok()) return model.status();
      run.writer.options.emplace_back("model", ToString(*model));
      query_.upstream_of = ToString(*model);  // Nothing else is needed of it.
    }
    auto selection = SelectionOf(query_);
    if (!selection.ok()) return selection.status();
    run.writer.selection = *std::move(selection);
    for (const std::string& option : options_) {
      const std::pair<std::string, std::string> halves =
          absl::StrSplit(option, absl::MaxSplits('=', 1));
      run.writer.options.push_back(halves);
    }
    Bar bar("exporting");
    run.wait = [](int tries) { std::this_thread::sleep_for(std::chrono::seconds(tries)); };
    run.note = &Bar::Note;
    run.progress = [&bar](int64_t records) { bar.Show(records); };
    ConnectedSource source(connection->get());
    auto facts = ExportRun(&source, std::move(run)).Run();
    if (!facts.ok()) return facts.status();
    facts_ = *std::move(facts);
    return absl::OkStatus();
  }

  void Report() const {
    if (output_ == OutputFormat::kJson) return ReportAsJson();
    Facts facts;
    if (facts_.has_value()) {
      for (const auto& [name, count] : facts_->counts) facts.Add(name, Grouped(count));
      facts.Add("snapshot", facts_->header.snapshot());
    }
    if (posted_.has_value()) facts.Add("posted", Grouped(posted_->posted));
    if (posted_.has_value() && posted_->before > 0) {
      facts.Add("posted before", Grouped(posted_->before));
    }
    Print(facts.ToText(Screen::OfStandardOutput()));
    if (!facts_.has_value()) return;
    for (const ExportedFile& file : facts_->files) {
      Print(absl::StrCat(file.sha256, "  ", Printable(file.name), "\n"));
    }
  }

  // Names and numbers as in the manifest.
  void ReportAsJson() const {
    nlohmann::ordered_json json;
    json["format"] = format_->name;
    if (facts_.has_value()) {
      json["snapshot"] = facts_->header.snapshot();
      json["counts"] = facts_->counts;
      json["files"] = nlohmann::ordered_json::array();
      for (const ExportedFile& file : facts_->files) {
        json["files"].push_back(
            {{"name", file.name}, {"size", file.size}, {"sha256", file.sha256}});
      }
    }
    if (posted_.has_value()) {
      json["posted"] = posted_->posted;
      json["posted_before"] = posted_->before;
    }
    Print(json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  }

  const ExportFormat* format_ = nullptr;
  std::string to_;
  ExportQuery query_;
  std::string spool_;
  std::string model_;
  std::string key_;
  std::vector<std::string> options_;
  int64_t checkpoint_bytes_ = ExportRunOptions().checkpoint_bytes;
  OutputFormat output_ = OutputFormat::kTable;
  ConnectionOptions connection_;
  const std::unique_ptr<Command> verify_ = MakeExportVerifyCommand();
  const CLI::App* verify_part_ = nullptr;  // The command line's.
  // What was done.
  std::optional<ExportFacts> facts_;
  std::optional<PostedEvents> posted_;
};

}  // namespace

std::unique_ptr<Command> MakeExportCommand() { return std::make_unique<ExportCommand>(); }

}  // namespace pedigree::cli
