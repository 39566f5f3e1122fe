#include "cli/export/type_names.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/export/frames.h"

namespace pedigree::cli {

using ml_metadata::Artifact;
using ml_metadata::ArtifactType;

bool TypeNames::AddRecord(const v1::ExportRecord& record) {
  switch (record.record_case()) {
    case v1::ExportRecord::kArtifactType: {
      const ArtifactType& type = record.artifact_type();
      types_[type.id()] = {.name = type.name(), .base = type.base_type()};
      return true;
    }
    case v1::ExportRecord::kExecutionType:
      types_[record.execution_type().id()] = {.name = record.execution_type().name()};
      return true;
    case v1::ExportRecord::kContextType:
      types_[record.context_type().id()] = {.name = record.context_type().name()};
      return true;
    default:
      return false;
  }
}

ArtifactType::SystemDefinedBaseType TypeNames::BaseOf(const Artifact& artifact) const {
  const auto found = types_.find(artifact.type_id());
  return found == types_.end() ? ArtifactType::UNSET : found->second.base;
}

bool TypeNames::IsModel(const Artifact& artifact) const {
  return BaseOf(artifact) == ArtifactType::MODEL || absl::EndsWith(NameOf(artifact), "Model");
}

bool TypeNames::IsDataset(const Artifact& artifact) const {
  const absl::string_view name = NameOf(artifact);
  return BaseOf(artifact) == ArtifactType::DATASET || absl::EndsWith(name, "Dataset") ||
         absl::EndsWith(name, "DataSet") || absl::EndsWith(name, "Examples");
}

std::string TypeNames::Save() const {
  std::string saved;
  for (const auto& [id, type] : types_) {
    AppendFrame(absl::StrCat(id), saved);
    AppendFrame(absl::StrCat(static_cast<int>(type.base)), saved);
    AppendFrame(type.name, saved);
  }
  return saved;
}

absl::Status TypeNames::Load(absl::string_view saved) {
  const auto frames = SplitFrames(saved);
  if (!frames.ok()) return frames.status();
  const absl::Status broken = absl::DataLossError("the types of a checkpoint do not parse");
  if (frames->size() % 3 != 0) return broken;
  for (size_t i = 0; i < frames->size(); i += 3) {
    int64_t id = 0;
    int base = 0;
    if (!absl::SimpleAtoi((*frames)[i], &id) || !absl::SimpleAtoi((*frames)[i + 1], &base) ||
        !ArtifactType::SystemDefinedBaseType_IsValid(base)) {
      return broken;
    }
    types_[id] = {.name = (*frames)[i + 2],
                  .base = static_cast<ArtifactType::SystemDefinedBaseType>(base)};
  }
  return absl::OkStatus();
}

}  // namespace pedigree::cli
