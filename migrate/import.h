// Brings a source's history into a new store: ids, times and order as they are.
//
// First everything is checked (history.h), and nothing is written if there is a problem that is not
// to be repaired. Then everything is read once more and loaded (store/bulk_loader.h). An import
// that was interrupted, however, goes on where it was when it is run again. Threads: one.
//
//   auto imported = Import(source.get(), {.data_dir = "pedigree-data"}, &progress);
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "migrate/history.h"
#include "migrate/problems.h"
#include "migrate/progress.h"
#include "migrate/source.h"
#include "store/bulk_loader.h"

namespace rocksdb {
class FileSystem;
}

namespace pedigree::migrate {

struct ImportOptions {
  std::string data_dir;
  Repairs repairs;
  // With kFollow the store is left for follow.h to go on with.
  AfterLoad after_load = AfterLoad::kReady;
  // Memory for what is not on the disk yet, beside that for a batch, a quarter of it.
  size_t write_buffer_bytes = size_t{64} << 20;
  // Hears of every row with a problem.
  ReportFinding report;
  // For fault tests; the system's if null.
  std::shared_ptr<rocksdb::FileSystem> file_system;
};

struct ImportResult {
  Findings findings;
  TableCounts found = {};
  TableCounts kept = {};
  // What follow.h goes on from.
  Marks marks;
  std::unique_ptr<History> history;
};

// FailedPrecondition, with the list, if there are problems that are not to be repaired.
absl::Status CheckSurvey(const History& history);

// What names a source that is followed, in the store (BulkLoaderOptions::name).
std::string FollowedName(const SourceInfo& info);

// Errors: FailedPrecondition if there is a problem that is not to be repaired, with the list, or if
// the directory cannot be used; ResourceExhausted if the disk is full; as Source and BulkLoader.
// The directory is then as it was, or holds a part that the next call goes on with.
absl::StatusOr<ImportResult> Import(Source* source, const ImportOptions& options,
                                    Progress* progress);

}  // namespace pedigree::migrate
