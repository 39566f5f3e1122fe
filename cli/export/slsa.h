// A step as an in-toto statement with SLSA provenance v1: what it made, of what, and how.
//
// Pure functions: any thread.
//
//   Provenance provenance = ProvenanceOf(step, types, "prod");
//   if (provenance.statement.has_value()) Sign(Print(*provenance.statement));
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "cli/export/json_values.h"
#include "cli/export/type_names.h"
#include "pedigree/v1/audit.pb.h"

namespace pedigree::cli {

inline constexpr char kInTotoPayloadType[] = "application/vnd.in-toto+json";

struct Provenance {
  // Nothing if the step made nothing that can be named by a digest.
  absl::optional<Json> statement;
  int64_t subjects = 0;
  int64_t without_digest = 0;      // Outputs that carry none, or only a weak one.
  int64_t conflicting_digest = 0;  // Outputs of which two places tell different ones.
};

// Whether the step made its outputs: it is complete, or nobody has told its state. A step that was
// answered from the cache did not make them, and one that failed or still runs may not have.
bool MadeItsOutputs(const ml_metadata::Execution& execution);

// Of a step that made its outputs.
Provenance ProvenanceOf(const v1::ExportedStep& step, const TypeNames& types,
                        absl::string_view store);

}  // namespace pedigree::cli
