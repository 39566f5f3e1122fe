// The names of types by id, for records that name their type only by it.
//
// Threads: one.
//
//   TypeNames types;
//   types.Add(artifact_type);
//   types.NameOf(artifact)   // "system.Model"
#pragma once

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "ml_metadata/proto/metadata_store.pb.h"

namespace pedigree::cli {

class TypeNames {
 public:
  void Add(const ml_metadata::ArtifactType& type) {
    names_[type.id()] = type.name();
    if (type.base_type() == ml_metadata::ArtifactType::MODEL) models_[type.id()] = true;
  }
  // Of executions and contexts; types of all kinds share one sequence of ids.
  template <typename Type>
  void Add(const Type& type) {
    names_[type.id()] = type.name();
  }

  // The node's own `type` if it has one; empty if the type is unknown.
  template <typename Node>
  absl::string_view NameOf(const Node& node) const {
    if (!node.type().empty()) return node.type();
    const auto found = names_.find(node.type_id());
    return found == names_.end() ? absl::string_view() : absl::string_view(found->second);
  }

  // Whether the artifact's type says that it is a model: by its base type, or by its name.
  bool IsModel(const ml_metadata::Artifact& artifact) const;
  // Whether the name says that it is data to learn from, as system.Dataset and TFX's Examples do.
  bool IsDataset(const ml_metadata::Artifact& artifact) const;

 private:
  absl::flat_hash_map<int64_t, std::string> names_;
  absl::flat_hash_map<int64_t, bool> models_;
};

}  // namespace pedigree::cli
