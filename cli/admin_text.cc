#include "cli/admin_text.h"

#include <array>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "cli/text.h"

namespace pedigree::cli {

v1::VerifyStoreResponse ToResponse(const VerifyReport& report, int64_t keys) {
  v1::VerifyStoreResponse response;
  response.set_keys(keys);
  response.set_done(true);
  response.set_artifacts(report.nodes[IndexOf(NodeKind::kArtifact)]);
  response.set_executions(report.nodes[IndexOf(NodeKind::kExecution)]);
  response.set_contexts(report.nodes[IndexOf(NodeKind::kContext)]);
  response.set_events(report.events);
  for (const std::string& problem : report.problems) response.add_problems(problem);
  response.set_more_problems(report.problem_count - static_cast<int64_t>(report.problems.size()));
  return response;
}

std::string VerifyText(const v1::VerifyStoreResponse& response) {
  std::string text = absl::StrCat(response.artifacts(), " artifacts\n", response.executions(),
                                  " executions\n", response.contexts(), " contexts\n",
                                  response.events(), " events\n", response.keys(), " keys\n");
  for (const std::string& problem : response.problems()) absl::StrAppend(&text, problem, "\n");
  if (response.more_problems() > 0) {
    absl::StrAppend(&text, "and ", response.more_problems(), " more\n");
  }
  if (response.problems().empty()) absl::StrAppend(&text, "no problems\n");
  return text;
}

absl::Status VerifyStatus(const v1::VerifyStoreResponse& response) {
  const int64_t problems = response.problems_size() + response.more_problems();
  if (problems == 0) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(problems, problems == 1 ? " problem" : " problems",
                                          ": the store is damaged; restore a backup"));
}

std::string BackupText(const v1::BackupResponse& response) {
  return absl::StrCat("backup ", response.backup_id(), " of ", ShortBytes(response.bytes()), ", ",
                      ShortBytes(response.bytes_copied()),
                      " of them new; read back and found whole");
}

std::string UtcText(int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts = {};
  gmtime_r(&time, &parts);
  std::array<char, 32> text;
  const size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
  return std::string(text.data(), size);
}

Table BackupTable(const std::vector<Backup>& backups) {
  Table table({{"ID", Align::kRight},
               {"MADE (UTC)"},
               {"SIZE", Align::kRight},
               {"FILES", Align::kRight},
               {"WRITES UP TO", Align::kRight}});
  for (const Backup& backup : backups) {
    if (backup.is_damaged) {
      table.AddRow({absl::StrCat(backup.id), "damaged", "", "", ""});
    } else {
      table.AddRow({absl::StrCat(backup.id), UtcText(backup.created_s),
                    ShortBytes(static_cast<int64_t>(backup.bytes)), absl::StrCat(backup.files),
                    absl::StrCat(backup.sequence)});
    }
  }
  return table;
}

}  // namespace pedigree::cli
