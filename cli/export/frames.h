// Strings one after the other in a scratch output or a checkpoint, and how to get them back.
//
//   frame := length:be64 bytes            e.g. "ab": 0000000000000002 6162
//
// Threads: one.
//
//   AppendFrame("ab", (*scratch)->buffer());
//   status = ReadFrames(target, scratch, [](absl::string_view frame) { ... });
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/export/export_target.h"

namespace pedigree::cli {

void AppendFrame(absl::string_view bytes, std::string& to);

// All frames of a string. DataLoss if the last one is not whole.
absl::StatusOr<std::vector<std::string>> SplitFrames(absl::string_view frames);

// Visits the frames of a scratch output in order; ends with the first error of `visit`. DataLoss if
// the last one is not whole. A scratch output can be read again.
absl::Status ReadFrames(ExportTarget* target, ExportOutput* scratch,
                        std::function<absl::Status(absl::string_view frame)> visit);

}  // namespace pedigree::cli
