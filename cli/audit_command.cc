// pedigree audit verify
#include <CLI/CLI.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/choice.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/journal_text.h"
#include "cli/output.h"
#include "migrate/progress.h"
#include "pedigree/v1/audit.pb.h"

namespace pedigree::cli {
namespace {

class AuditVerifyCommand final : public Command {
 public:
  const char* name() const override { return "verify"; }
  const char* summary() const override {
    return "walk the journal's chain of hashes, and compare it with what is stored";
  }
  const char* examples() const override {
    return "pedigree audit verify\n"
           "pedigree audit verify --first 120000 --output json";
  }

  void AddOptions(CLI::App* app) override {
    app->add_option("--first", first_, "the entry to begin with; 0: the first there is")
        ->type_name("SEQUENCE")
        ->check(NotNegative())
        ->capture_default_str();
    AddTextOrJsonOption(app, &format_);
    Connection::AddOptions(app, &connection_);
  }

  absl::Status Run() override {
    auto connection = Connection::Open(connection_);
    if (!connection.ok()) return connection.status();
    v1::VerifyJournalRequest request;
    request.set_first_sequence(first_);
    migrate::Progress progress(migrate::Progress::OnlyOnTerminal());
    progress.Begin("checking the journal", migrate::Progress::kUnknown);
    v1::VerifyJournalResponse all;
    absl::Status status = (*connection)
                              ->Stream<v1::VerifyJournalResponse>(
                                  "/pedigree.v1.AuditService/VerifyJournal", request,
                                  [&](v1::VerifyJournalResponse& part) {
                                    progress.Add(part.last_sequence() - all.last_sequence());
                                    all.MergeFrom(part);
                                    return true;
                                  });
    progress.End();
    if (!status.ok()) return status;
    if (!all.done()) return absl::UnavailableError("the server ended before the journal did");
    status = Show(all);
    if (!status.ok() || all.problems().empty()) return status;
    return absl::DataLossError(
        absl::StrCat("the journal has ", Count(all.problems_size(), "problem")));
  }

 private:
  absl::Status Show(const v1::VerifyJournalResponse& all) const {
    if (format_ == OutputFormat::kJson) return PrintJson(all);
    for (const std::string& problem : all.problems()) Print(Printable(problem) + "\n");
    Print(absl::StrCat("up to entry ", all.last_sequence(), ", hash ", HashText(all.last_hash()),
                       ": ", all.problems().empty() ? "no problems" : "not as it was written",
                       "\n"));
    return absl::OkStatus();
  }

  int64_t first_ = 0;
  OutputFormat format_ = OutputFormat::kTable;
  ConnectionOptions connection_;
};

}  // namespace

std::unique_ptr<Command> MakeAuditCommand() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(std::make_unique<AuditVerifyCommand>());
  return std::make_unique<CommandGroup>("audit", "the journal of what changed",
                                        std::move(commands));
}

}  // namespace pedigree::cli
