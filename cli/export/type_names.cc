#include "cli/export/type_names.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/export/frames.h"

namespace pedigree::cli {

bool TypeNames::AddRecord(const v1::ExportRecord& record) {
  switch (record.record_case()) {
    case v1::ExportRecord::kArtifactType:
      types_[record.artifact_type().id()] = record.artifact_type().name();
      return true;
    case v1::ExportRecord::kExecutionType:
      types_[record.execution_type().id()] = record.execution_type().name();
      return true;
    case v1::ExportRecord::kContextType:
      types_[record.context_type().id()] = record.context_type().name();
      return true;
    default:
      return false;
  }
}

bool TypeNames::IsModel(const ml_metadata::Artifact& artifact) const {
  return absl::EndsWith(NameOf(artifact), "Model");
}

bool TypeNames::IsDataset(const ml_metadata::Artifact& artifact) const {
  const absl::string_view name = NameOf(artifact);
  return absl::EndsWith(name, "Dataset") || absl::EndsWith(name, "DataSet") ||
         absl::EndsWith(name, "Examples");
}

std::string TypeNames::Save() const {
  std::string saved;
  for (const auto& [id, name] : types_) {
    AppendFrame(absl::StrCat(id), saved);
    AppendFrame(name, saved);
  }
  return saved;
}

absl::Status TypeNames::Load(absl::string_view saved) {
  const auto frames = SplitFrames(saved);
  if (!frames.ok()) return frames.status();
  for (size_t i = 0; i < frames->size(); i += 2) {
    int64_t id = 0;
    if (i + 1 == frames->size() || !absl::SimpleAtoi((*frames)[i], &id)) {
      return absl::DataLossError("the types of a checkpoint do not parse");
    }
    types_[id] = (*frames)[i + 1];
  }
  return absl::OkStatus();
}

}  // namespace pedigree::cli
