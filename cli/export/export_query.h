// What a user asks to be exported, as options of the command line, as a selection of the service.
//
// A pure function; any thread.
//
//   auto selection = SelectionOf({.context = "run-7", .until = "2024-05-17T12:00:00Z"});
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "pedigree/v1/audit.pb.h"

namespace pedigree::cli {

struct ExportQuery {
  std::string where = "";        // A filter.
  std::string context = "";      // A name, or "context:ID".
  std::string upstream_of = "";  // "artifact:ID", or the id.
  int64_t since = 0;             // A sequence.
  std::string until = "";        // As ParseTime().
};

// Errors: InvalidArgument naming the option that is wrong.
absl::StatusOr<v1::ExportSelection> SelectionOf(const ExportQuery& query);

}  // namespace pedigree::cli
