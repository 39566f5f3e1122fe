// pedigree export --format F --to FILE|DIR, and pedigree export verify FILE|DIR
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/export/export_query.h"
#include "cli/export/export_run.h"
#include "cli/export/lineage_post.h"
#include "cli/export/uuid.h"
#include "cli/export/verify_export.h"
#include "store/durable_file.h"
#include "store/text.h"

namespace pedigree::cli {
namespace {

std::string NamesOfFormats() {
  std::string names;
  for (const ExportFormat& format : AllExportFormats()) {
    absl::StrAppend(&names, names.empty() ? "" : "\n", "  ", format.name, ": ", format.summary);
  }
  return names;
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

class ExportCommand final : public Command {
 public:
  const char* name() const override { return "export"; }
  const char* summary() const override {
    return "write the history, or a part of it, as files for auditors";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option("--format", format_, "what to write:\n" + NamesOfFormats());
    app->add_option(
        "--to", to_,
        "the file (a name with an extension) or the directory to write. Run again after "
        "an interruption, the export goes on where it was. Of openlineage also "
        "http(s)://HOST[:PORT][/PATH]: a lineage backend");
    app->add_option("--spool", spool_,
                    "with --to http(s)://: the directory in which events wait to be posted. The "
                    "same command goes on there after an interruption; default: a temporary one");
    app->add_option("--model", model_,
                    "of cyclonedx: the model, as `artifact:ID`, ID, its name or its uri");
    app->add_option("--where", query_.where,
                    "only executions that match this filter, and what goes with them");
    app->add_option("--context", query_.context,
                    "only executions in the context of this name, or `context:ID`");
    app->add_option("--upstream_of", query_.upstream_of,
                    "only what this artifact was made by: `artifact:ID`");
    app->add_option("--since", query_.since, "only what has changed after this journal entry");
    app->add_option("--until", query_.until,
                    "only what was created until this time: 2024-05-17T12:00:00Z, or ms");
    app->add_option("--key", key_, "a private Ed25519 key (PEM) that signs the manifest");
    app->add_option("--option", options_, "NAME=VALUE: of the format; may be repeated");
    app->add_option("--checkpoint_bytes", checkpoint_bytes_,
                    "how much may have to be written again after an interruption")
        ->check(CLI::Range(int64_t{1}, int64_t{1} << 40));
    Connection::AddOptions(app, &connection_);
    verify_ = app->add_subcommand("verify", "check an export against its manifest and signature");
    verify_->add_option("EXPORT", to_verify_, "what was given as --to")->required();
    verify_->add_option("--public_key", public_key_, "the Ed25519 key (PEM) it must be signed by");
  }

  absl::Status Run() override { return verify_->parsed() ? Verify() : Export(); }

 private:
  absl::Status Export() {
    const ExportFormat* const format = FindExportFormat(format_);
    if (format == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("--format must be one of\n", NamesOfFormats()));
    }
    if (to_.empty()) return absl::InvalidArgumentError("--to must name a file or a directory");
    if (!IsUrl(to_)) {
      if (!spool_.empty()) return absl::InvalidArgumentError("--spool is for --to http(s)://");
      return WriteFiles(*format, to_);
    }
    if (format_ != "openlineage") {
      return absl::InvalidArgumentError("only --format openlineage goes to http(s)://");
    }
    return ExportToBackend(*format);
  }

  static bool IsUrl(absl::string_view to) {
    return absl::StartsWith(to, "http://") || absl::StartsWith(to, "https://");
  }

  // Events are in their order, and can be posted again, only once all of them are in a file: that
  // of an ordinary export into the spool, in a directory that this command and no other names.
  absl::Status ExportToBackend(const ExportFormat& format) {
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
    const std::string what = absl::StrCat((*backend)->url(), "\n", absl::StrJoin(options_, "\n"),
                                          "\n", selection->SerializeAsString());
    const std::string events = absl::StrCat(spool, "/", UuidV5(kUuidOfUrl, what));
    std::error_code error;
    const bool is_whole = std::filesystem::exists(absl::StrCat(events, "/", kManifestName), error);
    absl::Status status = is_whole ? absl::OkStatus() : MakeSpool(spool);
    if (status.ok() && !is_whole) status = WriteFiles(format, events);
    if (status.ok()) status = Post(absl::StrCat(events, "/", format.file_name), backend->get());
    if (!status.ok()) {
      return {status.code(), absl::StrCat(status.message(), " (go on with --spool ", spool, ")")};
    }
    std::filesystem::remove_all(spool_.empty() ? spool : events, error);
    return absl::OkStatus();
  }

  static absl::Status MakeSpool(const std::string& spool) {
    std::error_code error;
    std::filesystem::create_directories(spool, error);
    return error ? FileError(error.value(), "cannot create", spool) : absl::OkStatus();
  }

  static absl::StatusOr<std::string> TemporaryDirectory() {
    const char* parent = std::getenv("TMPDIR");
    std::string path = absl::StrCat(parent == nullptr || *parent == '\0' ? "/tmp" : parent,
                                    "/pedigree-spool-XXXXXX");
    if (mkdtemp(path.data()) == nullptr) return FileError(errno, "cannot create", path);
    return path;
  }

  static absl::Status Post(const std::string& events, LineageBackend* backend) {
    const bool is_terminal = isatty(STDERR_FILENO) != 0;
    const auto posted = PostEvents(events, backend, [is_terminal](int64_t count) {
      if (is_terminal) std::fprintf(stderr, "\r%lld posted", static_cast<long long>(count));
    });
    if (is_terminal) std::fprintf(stderr, "\n");
    if (!posted.ok()) return posted.status();
    std::printf("%-18s %lld\n", "posted", static_cast<long long>(posted->posted));
    if (posted->before > 0) {
      std::printf("%-18s %lld\n", "posted before", static_cast<long long>(posted->before));
    }
    return absl::OkStatus();
  }

  absl::Status WriteFiles(const ExportFormat& format, const std::string& to) {
    ExportRunOptions run;
    run.format = &format;
    run.to = to;
    run.program_version = PEDIGREE_VERSION;
    run.checkpoint_bytes = checkpoint_bytes_;
    if (!model_.empty()) {
      run.writer.options.emplace_back("model", model_);
      // Of a model named by its id, only what is upstream of it is needed.
      absl::string_view id = model_;
      absl::ConsumePrefix(&id, "artifact:");
      int64_t number = 0;
      if (query_.upstream_of.empty() && absl::SimpleAtoi(id, &number)) {
        query_.upstream_of = std::string(id);
      }
    }
    auto selection = SelectionOf(query_);
    if (!selection.ok()) return selection.status();
    run.writer.selection = *std::move(selection);
    for (const std::string& option : options_) {
      const std::pair<std::string, std::string> halves =
          absl::StrSplit(option, absl::MaxSplits('=', 1));
      run.writer.options.push_back(halves);
    }
    std::optional<SigningKey> key;
    if (!key_.empty()) {
      auto loaded = SigningKey::Load(key_);
      if (!loaded.ok()) return loaded.status();
      key = *std::move(loaded);
      run.writer.key = &*key;
    }
    auto connection = Connection::Open(connection_);
    if (!connection.ok()) return connection.status();
    run.wait = [](int tries) { std::this_thread::sleep_for(std::chrono::seconds(tries)); };
    const bool is_terminal = isatty(STDERR_FILENO) != 0;
    run.note = [](absl::string_view line) {
      std::fprintf(stderr, "%s\n", std::string(line).c_str());
    };
    if (is_terminal) {
      run.progress = [](int64_t records) {
        std::fprintf(stderr, "\r%lld records", static_cast<long long>(records));
      };
    }
    ConnectedSource source(connection->get());
    auto facts = ExportRun(&source, std::move(run)).Run();
    if (is_terminal) std::fprintf(stderr, "\n");
    if (!facts.ok()) return facts.status();
    PrintCounts(facts->counts);
    std::printf("%-18s %s\n", "snapshot", facts->header.snapshot().c_str());
    for (const ExportedFile& file : facts->files) {
      std::printf("%s  %s\n", file.sha256.c_str(), file.name.c_str());
    }
    return absl::OkStatus();
  }

  absl::Status Verify() {
    std::optional<PublicKey> key;
    if (!public_key_.empty()) {
      auto loaded = PublicKey::Load(public_key_);
      if (!loaded.ok()) return loaded.status();
      key = *std::move(loaded);
    }
    const auto verified = VerifyExport(to_verify_, key.has_value() ? &*key : nullptr);
    if (!verified.ok()) return verified.status();
    for (const std::string& problem : verified->problems) std::printf("%s\n", problem.c_str());
    if (!verified->problems.empty()) {
      return absl::DataLossError(absl::StrCat(Quoted(to_verify_), " is not what was exported: ",
                                              verified->problems.size(), " problems"));
    }
    PrintCounts(verified->counts);
    std::printf("%zu files of %lld bytes are as the manifest says; %s\n", verified->files,
                static_cast<long long>(verified->bytes),
                verified->is_signed ? "the signature is by the key" : "no signature was checked");
    return absl::OkStatus();
  }

  static void PrintCounts(const std::map<std::string, int64_t>& counts) {
    for (const auto& [name, count] : counts) {
      std::printf("%-18s %lld\n", name.c_str(), static_cast<long long>(count));
    }
  }

  std::string format_;
  std::string to_;
  ExportQuery query_;
  std::string spool_;
  std::string model_;
  std::string key_;
  std::vector<std::string> options_;
  int64_t checkpoint_bytes_ = ExportRunOptions().checkpoint_bytes;
  ConnectionOptions connection_;
  CLI::App* verify_ = nullptr;
  std::string to_verify_;
  std::string public_key_;
};

}  // namespace

std::unique_ptr<Command> MakeExportCommand() { return std::make_unique<ExportCommand>(); }

}  // namespace pedigree::cli
