// The outputs of an export as files: those of a directory, or one file.
//
// Every byte is digested as it is written. A checkpoint makes what has been written durable; files
// can be taken back to it, whatever was appended since. Threads: one.
//
//   auto files = ExportFiles::Open("dir", "export.jsonl");
//   auto output = (*files)->Create("export.jsonl");
//   auto states = (*files)->Checkpoint();         // ... in a later process:
//   (*files)->Restore(states);
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/export/export_target.h"

namespace pedigree::cli {

// A file at a checkpoint.
struct ExportFileState {
  ExportedFile file;
  bool is_scratch = false;
};

// Where an export stands, and what stands beside it.
struct ExportPlace {
  // Something with an extension that is no directory is one file; everything else is a directory.
  static ExportPlace Of(const std::string& to);

  std::string directory;    // Where all files are.
  std::string single_file;  // The only file's name; "" in a directory of its own.

  // "manifest.json" in a directory of its own, else "<file>.manifest.json".
  std::string Beside(absl::string_view name) const;
  std::string Path(absl::string_view name) const;
};

// ".export-state", or ".<file>.export-state" (export_state.h).
std::string StateFileName(const ExportPlace& place);

class ExportFiles final : public ExportTarget {
 public:
  // Creates the directory if there is none. Errors: as FileError.
  static absl::StatusOr<std::unique_ptr<ExportFiles>> Open(const ExportPlace& place);
  ~ExportFiles() override;

  absl::StatusOr<ExportOutput*> Create(absl::string_view name) override;
  absl::StatusOr<ExportOutput*> CreateScratch(absl::string_view name) override;
  absl::Status AppendScratch(ExportOutput* scratch, ExportOutput* to) override;

  // Brings everything to the disk.
  absl::StatusOr<std::vector<ExportFileState>> Checkpoint();
  // Takes the files back to a checkpoint, before anything is created; with none, to the beginning.
  // Errors: DataLoss if a file is not what it was then.
  absl::Status Restore(const std::vector<ExportFileState>& states);

  // The end: brings everything to the disk. The files are in the order of their names.
  absl::StatusOr<std::vector<ExportedFile>> Finish();
  // Removes what was only for the way.
  absl::Status RemoveScratch();
  // Removes what only an export on its way has here: scratch outputs that are none of these files,
  // and files that were not put in place. Whatever else stands here is not ours.
  absl::Status RemoveLeftovers(const std::vector<ExportFileState>& states);

 private:
  class File;

  explicit ExportFiles(ExportPlace place);

  absl::StatusOr<File*> FindOrCreate(std::string name, bool is_scratch);

  const ExportPlace place_;
  std::string named_;  // What the format calls a single file.
  std::map<std::string, std::unique_ptr<File>> files_;
};

}  // namespace pedigree::cli
