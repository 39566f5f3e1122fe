// pedigree backup DIR [--server HOST:PORT | --data_dir STORE], pedigree backup list DIR
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "cli/admin_text.h"
#include "cli/byte_progress.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/output.h"
#include "cli/text.h"
#include "store/backup.h"

namespace pedigree::cli {
namespace {

class BackupListCommand final : public Command {
 public:
  const char* name() const override { return "list"; }
  const char* summary() const override { return "list the backups in a directory on this machine"; }
  const char* examples() const override {
    return "pedigree backup list /backups/pedigree\n"
           "pedigree backup list /backups/pedigree --output csv";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option("DIR", directory_, "a directory of backups")->type_name("")->required();
    AddOutputOption(app, &format_);
  }

  absl::Status Run() override {
    auto backups = ListBackups(directory_);
    if (!backups.ok()) return backups.status();
    if (format_ == OutputFormat::kJson) return PrintJson(BackupsJson(*backups));
    const Table table = BackupTable(*backups);
    Print(format_ == OutputFormat::kCsv ? table.ToCsv() : table.ToText(Screen::OfStandardOutput()));
    return absl::OkStatus();
  }

 private:
  std::string directory_;
  OutputFormat format_ = OutputFormat::kTable;
};

class BackupCommand final : public Command {
 public:
  const char* name() const override { return "backup"; }
  const char* summary() const override {
    return "copy a store while it serves, and read the copy back; `backup list DIR` lists";
  }

  const char* examples() const override {
    return "pedigree backup /backups/pedigree --keep 7\n"
           "pedigree backup /backups/pedigree --data_dir /var/lib/pedigree\n"
           "pedigree backup list /backups/pedigree";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option("DIR", directory_,
                    "where to keep backups: an absolute path on the server's machine, in its "
                    "--backup_root; files that are there already are not copied again");
    app->add_option("--keep", keep_, "afterwards, keep the newest so many backups [all]")
        ->check(CLI::Range(1, 1'000'000));
    app->add_option("--max_bytes_per_second", max_bytes_per_second_,
                    "of copying, so that writes go on as before [134217728]")
        ->check(CLI::Range(int64_t{1} << 16, int64_t{1} << 40));
    AddTextOrJsonOption(app, &format_);
    Connection::AddOptions(app, &connection_);
    list_part_ = AddCommand(app, &list_);
  }

  absl::Status Run() override {
    if (list_part_->parsed()) return list_.Run();
    if (directory_.empty()) return absl::InvalidArgumentError("say where: pedigree backup DIR");
    auto connection = Connection::Open(connection_);
    if (!connection.ok()) return connection.status();
    v1::BackupRequest request;
    // Another machine has another current directory.
    request.set_directory(connection_.data_dir.empty()
                              ? directory_
                              : std::filesystem::absolute(directory_).lexically_normal().string());
    request.set_keep(keep_);
    request.set_max_bytes_per_second(max_bytes_per_second_);
    v1::BackupResponse last;
    absl::Status status = Follow(connection->get(), request, &last);
    if (!status.ok()) return status;
    if (!last.done()) return absl::UnavailableError("the server ended before the backup was whole");
    if (format_ == OutputFormat::kJson) return PrintJson(last);
    Print(BackupText(last) + "\n");
    return absl::OkStatus();
  }

 private:
  static absl::Status Follow(Connection* connection, const v1::BackupRequest& request,
                             v1::BackupResponse* last) {
    ByteProgress progress;
    absl::Status status = connection->Stream<v1::BackupResponse>(
        "/pedigree.v1.AdminService/Backup", request, [&](v1::BackupResponse& response) {
          *last = response;
          if (response.bytes_read_back() > 0) {
            progress.Show("reading back", response.bytes_read_back(), response.bytes());
          } else if (!response.done()) {
            progress.Show("copying", response.bytes_copied(), response.bytes_to_copy());
          }
          return true;
        });
    progress.End();
    return status;
  }

  std::string directory_;
  int32_t keep_ = 0;
  int64_t max_bytes_per_second_ = 0;
  OutputFormat format_ = OutputFormat::kTable;
  ConnectionOptions connection_;
  BackupListCommand list_;
  const CLI::App* list_part_ = nullptr;  // The command line's.
};

}  // namespace

std::unique_ptr<Command> MakeBackupCommand() { return std::make_unique<BackupCommand>(); }

}  // namespace pedigree::cli
