// pedigree export verify FILE|DIR
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/choice.h"
#include "cli/command.h"
#include "cli/export/verify_export.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/text.h"
#include "store/text.h"

namespace pedigree::cli {
namespace {

class ExportVerifyCommand final : public Command {
 public:
  const char* name() const override { return "verify"; }
  const char* summary() const override {
    return "check an export against its manifest and signature";
  }
  const char* examples() const override {
    return "pedigree export verify history.jsonl\n"
           "pedigree export verify exported --public_key auditor.pub --output json";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option("EXPORT", export_, "what was given as --to")->type_name("")->required();
    app->add_option("--public_key", public_key_, "the Ed25519 key (PEM) it must be signed by")
        ->type_name("FILE")
        ->check(NotEmpty());
    AddTextOrJsonOption(app, &format_);
  }

  absl::Status Run() override {
    std::optional<PublicKey> key;
    if (!public_key_.empty()) {
      auto loaded = PublicKey::Load(public_key_);
      if (!loaded.ok()) return loaded.status();
      key = *std::move(loaded);
    }
    const auto verified = VerifyExport(export_, key.has_value() ? &*key : nullptr);
    if (!verified.ok()) return verified.status();
    if (format_ == OutputFormat::kJson) {
      PrintAsJson(*verified);
    } else {
      PrintAsText(*verified);
    }
    if (verified->problems.empty()) return absl::OkStatus();
    return absl::DataLossError(
        absl::StrCat(Quoted(export_), " is not what was exported: ",
                     Count(static_cast<int64_t>(verified->problems.size()), "problem")));
  }

 private:
  static void PrintAsText(const VerifiedExport& verified) {
    for (const std::string& problem : verified.problems) Print(Printable(problem) + "\n");
    if (!verified.problems.empty()) return;
    Facts facts;
    for (const auto& [name, count] : verified.counts) facts.Add(name, Grouped(count));
    Print(facts.ToText(Screen::OfStandardOutput()));
    Print(absl::StrCat(
        Count(static_cast<int64_t>(verified.files), "file"), " of ", Grouped(verified.bytes),
        verified.files == 1 ? " bytes is" : " bytes are", " as the manifest says; ",
        verified.is_signed ? "the signature is by the key" : "no signature was checked", "\n"));
  }

  static void PrintAsJson(const VerifiedExport& verified) {
    nlohmann::ordered_json json;
    json["format"] = verified.format;
    json["counts"] = verified.counts;
    json["files"] = verified.files;
    json["bytes"] = verified.bytes;
    json["signed_by_the_key"] = verified.is_signed;
    json["problems"] = verified.problems;
    Print(json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  }

  std::string export_;
  std::string public_key_;
  OutputFormat format_ = OutputFormat::kTable;
};

}  // namespace

std::unique_ptr<Command> MakeExportVerifyCommand() {
  return std::make_unique<ExportVerifyCommand>();
}

}  // namespace pedigree::cli
