// AuditService.Export of a store in this process, for tests of exports, and runs of exports.
//
// Threads: one.
//
//   StoreSource source(&*store);
//   ExportTo(&source, scratch.path() + "/export");
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/export/export_run.h"
#include "store/store.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"

namespace pedigree::cli {

class StoreSource final : public ExportSource {
 public:
  explicit StoreSource(const Store* store) : store_(*store) {}

  absl::Status Export(const v1::ExportRequest& request,
                      absl::FunctionRef<bool(v1::ExportResponseBytes& part)> visit) override;

  // Is called after every part that has been taken.
  std::function<void()> after_part;
  // Breaks off every call with Unavailable after so many parts.
  int most_parts = 1'000'000;

 private:
  const Store& store_;
};

// Everything that a request answers. Fails the test if it fails.
v1::ExportResponse ExportAll(const Store& store, const v1::ExportRequest& request);

// Runs an export in jsonl with these options changed.
ExportRunOptions JsonlOptions(const std::string& to);
absl::Status ExportTo(ExportSource* source, const ExportRunOptions& options);

// Contents of the files of a directory, by name.
std::map<std::string, std::string> FilesOf(const std::string& directory);

// Artifacts, executions, contexts and events enough for several parts of an export.
void FillForParts(TestStore& store, int executions);

// Tasks and cache entries.
void FillWithTasksAndCache(Random& random, TestStore& store);

}  // namespace pedigree::cli
