#include "cli/export/export_writer.h"

namespace pedigree::cli {

absl::Status ExportWriter::AddBytes(absl::string_view record) {
  if (!record_.ParseFromArray(record.data(), static_cast<int>(record.size()))) {
    return absl::DataLossError("a record of the server's does not parse");
  }
  return Add(record_);
}

}  // namespace pedigree::cli
