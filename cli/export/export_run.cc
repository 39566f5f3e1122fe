#include "cli/export/export_run.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/utf8.h"
#include "store/durable_file.h"
#include "store/record.h"
#include "store/text.h"
#include "store/wire.h"

namespace pedigree::cli {
namespace {

// Tries in a row that bring nothing, after which a server is given up.
constexpr int kMaxTries = 5;

// Everything that decides which bytes an export has, but for the snapshot.
std::string AskedBy(const ExportRunOptions& options) {
  std::string asked = absl::StrCat(options.format->name, " ", options.format->version, "\n");
  for (const auto& [name, value] : options.writer.options) {
    absl::StrAppend(&asked, name.size(), " ", name, " ", value.size(), " ", value, "\n");
  }
  if (options.writer.key != nullptr) {
    absl::StrAppend(&asked, options.writer.key->public_key().id(), "\n");
  }
  return asked + SerializeSame(options.writer.selection);
}

}  // namespace

const char* RecordCountName(absl::string_view record) {
  WireCursor cursor(record);
  const auto field = cursor.Next();
  switch (field.has_value() ? field->number : 0) {
    case v1::ExportRecord::kArtifactTypeFieldNumber:
      return "artifactTypes";
    case v1::ExportRecord::kExecutionTypeFieldNumber:
      return "executionTypes";
    case v1::ExportRecord::kContextTypeFieldNumber:
      return "contextTypes";
    case v1::ExportRecord::kContextFieldNumber:
      return "contexts";
    case v1::ExportRecord::kArtifactFieldNumber:
      return "artifacts";
    case v1::ExportRecord::kExecutionFieldNumber:
      return "executions";
    case v1::ExportRecord::kEventFieldNumber:
      return "events";
    case v1::ExportRecord::kTaskFieldNumber:
      return "tasks";
    case v1::ExportRecord::kCacheEntryFieldNumber:
      return "cacheEntries";
    case v1::ExportRecord::kStepFieldNumber:
      return "steps";
    default:
      return "others";
  }
}

ExportRun::ExportRun(ExportSource* source, ExportRunOptions options)
    : source_(source),
      options_(std::move(options)),
      place_(ExportPlace::Of(options_.to)),
      asked_(AskedBy(options_)) {}

absl::StatusOr<ExportFacts> ExportRun::Run() {
  if (!IsUtf8(place_.single_file)) {
    return absl::InvalidArgumentError(absl::StrCat("the file name ", Quoted(options_.to),
                                                   " is no UTF-8: a manifest could not name it"));
  }
  // Before the place is touched: options may be refused.
  if (absl::Status status = MakeWriter(); !status.ok()) return status;
  if (absl::Status status = Prepare(); !status.ok()) return status;
  const std::string manifest = place_.Path(place_.Beside(kManifestName));
  std::error_code error;
  if (std::filesystem::exists(manifest, error)) return EndAgain(manifest);
  absl::Status status = Resume();
  if (status.ok()) status = StreamWithRetries();
  if (!status.ok()) return status;
  return Finish();
}

absl::Status ExportRun::Prepare() {
  auto files = ExportFiles::Open(place_);
  if (!files.ok()) return files.status();
  files_ = *std::move(files);
  auto state = ExportState::Load(place_);
  if (!state.ok()) return state.status();
  if (!state->has_value()) {
    if (absl::Status status = CheckPlaceIsFree(); !status.ok()) return status;
    state_.asked = asked_;
    return state_.Save(place_);  // The place is ours before anything else is there.
  }
  state_ = **std::move(state);
  if (state_.asked == asked_) return absl::OkStatus();
  if (!state_.header.snapshot().empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(Quoted(options_.to),
                     " holds a part of another export: remove it, or go on with the same format, "
                     "selection, options and key"));
  }
  // The other did not begin.
  state_.asked = asked_;
  return state_.Save(place_);
}

absl::Status ExportRun::MakeWriter() {
  auto writer = options_.format->make(options_.writer);
  if (!writer.ok()) return writer.status();
  writer_ = *std::move(writer);
  return absl::OkStatus();
}

absl::Status ExportRun::Resume() {
  absl::Status status = files_->Restore(state_.files);
  if (!status.ok() || state_.header.snapshot().empty()) return status;
  status = writer_->Restore(state_.header, files_.get(), state_.writer);
  has_begun_ = status.ok();
  for (const auto& [name, count] : state_.counts) records_ += count;
  if (status.ok() && options_.note) {
    options_.note(absl::StrCat("going on after ", records_, " records of the snapshot ",
                               state_.header.snapshot()));
  }
  return status;
}

absl::StatusOr<ExportFacts> ExportRun::EndAgain(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return FileError(errno, "read", path);
  auto manifest = ReadManifest(std::string(std::istreambuf_iterator<char>(file), {}));
  if (!manifest.ok()) return manifest.status();
  std::vector<ExportFileState> whole;
  for (const ExportedFile& one : manifest->files) whole.push_back({one, false});
  for (const char* name : {kManifestName, kEnvelopeName}) {
    whole.push_back({{place_.Beside(name), 0, ""}, false});
  }
  absl::Status status = files_->RemoveLeftovers(whole);
  if (status.ok()) status = ExportState::Remove(place_);
  if (!status.ok()) return status;
  ExportFacts facts;
  facts.format = manifest->format;
  facts.header = state_.header;
  facts.counts = std::move(manifest->counts);
  facts.files = std::move(manifest->files);
  return facts;
}

absl::Status ExportRun::CheckPlaceIsFree() {
  std::error_code error;
  bool is_free = true;
  if (place_.single_file.empty()) {
    // A crash may leave a state that is not in place.
    const std::string unplaced = StateFileName(place_) + ".next";
    for (std::filesystem::directory_iterator it(place_.directory, error);
         !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
      is_free = is_free && it->path().filename() == unplaced;
    }
  } else {
    for (const std::string& name : {place_.single_file, place_.Beside(kManifestName)}) {
      is_free = is_free && !std::filesystem::exists(place_.Path(name), error);
    }
  }
  if (error) return FileError(error.value(), "read", place_.directory);
  if (is_free) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(Quoted(options_.to),
                   " holds something already: an export goes to a new file or to an empty "
                   "or missing directory"));
}

absl::Status ExportRun::StreamWithRetries() {
  int tries = 0;
  while (!is_done_) {
    const int64_t before = parts_;
    const bool goes_on = !state_.header.snapshot().empty();
    absl::Status status = Stream();
    if (status.ok()) continue;
    // Only the server can come back: outputs have parts of what failed here.
    if (!local_.ok()) return local_;
    tries = parts_ > before ? 0 : tries + 1;
    if (absl::IsNotFound(status) && goes_on && parts_ == before) {
      // The part that is there is of a snapshot that is gone.
      if (options_.note) options_.note(absl::StrCat(status.message(), ": beginning anew"));
      if (status = BeginAnew(); !status.ok()) return status;
      continue;
    }
    if (!absl::IsUnavailable(status) || tries >= kMaxTries || !options_.wait) return status;
    if (options_.note) options_.note(absl::StrCat(status.message(), ": trying again"));
    options_.wait(tries);
  }
  return absl::OkStatus();
}

absl::Status ExportRun::BeginAnew() {
  state_ = {};
  state_.asked = asked_;
  has_begun_ = false;
  records_ = 0;
  absl::Status status = state_.Save(place_);
  if (status.ok()) status = MakeWriter();
  return status.ok() ? Resume() : status;
}

absl::Status ExportRun::Stream() {
  v1::ExportRequest request;
  *request.mutable_selection() = options_.writer.selection;
  request.set_shape(writer_->shape());
  request.set_snapshot(state_.header.snapshot());
  request.set_position(state_.position);
  absl::Status status = source_->Export(request, [&](v1::ExportResponseBytes& part) {
    local_ = Take(part);
    return local_.ok() && !is_done_;
  });
  if (!local_.ok()) return local_;
  if (status.ok() && !is_done_) return absl::UnavailableError("the server's answer has no end");
  return is_done_ ? absl::OkStatus() : status;
}

absl::Status ExportRun::Take(v1::ExportResponseBytes& part) {
  if (part.has_header()) {
    if (absl::Status status = TakeHeader(part.header()); !status.ok()) return status;
  }
  if (!has_begun_) return absl::InternalError("the server's answer has no header");
  for (const std::string& record : part.records()) {
    if (absl::Status status = AddRecord(record); !status.ok()) return status;
  }
  ++parts_;
  state_.position = part.position();
  is_done_ = part.done();
  if (options_.progress) options_.progress(records_);
  if (is_done_ || bytes_since_checkpoint_ < options_.checkpoint_bytes) return absl::OkStatus();
  return SaveCheckpoint();
}

absl::Status ExportRun::TakeHeader(const v1::ExportHeader& header) {
  if (has_begun_) {
    if (SerializeSame(header) == SerializeSame(state_.header)) return absl::OkStatus();
    return absl::InternalError(
        absl::StrCat("the server goes on with another snapshot than ", state_.header.snapshot()));
  }
  state_.header = header;
  if (absl::Status status = writer_->Begin(header, files_.get()); !status.ok()) return status;
  has_begun_ = true;
  // From here on a crash leaves something that goes on.
  return SaveCheckpoint();
}

absl::Status ExportRun::AddRecord(absl::string_view record) {
  ++state_.counts[RecordCountName(record)];
  ++records_;
  bytes_since_checkpoint_ += static_cast<int64_t>(record.size());
  return writer_->AddBytes(record);
}

absl::Status ExportRun::SaveCheckpoint() {
  auto files = files_->Checkpoint();
  if (!files.ok()) return files.status();
  state_.files = *std::move(files);
  state_.writer = writer_->Checkpoint();
  bytes_since_checkpoint_ = 0;
  return state_.Save(place_);
}

absl::StatusOr<ExportFacts> ExportRun::Finish() {
  if (absl::Status status = writer_->End(); !status.ok()) return status;
  auto files = files_->Finish();
  if (!files.ok()) return files.status();
  ExportFacts facts;
  facts.format = options_.format->name;
  facts.format_version = options_.format->version;
  facts.program_version = options_.program_version;
  facts.options = options_.writer.options;
  facts.selection = options_.writer.selection;
  facts.header = state_.header;
  facts.counts = state_.counts;
  for (const auto& [name, count] : writer_->Counts()) facts.counts[name] = count;
  facts.files = *std::move(files);
  const std::string manifest = MakeManifest(facts);
  if (options_.writer.key != nullptr) {
    absl::Status status =
        ReplaceFile(place_.directory, place_.Beside(kEnvelopeName),
                    SignedEnvelope(kManifestPayloadType, manifest, *options_.writer.key));
    if (!status.ok()) return status;
  }
  absl::Status status = ReplaceFile(place_.directory, place_.Beside(kManifestName), manifest);
  if (status.ok()) status = files_->RemoveScratch();
  if (status.ok()) status = ExportState::Remove(place_);
  if (!status.ok()) return status;
  return facts;
}

}  // namespace pedigree::cli
