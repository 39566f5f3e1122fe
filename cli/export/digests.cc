#include "cli/export/digests.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace pedigree::cli {
namespace {

struct Algorithm {
  absl::string_view name;
  size_t hex_digits;
};
constexpr Algorithm kAlgorithms[] = {
    {"sha256", 64}, {"sha384", 96}, {"sha512", 128}, {"sha1", 40}, {"md5", 32}};

const Algorithm* FindAlgorithm(absl::string_view name) {
  const auto* found = std::find_if(std::begin(kAlgorithms), std::end(kAlgorithms),
                                   [name](const Algorithm& known) { return known.name == name; });
  return found == std::end(kAlgorithms) ? nullptr : found;
}

// The algorithm that a property of this name holds a digest of; null if it holds none.
const Algorithm* AlgorithmOfProperty(absl::string_view property) {
  const std::string lower = absl::StrReplaceAll(absl::AsciiStrToLower(property), {{"-", "_"}});
  absl::string_view name = lower;
  for (absl::string_view suffix : {"_digest", "_hash", "_sum", "sum"}) {
    if (absl::ConsumeSuffix(&name, suffix)) break;
  }
  return FindAlgorithm(name);
}

bool NamesItsAlgorithm(absl::string_view property) {
  const std::string lower = absl::StrReplaceAll(absl::AsciiStrToLower(property), {{"-", "_"}});
  return lower == "digest" || lower == "content_digest" || lower == "checksum" ||
         lower == "content_hash";
}

void AddDigest(const Algorithm* algorithm, absl::string_view text, Digests& digests) {
  if (algorithm == nullptr || text.size() != algorithm->hex_digits) return;
  const bool is_hex = std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isxdigit(static_cast<unsigned char>(c));
  });
  if (!is_hex) return;
  const auto [at, is_new] =
      digests.by_algorithm.emplace(algorithm->name, absl::AsciiStrToLower(text));
  if (!is_new && at->second != absl::AsciiStrToLower(text)) digests.conflicting = true;
}

// "sha256:9f86..."
void AddPrefixed(absl::string_view text, Digests& digests) {
  const size_t colon = text.find(':');
  if (colon == absl::string_view::npos) return;
  AddDigest(FindAlgorithm(absl::AsciiStrToLower(text.substr(0, colon))), text.substr(colon + 1),
            digests);
}

template <typename Map>
void AddProperties(const Map& properties, Digests& digests) {
  for (const auto& [name, value] : properties) {
    if (!value.has_string_value()) continue;
    absl::string_view text = absl::StripAsciiWhitespace(value.string_value());
    if (NamesItsAlgorithm(name)) {
      AddPrefixed(text, digests);
    } else if (const Algorithm* algorithm = AlgorithmOfProperty(name)) {
      // A tool may name the algorithm once more before the digits.
      absl::ConsumePrefix(&text, std::string(algorithm->name) + ":");
      AddDigest(algorithm, text, digests);
    }
  }
}

}  // namespace

bool Digests::HasStrong() const {
  return by_algorithm.count("sha256") + by_algorithm.count("sha384") +
             by_algorithm.count("sha512") >
         0;
}

Digests DigestsOf(const ml_metadata::Artifact& artifact) {
  Digests digests;
  AddProperties(artifact.properties(), digests);
  AddProperties(artifact.custom_properties(), digests);
  const absl::string_view uri = artifact.uri();
  if (const size_t at = uri.rfind('@'); at != absl::string_view::npos) {
    AddPrefixed(uri.substr(at + 1), digests);
  }
  if (digests.conflicting) digests.by_algorithm.clear();
  return digests;
}

}  // namespace pedigree::cli
