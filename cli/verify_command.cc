// pedigree verify [--server HOST:PORT | --data_dir DIR]
#include <CLI/CLI.hpp>
#include <memory>

#include "cli/admin_text.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/output.h"
#include "migrate/progress.h"
#include "store/directory.h"
#include "store/store.h"

namespace pedigree::cli {
namespace {

class VerifyCommand final : public Command {
 public:
  const char* name() const override { return "verify"; }
  const char* summary() const override {
    return "check every record and index entry of a store, with --data_dir every byte of its files "
           "too";
  }

  const char* examples() const override {
    return "pedigree verify --server localhost:8080\n"
           "pedigree verify --data_dir /var/lib/pedigree";
  }

  void AddOptions(CLI::App* app) override {
    AddTextOrJsonOption(app, &format_);
    Connection::AddOptions(app, &connection_);
  }

  absl::Status Run() override {
    auto checked =
        connection_.data_dir.empty() || !connection_.server.empty() ? Online() : Closed();
    if (!checked.ok()) return checked.status();
    if (format_ == OutputFormat::kJson) {
      if (absl::Status status = PrintJson(*checked); !status.ok()) return status;
    } else {
      Print(VerifyText(*checked));
    }
    return VerifyStatus(*checked);
  }

 private:
  absl::StatusOr<v1::VerifyStoreResponse> Online() const {
    auto connection = Connection::Open(connection_);
    if (!connection.ok()) return connection.status();
    migrate::Progress progress(migrate::Progress::OnlyOnTerminal());
    v1::VerifyStoreResponse last;
    bool has_begun = false;
    absl::Status status = (*connection)
                              ->Stream<v1::VerifyStoreResponse>(
                                  "/pedigree.v1.AdminService/VerifyStore", v1::VerifyStoreRequest(),
                                  [&](v1::VerifyStoreResponse& response) {
                                    if (!has_begun) {
                                      progress.Begin("checking", response.keys_in_all());
                                    }
                                    has_begun = true;
                                    progress.Add(response.keys() - last.keys());
                                    last = response;
                                    return true;
                                  });
    if (has_begun) progress.End();
    if (!status.ok()) return status;
    if (!last.done()) return absl::UnavailableError("the server ended before it had checked all");
    return last;
  }

  // Damage is a reason not to open a store for writing.
  absl::StatusOr<v1::VerifyStoreResponse> Closed() const {
    const auto format = ReadMarkerFormat(connection_.data_dir);
    if (!format.ok()) return format.status();
    StoreOptions options;
    options.data_dir = connection_.data_dir;
    migrate::Progress progress(migrate::Progress::OnlyOnTerminal());
    int64_t keys = 0;
    auto report = VerifyUnopened(options, [&](int64_t checked, int64_t all) {
      if (keys == 0) progress.Begin("checking", all);
      progress.Add(checked - keys);
      keys = checked;
    });
    if (keys > 0) progress.End();
    if (!report.ok()) return report.status();
    return ToResponse(*report, keys);
  }

  OutputFormat format_ = OutputFormat::kTable;
  ConnectionOptions connection_;
};

}  // namespace

std::unique_ptr<Command> MakeVerifyCommand() { return std::make_unique<VerifyCommand>(); }

}  // namespace pedigree::cli
