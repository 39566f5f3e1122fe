// The manifest of an export: what its files hold, of what, and digests of all.
//
// JSON that ends with the SHA-256 of all of it before that; with a key there is also a DSSE
// envelope (dsse.h) of it. The same export has the same manifest. Values; any thread.
//
//   MakeManifest(facts)             -> manifest.json
//   SignedEnvelope(kManifestPayloadType, manifest, key)  -> manifest.dsse.json
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/export/export_target.h"
#include "pedigree/v1/audit.pb.h"

namespace pedigree::cli {

inline constexpr char kManifestName[] = "manifest.json";
inline constexpr char kEnvelopeName[] = "manifest.dsse.json";
inline constexpr char kManifestPayloadType[] = "application/vnd.pedigree.export-manifest+json";

struct ExportFacts {
  std::string format;
  int format_version = 0;
  std::string program_version;
  std::vector<std::pair<std::string, std::string>> options;  // Of the format.
  v1::ExportSelection selection;
  v1::ExportHeader header;
  std::map<std::string, int64_t> counts;
  std::vector<ExportedFile> files;
};

std::string MakeManifest(const ExportFacts& facts);

// What a check of the files needs.
struct ManifestFacts {
  std::string format;
  std::map<std::string, int64_t> counts;
  std::vector<ExportedFile> files;
};

// Errors: DataLoss if the bytes are not those that MakeManifest() answered.
absl::StatusOr<ManifestFacts> ReadManifest(absl::string_view manifest);

}  // namespace pedigree::cli
