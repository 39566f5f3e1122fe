// Records of an export in the shapes RECORDS and STEPS, from a position on.
//
// Pure functions over a Reader; threads as the Reader.
//
//   AddRecords(reader, scope, &position, &message);   // until the message is full
#pragma once

#include "absl/status/statusor.h"
#include "server/export_message.h"
#include "server/export_position.h"
#include "server/export_scope.h"
#include "store/reader.h"

namespace pedigree {

enum class ExportProgress : uint8_t { kMore, kDone };

// Both move the position to what is next, and answer whether something is.
// Errors: InvalidArgument if there is no such position; as Reader.
absl::StatusOr<ExportProgress> AddRecords(const Reader& reader, const ExportScope& scope,
                                          ExportPosition* position, ExportMessage* message);
absl::StatusOr<ExportProgress> AddSteps(const Reader& reader, const ExportScope& scope,
                                        ExportPosition* position, ExportMessage* message);

}  // namespace pedigree
