#include "absl/strings/string_view.h"
#include "cli/export/export_writer.h"
#include "cli/export/formats.h"
#include "cli/export/jsonl_format.h"

namespace pedigree::cli {
namespace {

constexpr ExportFormat kFormats[] = {
    {"jsonl", "export.jsonl", "everything, losslessly: `pedigree import jsonl:` restores it",
     kJsonlVersion, &MakeJsonlWriter},
    {"openlineage", "openlineage.ndjson", "events of OpenLineage 2-0-2; --to URL posts them", 1,
     &MakeOpenLineageWriter},
    {"prov-json", "prov.json", "W3C PROV as PROV-JSON", 1, &MakeProvJsonWriter},
    {"cyclonedx", "bom.cdx.json", "a CycloneDX 1.6 ML-BOM of one model: --model REF", 1,
     &MakeCycloneDxWriter},
    {"slsa", "provenance.intoto.jsonl",
     "signed SLSA provenance of what carries a digest; needs --key", 1, &MakeSlsaWriter},
    {"csv", "artifacts.csv", "tables for a spreadsheet, into a directory", 1, &MakeCsvWriter},
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
