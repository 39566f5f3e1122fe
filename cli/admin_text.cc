#include "cli/admin_text.h"

#include <google/protobuf/struct.pb.h>

#include <array>
#include <ctime>
#include <utility>

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
  std::string text;
  for (const auto& [number, noun] :
       {std::pair(response.artifacts(), "artifact"), std::pair(response.executions(), "execution"),
        std::pair(response.contexts(), "context"), std::pair(response.events(), "event"),
        std::pair(response.keys(), "key")}) {
    absl::StrAppend(&text, Count(number, noun), "\n");
  }
  for (const std::string& problem : response.problems())
    absl::StrAppend(&text, Printable(problem), "\n");
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

JsonDocument BackupsJson(const std::vector<Backup>& backups) {
  JsonDocument json;
  json.BeginList("backups");
  for (const Backup& backup : backups) {
    google::protobuf::Struct item;
    // 64-bit integers are texts, as in all JSON that is printed.
    const auto add = [&item](const char* name, const std::string& number) {
      (*item.mutable_fields())[name].set_string_value(number);
    };
    (*item.mutable_fields())["backup_id"].set_number_value(backup.id);
    (*item.mutable_fields())["is_damaged"].set_bool_value(backup.is_damaged);
    if (!backup.is_damaged) {
      add("created_s", absl::StrCat(backup.created_s));
      add("bytes", absl::StrCat(backup.bytes));
      (*item.mutable_fields())["files"].set_number_value(backup.files);
      add("sequence", absl::StrCat(backup.sequence));
    }
    json.AddToList(item);
  }
  json.EndList();
  return json;
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
