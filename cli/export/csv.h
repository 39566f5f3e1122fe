// Records as rows of CSV tables for spreadsheets: RFC 4180, UTF-8, a header row, CRLF.
//
// A text that a spreadsheet would take for a formula gets an apostrophe before it; so does one that
// begins with an apostrophe, so that taking one off every text gives the exact values back.
//
// Threads: one for each CsvRow; the rest are pure functions.
//
//   CsvRow row(Guard::kFormulas);
//   row.Number(42).Text("=1+1").Time(0);
//   row.Finish()   // "42,'=1+1,\r\n"
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "cli/export/type_names.h"
#include "pedigree/v1/audit.pb.h"

namespace pedigree::cli {

enum class Guard { kNone, kFormulas };

class CsvRow {
 public:
  explicit CsvRow(Guard guard) : guard_(guard) {}

  CsvRow& Number(int64_t number);
  // By its shortest digits; NaN, Infinity, -Infinity.
  CsvRow& Double(double number);
  // What is not UTF-8, and NUL, becomes U+FFFD.
  CsvRow& Text(absl::string_view text);
  // As TimeText(); an empty cell if it is 0: the store does not know.
  CsvRow& Time(int64_t ms);
  // The row with its line end. The next cell begins a new one.
  std::string Finish();

 private:
  void Cell(absl::string_view cell);

  const Guard guard_;
  std::string row_;
  bool is_first_ = true;
};

enum class CsvTable {
  kTypes,
  kTypeProperties,
  kContexts,
  kArtifacts,
  kExecutions,
  kProperties,
  kEvents,
  kMemberships,
  kTasks,
  kCacheEntries,
};
struct CsvTableName {
  const char* file;
  const char* header;  // Without a line end.
};
// By CsvTable.
inline constexpr std::array<CsvTableName, 10> kCsvTables = {{
    {"types.csv", "id,kind,name,version,description,external_id,base_type"},
    {"type_properties.csv", "type_id,name,value_type"},
    {"contexts.csv", "id,type_id,type,name,external_id,create_time,last_update_time"},
    {"artifacts.csv", "id,type_id,type,name,uri,external_id,state,create_time,last_update_time"},
    {"executions.csv",
     "id,type_id,type,name,external_id,last_known_state,create_time,last_update_time"},
    {"properties.csv", "node_kind,node_id,is_custom,name,value_type,value"},
    {"events.csv", "number,execution_id,artifact_id,type,path,time"},
    {"memberships.csv", "context_id,member_kind,member_id"},
    {"tasks.csv",
     "id,namespace,pipeline_name,run_id,execution_id,created_at,finished_at,fingerprint"},
    {"cache_entries.csv",
     "execution_id,invalidated,is_explicit,namespace,pipeline,completed_at,run_ms"},
}};

using CsvSink = std::function<void(CsvTable table, CsvRow& row)>;

// The rows of a record. `types` names those of records that came before. DataLoss: a task that does
// not decode.
absl::Status AddCsvRows(const v1::ExportRecord& record, const TypeNames& types, Guard guard,
                        const CsvSink& sink);

}  // namespace pedigree::cli
