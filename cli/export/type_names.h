// The names of types by id, for records that name their type only by it.
//
// Threads: one.
//
//   TypeNames types;
//   types.AddRecord(record);   // Whatever it is: only types are taken.
//   types.NameOf(artifact)     // "system.Model"
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ml_metadata/proto/metadata_store.pb.h"
#include "pedigree/v1/audit.pb.h"

namespace pedigree::cli {

class TypeNames {
 public:
  // Whether it was a type.
  bool AddRecord(const v1::ExportRecord& record);

  // The node's own `type` if it has one; empty if the type is unknown.
  template <typename Node>
  absl::string_view NameOf(const Node& node) const {
    if (!node.type().empty()) return node.type();
    const auto found = types_.find(node.type_id());
    return found == types_.end() ? absl::string_view() : absl::string_view(found->second);
  }

  // Whether the name of the artifact's type says that it is a model: system.Model,
  // google.VertexModel, TFX's Model.
  bool IsModel(const ml_metadata::Artifact& artifact) const;
  // Whether it says that it is data to learn from, as system.Dataset and TFX's Examples do.
  bool IsDataset(const ml_metadata::Artifact& artifact) const;

  // For a checkpoint. DataLoss if the bytes are not of Save().
  std::string Save() const;
  absl::Status Load(absl::string_view saved);

 private:
  // Types of all kinds share one sequence of ids.
  std::map<int64_t, std::string> types_;
};

}  // namespace pedigree::cli
