// The way back: writes a store's history as an MLMD database of schema 10, which the peer's server
// opens.
//
// Ids, times and the order of events are kept; attributions and associations get ids in the order
// of their nodes, as nobody sees those. What MLMD's tables have no place for is named: the export
// fails, or goes on without it where that is asked for. Threads: one.
//
//   auto exported = ExportMlmd(*store, {.path = "mlmd.db"}, &progress);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "migrate/progress.h"
#include "migrate/rows.h"
#include "store/store.h"

namespace pedigree::migrate {

enum class Loss : uint8_t { kRefuse, kAllow };

struct ExportOptions {
  std::string path;  // Of a file that there is not yet.
  Loss loss = Loss::kRefuse;
};

struct ExportResult {
  TableCounts rows = {};
  int64_t lost = 0;
  std::vector<std::string> losses;  // The first kMostLosses of them.
};
inline constexpr size_t kMostLosses = 100;

// Errors: FailedPrecondition with the list if something would be lost; as SqliteWriter and Store.
// After an error there is no file.
absl::StatusOr<ExportResult> ExportMlmd(const Store& store, const ExportOptions& options,
                                        Progress* progress);

}  // namespace pedigree::migrate
