#include "cli/export/export_state.h"

#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "store/durable_file.h"
#include "store/record.h"
#include "store/text.h"

namespace pedigree::cli {
namespace {

using Json = nlohmann::ordered_json;

// Absent or of another kind: the default, which then does not fit.
std::string TextIn(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}
int64_t NumberIn(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_integer() ? found->get<int64_t>() : -1;
}

std::optional<ExportState> Decode(const Json& json) {
  ExportState state;
  std::string header;
  if (!json.is_object() || !json.contains("counts") || !json.contains("files") ||
      !json["counts"].is_object() || !json["files"].is_array() ||
      !absl::Base64Unescape(TextIn(json, "asked"), &state.asked) ||
      !absl::Base64Unescape(TextIn(json, "header"), &header) ||
      !absl::Base64Unescape(TextIn(json, "writer"), &state.writer) ||
      !state.header.ParseFromString(header)) {
    return std::nullopt;
  }
  state.position = TextIn(json, "position");
  for (const auto& [name, count] : json["counts"].items()) {
    if (!count.is_number_integer()) return std::nullopt;
    state.counts[name] = count.get<int64_t>();
  }
  for (const Json& file : json["files"]) {
    if (!file.is_object()) return std::nullopt;
    ExportFileState one{{TextIn(file, "name"), NumberIn(file, "size"), TextIn(file, "sha256")},
                        NumberIn(file, "scratch") == 1};
    if (one.file.name.empty() || one.file.size < 0) return std::nullopt;
    state.files.push_back(std::move(one));
  }
  return state;
}

}  // namespace

absl::Status ExportState::Save(const ExportPlace& place) const {
  Json json;
  json["asked"] = absl::Base64Escape(asked);
  json["header"] = absl::Base64Escape(SerializeSame(header));
  json["position"] = position;
  json["writer"] = absl::Base64Escape(writer);
  json["counts"] = Json::object();
  for (const auto& [name, count] : counts) json["counts"][name] = count;
  json["files"] = Json::array();
  for (const ExportFileState& state : files) {
    json["files"].push_back({{"name", state.file.name},
                             {"size", state.file.size},
                             {"sha256", state.file.sha256},
                             {"scratch", state.is_scratch ? 1 : 0}});
  }
  return ReplaceFile(place.directory, StateFileName(place), json.dump(1) + "\n");
}

absl::StatusOr<std::optional<ExportState>> ExportState::Load(const ExportPlace& place) {
  const std::string path = place.Path(StateFileName(place));
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    if (errno == ENOENT) return std::nullopt;
    return FileError(errno, "read", path);
  }
  const std::string text(std::istreambuf_iterator<char>(file), {});
  auto state = Decode(Json::parse(text, nullptr, /*allow_exceptions=*/false));
  if (!state.has_value()) {
    return absl::DataLossError(absl::StrCat(
        Quoted(path), " is damaged: remove the export that was interrupted and begin anew"));
  }
  return state;
}

absl::Status ExportState::Remove(const ExportPlace& place) {
  const std::string path = place.Path(StateFileName(place));
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return FileError(errno, "remove", path);
  return absl::OkStatus();
}

}  // namespace pedigree::cli
