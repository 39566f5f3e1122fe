#include "server/export_answer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/export_message.h"
#include "server/export_records.h"
#include "server/export_snapshot.h"

namespace pedigree {
namespace {

absl::Status Check(const v1::ExportRequest& request) {
  if (request.shape() != v1::RECORDS && request.shape() != v1::STEPS) {
    return absl::InvalidArgumentError(
        absl::StrCat("shape must be RECORDS or STEPS, not ", static_cast<int>(request.shape())));
  }
  if (request.selection().since_sequence() < 0 || request.selection().upstream_of_artifact() < 0) {
    return absl::InvalidArgumentError(
        "selection: since_sequence and upstream_of_artifact are not negative");
  }
  if (!request.position().empty() && request.snapshot().empty()) {
    return absl::InvalidArgumentError("position is that of a snapshot, which must be named");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Version>> ExportAnswer::ChooseVersion(
    const Store& store, const v1::ExportRequest& request) {
  if (absl::Status status = Check(request); !status.ok()) return status;
  if (!request.position().empty()) {
    auto position = ExportPosition::Decode(request.position(), request);
    if (!position.ok()) return position.status();
    position_ = *position;
  }
  return ChooseExportVersion(store, request.snapshot());
}

absl::StatusOr<StreamPart> ExportAnswer::Next(const Reader& reader,
                                              const v1::ExportRequest& request) {
  ExportMessage message;
  if (!scope_.has_value()) {
    auto scope = ExportScope::Make(reader, request);
    if (!scope.ok()) return scope.status();
    scope_ = *std::move(scope);
    const auto header = ExportHeaderOf(reader);
    if (!header.ok()) return header.status();
    message.AddHeader(*header);
  }
  const auto progress = request.shape() == v1::STEPS
                            ? AddSteps(reader, *scope_, &position_, &message)
                            : AddRecords(reader, *scope_, &position_, &message);
  if (!progress.ok()) return progress.status();
  if (*progress == ExportProgress::kDone) {
    return StreamPart{message.Finish(""), StreamPart::Place::kLast};
  }
  return StreamPart{message.Finish(position_.Encode(request)), StreamPart::Place::kWithin};
}

}  // namespace pedigree
