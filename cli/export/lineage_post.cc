#include "cli/export/lineage_post.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "cli/export/json_values.h"
#include "cli/export/sha256.h"
#include "store/durable_file.h"

namespace pedigree::cli {
namespace {

constexpr int64_t kEventsPerSave = 64;

struct Progress {
  int64_t bytes = 0;
  int64_t events = 0;
};

// What the file of progress says, if it is of this url.
Progress LoadProgress(const std::string& path, const std::string& url, std::string& digest) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  const Json json = Json::parse(text.str(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("url", Json()) != Json(url)) return {};
  const Json bytes = json.value("bytes", Json());
  const Json events = json.value("events", Json());
  const Json sha256 = json.value("sha256", Json());
  if (!bytes.is_number_integer() || !events.is_number_integer() || !sha256.is_string()) return {};
  digest = sha256.get<std::string>();
  return {.bytes = bytes.get<int64_t>(), .events = events.get<int64_t>()};
}

absl::Status SaveProgress(const std::string& path, const std::string& url, const Progress& progress,
                          const Sha256Stream& digest) {
  Json json = Json::object();
  Append(json, "url", url);
  Append(json, "events", progress.events);
  Append(json, "bytes", progress.bytes);
  Append(json, "sha256", digest.Hex());
  const std::filesystem::path whole = std::filesystem::absolute(path);
  return ReplaceFile(whole.parent_path(), whole.filename().string(), Print(json) + "\n");
}

// Reads what has been posted; whether it is what the digest says.
bool SkipPosted(std::ifstream& file, int64_t bytes, const std::string& sha256,
                Sha256Stream& digest) {
  std::string chunk(size_t{1} << 20, '\0');
  while (bytes > 0) {
    const auto want = std::min<int64_t>(bytes, static_cast<int64_t>(chunk.size()));
    if (!file.read(chunk.data(), want)) return false;
    digest.Add(absl::string_view(chunk).substr(0, static_cast<size_t>(want)));
    bytes -= want;
  }
  return digest.Hex() == sha256;
}

absl::Status WithEvent(const absl::Status& status, int64_t number) {
  return {status.code(), absl::StrCat("event ", number, ": ", status.message())};
}

}  // namespace

absl::StatusOr<PostedEvents> PostEvents(const std::string& events_file, LineageBackend* backend,
                                        const std::function<void(int64_t events)>& progress) {
  const std::string progress_file = events_file + ".posted";
  std::ifstream file(events_file, std::ios::binary);
  if (!file) return FileError(errno, "read", events_file);
  std::string sha256;
  Progress done = LoadProgress(progress_file, backend->url(), sha256);
  Sha256Stream digest;
  if (done.bytes > 0 && !SkipPosted(file, done.bytes, sha256, digest)) {
    // Events of another export: from the first.
    done = {};
    digest = Sha256Stream();
    file.clear();
    file.seekg(0);
  }
  PostedEvents posted = {.before = done.events};
  absl::Status status;
  std::string line;
  while (status.ok() && std::getline(file, line)) {
    if (file.eof()) status = absl::DataLossError(absl::StrCat(events_file, " is cut off"));
    if (status.ok()) status = backend->Post(line);
    if (!status.ok()) break;
    line.push_back('\n');
    digest.Add(line);
    done.bytes += static_cast<int64_t>(line.size());
    ++done.events;
    if (++posted.posted % kEventsPerSave == 0) {
      status = SaveProgress(progress_file, backend->url(), done, digest);
    }
    if (progress) progress(done.events);
  }
  if (status.ok() && file.bad()) status = FileError(EIO, "read", events_file);
  const absl::Status saved = SaveProgress(progress_file, backend->url(), done, digest);
  if (!status.ok()) return WithEvent(status, done.events + 1);
  if (!saved.ok()) return saved;
  return posted;
}

}  // namespace pedigree::cli
