#include "cli/export/export_manifest.h"

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/export/json_text.h"
#include "cli/export/sha256.h"

namespace pedigree::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kDigestDigits = 64;
constexpr char kBeforeDigest[] = ",\n  \"sha256\": \"";
constexpr char kAfterDigest[] = "\"\n}\n";
constexpr char kEnd[] = "\n}";

Json SelectionOf(const v1::ExportSelection& selection) {
  Json json = Json::object();
  if (!selection.execution_filter().empty()) {
    json["executionFilter"] = selection.execution_filter();
  }
  if (selection.since_sequence() != 0) json["sinceSequence"] = selection.since_sequence();
  if (selection.has_until_ms()) json["untilMs"] = selection.until_ms();
  if (selection.upstream_of_artifact() != 0) {
    json["upstreamOfArtifact"] = selection.upstream_of_artifact();
  }
  return json;
}

absl::Status Damaged(absl::string_view how) {
  return absl::DataLossError(absl::StrCat("the manifest is damaged: ", how));
}

}  // namespace

std::string MakeManifest(const ExportFacts& facts) {
  Json json;
  json["manifestVersion"] = 1;
  json["format"] = facts.format;
  json["formatVersion"] = facts.format_version;
  json["program"] = absl::StrCat("pedigree ", facts.program_version);
  if (!facts.options.empty()) {
    json["options"] = Json::object();
    for (const auto& [name, value] : facts.options) json["options"][name] = value;
  }
  json["snapshot"] = {{"name", facts.header.snapshot()},
                      {"sequence", facts.header.sequence()},
                      {"timeMs", facts.header.time_ms()},
                      {"chainHash", absl::BytesToHexString(facts.header.chain_hash())}};
  json["selection"] = SelectionOf(facts.selection);
  json["counts"] = Json::object();
  for (const auto& [name, count] : facts.counts) json["counts"][name] = count;
  json["files"] = Json::array();
  for (const ExportedFile& file : facts.files) {
    json["files"].push_back({{"name", file.name}, {"size", file.size}, {"sha256", file.sha256}});
  }
  // What is no UTF-8 must not throw; a filter always is.
  std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace);
  text.resize(text.size() - (sizeof(kEnd) - 1));
  return absl::StrCat(text, kBeforeDigest, Sha256Hex(text), kAfterDigest);
}

absl::StatusOr<ManifestFacts> ReadManifest(absl::string_view manifest) {
  absl::string_view body = manifest;
  if (!absl::ConsumeSuffix(&body, kAfterDigest) || body.size() < kDigestDigits) {
    return Damaged("it has no end");
  }
  const absl::string_view digest = body.substr(body.size() - kDigestDigits);
  body.remove_suffix(kDigestDigits);
  if (!absl::ConsumeSuffix(&body, kBeforeDigest) || digest != Sha256Hex(body)) {
    return Damaged("its own digest is another");
  }
  const Json json =
      Json::parse(manifest.begin(), manifest.end(), nullptr, /*allow_exceptions=*/false);
  ManifestFacts facts;
  if (!json.is_object() || !json.contains("format") || !json["format"].is_string() ||
      !json.contains("counts") || !json["counts"].is_object() || !json.contains("files") ||
      !json["files"].is_array()) {
    return Damaged("it lacks what a manifest has");
  }
  facts.format = json["format"].get<std::string>();
  for (const auto& [name, count] : json["counts"].items()) {
    if (!count.is_number_integer()) return Damaged("a count is no number");
    facts.counts[name] = count.get<int64_t>();
  }
  for (const Json& file : json["files"]) {
    if (!file.is_object() || !file.contains("name") || !file["name"].is_string() ||
        !file.contains("size") || !file["size"].is_number_integer() || !file.contains("sha256") ||
        !file["sha256"].is_string()) {
      return Damaged("a file lacks what it has");
    }
    facts.files.push_back({file["name"].get<std::string>(), file["size"].get<int64_t>(),
                           file["sha256"].get<std::string>()});
  }
  return facts;
}

}  // namespace pedigree::cli
