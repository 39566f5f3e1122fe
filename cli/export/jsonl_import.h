// Makes a store of an export in jsonl: `pedigree import jsonl:FILE|DIR`.
//
// All of the file is read first, and its digest compared with the manifest beside it if there is
// one, so that a broken one leaves the target untouched. Then it is read again and loaded
// (store/bulk_loader.h); an import that was interrupted goes on with the same file. The copy's own
// export is the same but for the first line: a copy has a journal of its own.
// Threads: one.
//
//   auto imported = ImportJsonl({.from = "dir", .data_dir = "pedigree-data"});
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace pedigree::cli {

struct JsonlImportOptions {
  std::string from = "";  // The file, or the directory of the export.
  std::string data_dir = "";
  size_t batch_bytes = size_t{16} << 20;
  size_t write_buffer_bytes = size_t{64} << 20;
  // Is told of records that have been loaded, now and then. An error ends the import, which can go
  // on later.
  std::function<absl::Status(int64_t records)> progress = nullptr;
};

// Answers the counts of records by kind, as in a manifest.
// Errors: InvalidArgument, with the line, if the file is no whole export in jsonl, or not of
// everything; DataLoss if it is not what its manifest says; as BulkLoader and FileError.
absl::StatusOr<std::map<std::string, int64_t>> ImportJsonl(const JsonlImportOptions& options);

}  // namespace pedigree::cli
