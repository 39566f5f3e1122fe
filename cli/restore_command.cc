// pedigree restore BACKUP_DIR --data_dir NEW [--backup_id N]
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/admin_text.h"
#include "cli/byte_progress.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/text.h"
#include "store/restore.h"

namespace pedigree::cli {
namespace {

class RestoreCommand final : public Command {
 public:
  const char* name() const override { return "restore"; }
  const char* summary() const override {
    return "make a new store of a backup, and verify it; can be run again if interrupted";
  }

  const char* examples() const override {
    return "pedigree restore /backups/pedigree --data_dir /var/lib/pedigree-new\n"
           "pedigree restore /backups/pedigree --data_dir /var/lib/pedigree-old --backup_id 3";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option("BACKUP_DIR", options_.directory, "a directory of backups")->required();
    app->add_option("--data_dir", options_.data_dir, "the new store: an empty or missing directory")
        ->required();
    app->add_option("--backup_id", options_.backup_id,
                    "which backup, by its number in `pedigree backup list` [the newest]")
        ->check(CLI::Range(1u, ~0u));
  }

  absl::Status Run() override {
    ByteProgress progress;
    options_.report = [&](const CopyProgress& copy) {
      progress.Show("copying", static_cast<int64_t>(copy.bytes),
                    static_cast<int64_t>(copy.bytes_in_all));
      return true;
    };
    auto report = RestoreBackup(options_);
    progress.End();
    if (!report.ok()) return report.status();
    const Backup& backup = report->backup;
    Print(absl::StrCat("restored backup ", backup.id, " of ", UtcText(backup.created_s), " UTC, ",
                       ShortBytes(static_cast<int64_t>(backup.bytes)), ", to ", options_.data_dir,
                       "\n"));
    if (!report->is_newest) {
      Print(
          "there are newer backups: what came after this one is not in the store, and its own "
          "backups need another directory\n");
    }
    const auto response = ToResponse(report->verified, report->keys);
    Print(VerifyText(response));
    absl::Status status = VerifyStatus(response);
    if (status.ok()) return status;
    return absl::DataLossError(
        absl::StrCat("the store is as it was backed up, and was damaged then: ", status.message()));
  }

 private:
  RestoreOptions options_;
};

}  // namespace

std::unique_ptr<Command> MakeRestoreCommand() { return std::make_unique<RestoreCommand>(); }

}  // namespace pedigree::cli
