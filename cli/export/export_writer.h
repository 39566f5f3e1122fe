// A format of `pedigree export`: makes outputs of the records of AuditService.Export.
//
// The core (export_run.h) brings the records in their order, whatever the server's answers were,
// and takes checkpoints between records. The same records must become the same bytes, at any time,
// on any machine, and however often the export was interrupted: no clock, no randomness, maps in
// the order of their keys, no locale. Memory stays bounded: what grows with the export goes to
// scratch outputs. Threads: one.
//
// The core's calls, of a new export and of one that goes on:
//
//   writer->Begin(header, target); Add(...)...; Checkpoint(); Add(...)...; End();
//   writer->Restore(header, target, checkpoint); Add(...)...; End();
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "cli/export/export_target.h"
#include "pedigree/v1/audit.pb.h"

namespace pedigree::cli {

class SigningKey;  // dsse.h

// Counts by what was counted, for the manifest and the user, e.g. {"skipped: no digest", 3}.
using ExportCounts = std::vector<std::pair<std::string, int64_t>>;

class ExportWriter {
 public:
  virtual ~ExportWriter() = default;

  // Which records it wants.
  virtual v1::ExportShape shape() const = 0;

  // Creates its outputs in the target (not owned; outlives it) and writes what comes first.
  virtual absl::Status Begin(const v1::ExportHeader& header, ExportTarget* target) = 0;
  // Instead of Begin(), in a new process: creates the same outputs, and takes back what
  // Checkpoint() answered.
  virtual absl::Status Restore(const v1::ExportHeader& header, ExportTarget* target,
                               absl::string_view checkpoint) = 0;
  // All that it needs beside its outputs to go on after the records so far. Must not write.
  virtual std::string Checkpoint() const { return ""; }

  // The next record. Errors end the export.
  virtual absl::Status Add(const v1::ExportRecord& record) = 0;
  // The same as wire bytes, which is what the core calls: parses them and calls Add(). A writer
  // that reads wire bytes itself overrides it.
  virtual absl::Status AddBytes(absl::string_view record);

  // After the last record.
  virtual absl::Status End() = 0;

  // What it wrote or left out beside what the core counts; after End().
  virtual ExportCounts Counts() const { return {}; }

 private:
  v1::ExportRecord record_;  // Of AddBytes(), for its memory.
};

// What users choose about a format.
struct ExportWriterOptions {
  v1::ExportSelection selection;
  // Signs what the format itself signs; null if there is no key. Not owned; outlives the writer.
  const SigningKey* key = nullptr;
  // --option NAME=VALUE: what only this format knows. Its factory refuses others.
  std::vector<std::pair<std::string, std::string>> options;
};

struct ExportFormat {
  const char* name;       // Of --format.
  const char* file_name;  // Of its (main) output in a directory, e.g. "export.jsonl".
  const char* summary;    // A line of help.
  // Named in the manifest; changes when the same records become other bytes.
  int version;
  absl::StatusOr<std::unique_ptr<ExportWriter>> (*make)(const ExportWriterOptions& options);
};

// All formats (export_formats.cc: a row for each).
absl::Span<const ExportFormat> AllExportFormats();
// Null if there is none of that name.
const ExportFormat* FindExportFormat(absl::string_view name);

}  // namespace pedigree::cli
