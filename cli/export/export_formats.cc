#include "absl/strings/string_view.h"
#include "cli/export/export_writer.h"
#include "cli/export/jsonl_format.h"

namespace pedigree::cli {
namespace {

constexpr ExportFormat kFormats[] = {
    {"jsonl", "export.jsonl", "everything, losslessly: `pedigree import jsonl:` restores it",
     kJsonlVersion, &MakeJsonlWriter},
};

}  // namespace

absl::Span<const ExportFormat> AllExportFormats() { return kFormats; }

const ExportFormat* FindExportFormat(absl::string_view name) {
  for (const ExportFormat& format : kFormats) {
    if (name == format.name) return &format;
  }
  return nullptr;
}

}  // namespace pedigree::cli
