// How far an export is, in a file beside its outputs: what a process that comes after a crash must
// know to go on.
//
// Values; threads: one. The file is replaced as a whole, and gone when the export is done.
//
//   state.Save(place);
//   auto state = ExportState::Load(place);   // nullopt if no export is under way
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/export/export_files.h"
#include "pedigree/v1/audit.pb.h"

namespace pedigree::cli {

struct ExportState {
  // What is exported how: an export goes on only with the same.
  std::string asked;
  v1::ExportHeader header;
  std::string position;  // "" before the first record.
  std::string writer;    // ExportWriter::Checkpoint().
  std::map<std::string, int64_t> counts;
  std::vector<ExportFileState> files;

  absl::Status Save(const ExportPlace& place) const;
  // Errors: DataLoss if the file does not decode; as FileError.
  static absl::StatusOr<std::optional<ExportState>> Load(const ExportPlace& place);
  static absl::Status Remove(const ExportPlace& place);
};

}  // namespace pedigree::cli
