// pedigree stats
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/connection.h"
#include "cli/output.h"
#include "cli/statistics_text.h"
#include "pedigree/v1/admin.pb.h"

namespace pedigree::cli {
namespace {

class StatsCommand final : public Command {
 public:
  const char* name() const override { return "stats"; }
  const char* summary() const override { return "how much there is, and what it takes"; }
  const char* examples() const override {
    return "pedigree stats\n"
           "pedigree stats --output csv";
  }

  void AddOptions(CLI::App* app) override {
    AddOutputOption(app, &format_);
    Connection::AddOptions(app, &connection_);
  }

  absl::Status Run() override {
    auto connection = Connection::Open(connection_);
    if (!connection.ok()) return connection.status();
    v1::GetStatisticsResponse answer;
    absl::Status status =
        (*connection)
            ->Call("/pedigree.v1.AdminService/GetStatistics", v1::GetStatisticsRequest(), &answer);
    if (!status.ok()) return status;
    if (format_ == OutputFormat::kJson) return PrintJson(answer);
    Print(format_ == OutputFormat::kCsv ? TypeTable(answer).ToCsv()
                                        : StatisticsText(answer, Screen::OfStandardOutput()));
    return absl::OkStatus();
  }

 private:
  OutputFormat format_ = OutputFormat::kTable;
  ConnectionOptions connection_;
};

}  // namespace

std::unique_ptr<Command> MakeStatsCommand() { return std::make_unique<StatsCommand>(); }

}  // namespace pedigree::cli
