// Sorts more than fits into memory: sorted parts go to temporary files, and are merged at the end.
//
// Threads: one.
//
//   ExternalSorter sorter({.memory_bytes = 64 << 20});
//   status = sorter.Add(SortKey({time_ms, id}), line);
//   status = sorter.Drain([&](absl::string_view key, absl::string_view line) { ... });
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "cli/export/temporary_file.h"

namespace pedigree::cli {

// Bytes that order as the numbers do, one after the other.
std::string SortKey(std::initializer_list<int64_t> numbers);

class ExternalSorter {
 public:
  struct Options {
    std::string directory;  // As TemporaryFile::Create.
    size_t memory_bytes = size_t{64} << 20;
    size_t max_files = 256;  // At least 2; each has a buffer and a file descriptor.
  };
  using Visit = absl::FunctionRef<absl::Status(absl::string_view key, absl::string_view value)>;

  explicit ExternalSorter(Options options) : options_(std::move(options)) {}

  // Errors of both: as FileError.
  absl::Status Add(absl::string_view key, absl::string_view value);
  // Everything, by key; of equal keys, in the order in which they were added. Ends with the first
  // error of `visit`. The sorter is empty afterwards.
  absl::Status Drain(Visit visit);

 private:
  struct Row {
    std::string key;
    std::string value;
  };

  absl::Status Spill();
  // Merges all files, in the order of their making, into visits.
  absl::Status Merge(Visit visit);
  absl::Status MergeToOneFile();
  void SortRows();

  const Options options_;
  std::vector<Row> rows_;
  size_t bytes_ = 0;
  std::vector<std::unique_ptr<TemporaryFile>> files_;
};

}  // namespace pedigree::cli
