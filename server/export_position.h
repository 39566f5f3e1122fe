// How far an export is, and as a text that clients hand back.
//
// The text ends with a check of what was asked, so that it is not taken for the position of another
// export. Values; any thread.
//
//   std::string text = position.Encode(request);        // "4.17.0.0-1f0c..."
//   auto position = ExportPosition::Decode(text, request);
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "pedigree/v1/audit.pb.h"

namespace pedigree {

struct ExportPosition {
  // Which kind of record is next (export_records.h); of STEPS always the same.
  int64_t stage = 0;
  // Records of ids and numbers from here on are next.
  int64_t id = 1;
  // Within the step `id`: where its next event is, as the number of its chunk (ExecutionEventsKey)
  // and its place there. 0: all of the step is next.
  int64_t chunk = 0;
  int64_t place = 0;

  std::string Encode(const v1::ExportRequest& request) const;
  // InvalidArgument if the text is no position of such an export.
  static absl::StatusOr<ExportPosition> Decode(absl::string_view text,
                                               const v1::ExportRequest& request);

  bool operator==(const ExportPosition&) const = default;
};

}  // namespace pedigree
