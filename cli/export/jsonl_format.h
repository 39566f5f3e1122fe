// The format jsonl: one JSON object on a line for each record, losslessly (JSONL.md).
//
//   {"pedigree_jsonl":1,"header":{...},"selection":{...}}   the first line
//   {"artifact":{"artifact":{"id":"7",...},"context_ids":["2"]}}
//   {"end":{"records":"1"}}                                   the last line
//
// Threads: one.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "cli/export/export_writer.h"

namespace pedigree::cli {

inline constexpr int kJsonlVersion = 1;

absl::StatusOr<std::unique_ptr<ExportWriter>> MakeJsonlWriter(const ExportWriterOptions& options);

}  // namespace pedigree::cli
