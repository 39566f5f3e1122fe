// pedigree export-mlmd --data_dir DIR --to sqlite:FILE
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/command.h"
#include "cli/open_store.h"
#include "migrate/export.h"
#include "migrate/schema.h"
#include "store/text.h"

namespace pedigree::cli {
namespace {

class ExportMlmdCommand final : public Command {
 public:
  const char* name() const override { return "export-mlmd"; }
  const char* summary() const override {
    return "write a store as an MLMD database, which MLMD's server opens";
  }
  const char* examples() const override {
    return "pedigree export-mlmd --data_dir pedigree-data --to sqlite:metadata.db";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option("--data_dir", data_dir_, "the store, which no server may have open")
        ->required();
    app->add_option("--to", to_, "sqlite:FILE, of a file that there is not yet")->required();
    app->add_flag("--allow_loss", allow_loss_,
                  "leave out what MLMD's tables have no place for, instead of exporting nothing");
  }

  absl::Status Run() override {
    absl::string_view path = to_;
    if (!absl::ConsumePrefix(&path, "sqlite:")) {
      return absl::InvalidArgumentError(absl::StrCat("--to ", Quoted(to_), " must be sqlite:FILE"));
    }
    auto store = OpenStore(data_dir_);
    if (!store.ok()) return store.status();
    migrate::Progress progress(migrate::Progress::OnlyOnTerminal());
    migrate::ExportOptions options;
    options.path = std::string(path);
    options.loss = allow_loss_ ? migrate::Loss::kAllow : migrate::Loss::kRefuse;
    auto result = migrate::ExportMlmd(**store, options, &progress);
    if (!result.ok()) return result.status();
    for (size_t i = 0; i < migrate::kTableCount; ++i) {
      const auto table = static_cast<migrate::Table>(i);
      std::printf("%-18s %lld\n", std::string(migrate::NameOf(table)).c_str(),
                  static_cast<long long>(result->rows[i]));
    }
    for (const std::string& loss : result->losses) std::printf("lost: %s\n", loss.c_str());
    return absl::OkStatus();
  }

 private:
  std::string data_dir_;
  std::string to_;
  bool allow_loss_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeExportMlmdCommand() { return std::make_unique<ExportMlmdCommand>(); }

}  // namespace pedigree::cli
