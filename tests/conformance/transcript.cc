#include "tests/conformance/transcript.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/conformance/json_slices.h"
#include "tests/support/raw_client.h"

namespace pedigree::conformance {
namespace {

namespace fs = std::filesystem;

// In the order of grpc::StatusCode, from 0.
constexpr std::array kCodeNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};
static_assert(kCodeNames.size() == static_cast<size_t>(grpc::StatusCode::UNAUTHENTICATED) + 1);

absl::StatusOr<grpc::StatusCode> ParseCode(absl::string_view text) {
  const absl::StatusOr<std::string> name = PlainString(text);
  if (!name.ok()) return name.status();
  for (size_t i = 0; i < kCodeNames.size(); ++i) {
    if (*name == kCodeNames[i]) return static_cast<grpc::StatusCode>(i);
  }
  return absl::InvalidArgumentError(absl::StrCat("no gRPC status code: ", text.substr(0, 80)));
}

absl::StatusOr<std::vector<grpc::StatusCode>> ParseCodes(absl::string_view text) {
  std::vector<absl::string_view> names = {text};
  if (absl::StartsWith(text, "[")) {
    absl::StatusOr<std::vector<absl::string_view>> elements = SliceArray(text);
    if (!elements.ok()) return elements.status();
    names = *std::move(elements);
  }
  std::vector<grpc::StatusCode> codes;
  for (const absl::string_view name : names) {
    const absl::StatusOr<grpc::StatusCode> code = ParseCode(name);
    if (!code.ok()) return code.status();
    codes.push_back(*code);
  }
  return codes;
}

absl::StatusOr<const google::protobuf::MethodDescriptor*> ParseRpc(absl::string_view text) {
  const absl::StatusOr<std::string> name = PlainString(text);
  if (!name.ok()) return name.status();
  const auto* rpc = testing::FindMethod(*name);
  if (rpc != nullptr) return rpc;
  return absl::InvalidArgumentError(absl::StrCat("no method is called ", name->substr(0, 80)));
}

absl::StatusOr<bool> ParseFlag(absl::string_view text) {
  if (text == "true" || text == "false") return text == "true";
  return absl::InvalidArgumentError(absl::StrCat("not true or false: ", text.substr(0, 80)));
}

template <typename T>
absl::Status Keep(absl::StatusOr<T> read, T& place) {
  if (read.ok()) place = *std::move(read);
  return read.status();
}

absl::Status ParseMember(const JsonMember& member, Step& step) {
  const auto& [name, value] = member;
  if (name == "rpc") return Keep(ParseRpc(value), step.rpc);
  if (name == "code") return Keep(ParseCodes(value), step.codes);
  if (name == "ordered") return Keep(ParseFlag(value), step.ordered);
  if (name == "request") {
    step.request_json = std::string(value);
  } else if (name == "response") {
    step.response_json = std::string(value);
  } else if (name != "reference_code") {
    return absl::InvalidArgumentError(absl::StrCat("unknown member ", name));
  }
  return absl::OkStatus();
}

// Returns the text of a member, empty if there is none. InvalidArgument: `json` is no object.
absl::StatusOr<absl::string_view> FindMember(absl::string_view json, absl::string_view name) {
  const absl::StatusOr<std::vector<JsonMember>> members = SliceObject(json);
  if (!members.ok()) return members.status();
  for (const auto& [key, value] : *members) {
    if (key == name) return value;
  }
  return absl::string_view();
}

// Decided from the text, since a request with templates is no message yet.
absl::StatusOr<CapabilitySet> NeedsOf(const Step& step) {
  if (absl::StartsWith(step.rpc->name(), "GetLineage")) return CapabilitySet{Capability::kLineage};
  const auto options = FindMember(step.request_json, "options");
  if (!options.ok()) return options.status();
  if (options->empty()) return CapabilitySet();
  const auto filter = FindMember(*options, "filter_query");
  if (!filter.ok()) return filter.status();
  if (filter->empty() || *filter == "\"\"") return CapabilitySet();
  return CapabilitySet{Capability::kFilter};
}

absl::Status AtLine(const std::string& file_name, int line, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(file_name, ":", line, ": ", status.message()));
}

}  // namespace

bool Step::IsPut() const { return absl::StartsWith(rpc->name(), "Put"); }

bool Step::Allows(grpc::StatusCode code) const {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

absl::StatusOr<Step> ParseStep(absl::string_view text) {
  const absl::StatusOr<std::vector<JsonMember>> members = SliceObject(text);
  if (!members.ok()) return members.status();
  Step step;
  for (const JsonMember& member : *members) {
    if (const absl::Status read = ParseMember(member, step); !read.ok()) return read;
  }
  if (step.rpc == nullptr) return absl::InvalidArgumentError("a step needs a member rpc");
  if (step.codes.empty()) return absl::InvalidArgumentError("a step needs a member code");
  const absl::StatusOr<CapabilitySet> needs = NeedsOf(step);
  if (!needs.ok()) return needs.status();
  step.needs = *needs;
  return step;
}

absl::StatusOr<Transcript> ReadTranscript(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  Transcript transcript;
  transcript.name = fs::path(path).stem().string();
  transcript.file_name = fs::path(path).filename().string();
  int line = 0;
  for (std::string text; std::getline(file, text);) {
    ++line;
    const absl::string_view stripped = absl::StripAsciiWhitespace(text);
    if (stripped.empty() || stripped[0] == '#') continue;
    absl::StatusOr<Step> step = ParseStep(stripped);
    if (!step.ok()) return AtLine(transcript.file_name, line, step.status());
    step->line = line;
    transcript.needs.Add(step->needs);
    transcript.steps.push_back(*std::move(step));
  }
  if (!transcript.steps.empty()) return transcript;
  return absl::InvalidArgumentError(absl::StrCat(path, ": there is no step in it"));
}

absl::StatusOr<std::vector<Transcript>> ReadTranscripts(const std::string& folder) {
  std::set<std::string> paths;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().extension() == ".jsonl") paths.insert(at->path().string());
  }
  if (error || paths.empty()) {
    return absl::NotFoundError(absl::StrCat("no *.jsonl file below ", folder));
  }
  std::vector<Transcript> transcripts;
  std::set<std::string> names;
  for (const std::string& path : paths) {
    absl::StatusOr<Transcript> transcript = ReadTranscript(path);
    if (!transcript.ok()) return transcript.status();
    if (!names.insert(transcript->name).second) {
      return absl::AlreadyExistsError(absl::StrCat("two transcripts named ", transcript->name));
    }
    transcripts.push_back(*std::move(transcript));
  }
  return transcripts;
}

absl::Status FromJson(absl::string_view json, google::protobuf::Message* message) {
  const auto parsed = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(json.data(), json.size()), message);
  if (parsed.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("not a ", message->GetTypeName(), ": ", parsed.message().ToString()));
}

std::string CodeName(grpc::StatusCode code) {
  const auto index = static_cast<size_t>(code);
  return index < kCodeNames.size() ? kCodeNames[index] : absl::StrCat("code ", index);
}

}  // namespace pedigree::conformance
