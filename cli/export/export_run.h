// Runs an export: from the server's stream to the files of a format, the manifest and its
// signature.
//
// Every so many bytes the files are made durable, and how far the export is is written beside them
// (export_state.h). Who runs the same export to the same place again goes on there, and ends with
// the same bytes; what broke off for a moment is taken up again by itself. Memory: what the server
// sends at once, and what the format remembers. Threads: one.
//
//   ExportRun run(source, options);
//   auto facts = run.Run();
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/export/dsse.h"
#include "cli/export/export_files.h"
#include "cli/export/export_manifest.h"
#include "cli/export/export_state.h"
#include "cli/export/export_writer.h"

namespace pedigree::cli {

// AuditService.Export, wherever it is.
class ExportSource {
 public:
  virtual ~ExportSource() = default;
  // Calls visit with every answer, until it answers false. Errors: of the call.
  virtual absl::Status Export(const v1::ExportRequest& request,
                              absl::FunctionRef<bool(v1::ExportResponseBytes& part)> visit) = 0;
};

struct ExportRunOptions {
  const ExportFormat* format = nullptr;
  std::string to;
  std::string program_version;
  ExportWriterOptions writer;
  int64_t checkpoint_bytes = int64_t{64} << 20;
  // Before the next try after the server has gone away.
  std::function<void(int tries)> wait;
  // Is told what a person may want to know, as a line of text.
  std::function<void(absl::string_view)> note;
  // Is told of records, now and then.
  std::function<void(int64_t records)> progress;
};

class ExportRun {
 public:
  ExportRun(ExportSource* source, ExportRunOptions options);

  // Errors: FailedPrecondition if something else stands at the place; InvalidArgument if a file's
  // name is no UTF-8, or the format refuses its options; as the calls of the server,
  // the format and FileError.
  absl::StatusOr<ExportFacts> Run();

 private:
  // Makes the place ours, or finds how far an export there is.
  absl::Status Prepare();
  absl::Status MakeWriter();
  absl::Status Resume();
  // Of an export that ended between its manifest and the removal of its state.
  absl::StatusOr<ExportFacts> EndAgain(const std::string& manifest);
  absl::Status CheckPlaceIsFree();
  // Runs the stream from where the export is. Sets is_done_.
  absl::Status Stream();
  absl::Status StreamWithRetries();
  absl::Status Take(v1::ExportResponseBytes& part);
  absl::Status TakeHeader(const v1::ExportHeader& header);
  absl::Status AddRecord(absl::string_view record);
  absl::Status SaveCheckpoint();
  absl::Status BeginAnew();
  absl::StatusOr<ExportFacts> Finish();

  ExportSource* const source_;  // Not owned; outlives this.
  const ExportRunOptions options_;
  const ExportPlace place_;
  const std::string asked_;
  std::unique_ptr<ExportFiles> files_;
  std::unique_ptr<ExportWriter> writer_;
  ExportState state_;
  absl::Status local_;      // What failed on this side of a stream.
  bool has_begun_ = false;  // The writer has its outputs.
  bool is_done_ = false;
  int64_t parts_ = 0;
  int64_t records_ = 0;
  int64_t bytes_since_checkpoint_ = 0;
};

// What a record is counted as, by the first field of its bytes: "artifacts".
const char* RecordCountName(absl::string_view record);

}  // namespace pedigree::cli
