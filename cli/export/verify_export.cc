#include "cli/export/verify_export.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <system_error>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/export/export_files.h"
#include "cli/export/export_manifest.h"
#include "cli/export/sha256.h"
#include "store/durable_file.h"
#include "store/text.h"

namespace pedigree::cli {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;

absl::StatusOr<std::optional<std::string>> ReadIfThere(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    if (errno == ENOENT) return std::nullopt;
    return FileError(errno, "read", path);
  }
  std::string bytes(std::istreambuf_iterator<char>(file), {});
  if (file.bad()) return FileError(EIO, "read", path);
  return bytes;
}

// Counts the records of a jsonl export, by what its lines begin with.
class LineCounts {
 public:
  void Add(absl::string_view bytes) {
    while (!bytes.empty()) {
      const size_t end = bytes.find('\n');
      if (head_.size() < kHeadBytes) {
        const absl::string_view part = bytes.substr(0, std::min(end, bytes.size()));
        head_.append(part.data(), std::min(part.size(), kHeadBytes - head_.size()));
      }
      if (end == absl::string_view::npos) return;
      Count();
      bytes.remove_prefix(end + 1);
    }
  }
  const std::map<std::string, int64_t>& counts() const { return counts_; }

 private:
  static constexpr size_t kHeadBytes = 24;

  void Count() {
    static constexpr std::pair<const char*, const char*> kNames[] = {
        {"{\"artifact_type\":", "artifactTypes"},
        {"{\"execution_type\":", "executionTypes"},
        {"{\"context_type\":", "contextTypes"},
        {"{\"context\":", "contexts"},
        {"{\"artifact\":", "artifacts"},
        {"{\"execution\":", "executions"},
        {"{\"event\":", "events"},
        {"{\"task\":", "tasks"},
        {"{\"cache_entry\":", "cacheEntries"},
    };
    for (const auto& [begin, name] : kNames) {
      if (absl::StartsWith(head_, begin)) ++counts_[name];
    }
    head_.clear();
  }

  std::string head_;  // Of the line at hand.
  std::map<std::string, int64_t> counts_;
};

class Check {
 public:
  Check(const std::string& to, const PublicKey* key) : place_(ExportPlace::Of(to)), key_(key) {}

  absl::StatusOr<VerifiedExport> Run() {
    const std::string path = place_.Path(place_.Beside(kManifestName));
    auto manifest = ReadIfThere(path);
    if (!manifest.ok()) return manifest.status();
    if (!manifest->has_value()) {
      return absl::NotFoundError(absl::StrCat(
          Quoted(path), " is not there: this is no export, or one that has not ended"));
    }
    if (absl::Status status = CheckSignature(**manifest); !status.ok()) return status;
    auto facts = ReadManifest(**manifest);
    if (!facts.ok()) {
      AddProblem(facts.status().message());
      return std::move(result_);
    }
    result_.format = facts->format;
    result_.counts = facts->counts;
    for (const ExportedFile& file : facts->files) {
      if (absl::Status status = CheckFile(*facts, file); !status.ok()) return status;
    }
    if (place_.single_file.empty()) CheckNothingElse(*facts);
    return std::move(result_);
  }

 private:
  void AddProblem(absl::string_view problem) { result_.problems.emplace_back(problem); }

  absl::Status CheckSignature(const std::string& manifest) {
    auto envelope = ReadIfThere(place_.Path(place_.Beside(kEnvelopeName)));
    if (!envelope.ok()) return envelope.status();
    if (!envelope->has_value()) {
      if (key_ != nullptr) AddProblem("the export is not signed");
      return absl::OkStatus();
    }
    if (key_ == nullptr) {
      // The payload can be compared without a key.
      const std::string payload = absl::Base64Escape(manifest);
      if (!absl::StrContains(**envelope, absl::StrCat("\"payload\":\"", payload, "\""))) {
        AddProblem("the signed manifest is another than the manifest");
      }
      return absl::OkStatus();
    }
    const auto payload = OpenEnvelope(**envelope, kManifestPayloadType, *key_);
    if (!payload.ok()) {
      AddProblem(payload.status().message());
    } else if (*payload != manifest) {
      AddProblem("the signed manifest is another than the manifest");
    } else if (!IsAsWritten(**envelope, manifest)) {
      AddProblem("the envelope of the signature is damaged where nothing is signed");
    } else {
      result_.is_signed = true;
    }
    return absl::OkStatus();
  }

  // Beside the signature, every byte of an envelope follows from the key and the payload.
  bool IsAsWritten(absl::string_view envelope, const std::string& manifest) const {
    const std::string begin =
        absl::StrCat("{\"payloadType\":\"", kManifestPayloadType, "\",\"payload\":\"",
                     absl::Base64Escape(manifest), "\",\"signatures\":[{\"keyid\":\"", key_->id(),
                     "\",\"sig\":\"");
    constexpr size_t kSignatureCharacters = 88;
    const absl::string_view end = "\"}]}\n";
    if (envelope.size() != begin.size() + kSignatureCharacters + end.size() ||
        !absl::StartsWith(envelope, begin) || !absl::EndsWith(envelope, end)) {
      return false;
    }
    // A digit of base64 has bits that say nothing at the end.
    const absl::string_view text = envelope.substr(begin.size(), kSignatureCharacters);
    std::string signature;
    return absl::Base64Unescape(text, &signature) && absl::Base64Escape(signature) == text;
  }

  absl::Status CheckFile(const ManifestFacts& facts, const ExportedFile& file) {
    ++result_.files;
    result_.bytes += file.size;
    const std::string path = place_.Path(file.name);
    std::ifstream stream(path, std::ios::binary);
    if (!stream || absl::StrContains(file.name, "/")) {
      AddProblem(absl::StrCat(file.name, " cannot be read"));
      return absl::OkStatus();
    }
    Sha256Stream digest;
    LineCounts lines;
    int64_t size = 0;
    std::string buffer(kReadBytes, '\0');
    while (stream.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) ||
           stream.gcount() > 0) {
      const auto bytes = absl::string_view(buffer).substr(0, static_cast<size_t>(stream.gcount()));
      digest.Add(bytes);
      if (facts.format == "jsonl") lines.Add(bytes);
      size += stream.gcount();
    }
    if (stream.bad()) return FileError(EIO, "read", path);
    if (size != file.size) {
      AddProblem(absl::StrCat(file.name, " has ", size, " bytes, not ", file.size));
    } else if (digest.Hex() != file.sha256) {
      AddProblem(absl::StrCat(file.name, " has another digest than the manifest"));
    } else if (facts.format == "jsonl" && lines.counts() != facts.counts) {
      AddProblem(absl::StrCat(file.name, " has other counts of records than the manifest"));
    }
    return absl::OkStatus();
  }

  void CheckNothingElse(const ManifestFacts& facts) {
    std::set<std::string> known = {kManifestName, kEnvelopeName};
    for (const ExportedFile& file : facts.files) known.insert(file.name);
    std::error_code error;
    for (std::filesystem::directory_iterator it(place_.directory, error);
         !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
      const std::string name = it->path().filename().string();
      if (!known.contains(name)) AddProblem(absl::StrCat(name, " is not in the manifest"));
    }
  }

  const ExportPlace place_;
  const PublicKey* const key_;
  VerifiedExport result_;
};

}  // namespace

absl::StatusOr<VerifiedExport> VerifyExport(const std::string& to, const PublicKey* key) {
  return Check(to, key).Run();
}

}  // namespace pedigree::cli
