#include "cli/export/type_names.h"

#include "absl/strings/match.h"

namespace pedigree::cli {

bool TypeNames::IsModel(const ml_metadata::Artifact& artifact) const {
  return models_.contains(artifact.type_id()) || absl::EndsWith(NameOf(artifact), "Model");
}

bool TypeNames::IsDataset(const ml_metadata::Artifact& artifact) const {
  const absl::string_view name = NameOf(artifact);
  return absl::EndsWith(name, "Dataset") || absl::EndsWith(name, "Examples") ||
         absl::EndsWith(name, "DataSet");
}

}  // namespace pedigree::cli
