// The three kinds of node, and the only place in the store that tells them apart.
//
// Everything else is a template over Artifact, Execution and Context that asks TraitsOf<Node>.
// All of it is constant data: safe from any thread.
//
//   static_assert(TraitsOf<ml_metadata::Execution>::kKind == NodeKind::kExecution);
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "ml_metadata/proto/metadata_store.pb.h"

namespace pedigree {

// Stored in keys: the values are part of the format.
enum class NodeKind : uint8_t { kArtifact = 1, kExecution = 2, kContext = 3 };

inline constexpr NodeKind kNodeKinds[] = {NodeKind::kArtifact, NodeKind::kExecution,
                                          NodeKind::kContext};

// Position of a kind in arrays with one element per kind.
constexpr size_t IndexOf(NodeKind kind) { return static_cast<size_t>(kind) - 1; }

// Field numbers of the top-level fields that the store itself reads from a node's wire bytes.
// 0 where the kind has no such field.
struct NodeFields {
  int id;
  int type_id;
  int name;
  int type;  // The type's name: never stored, appended to every answer.
  int uri;
  int state;
  int create_time;
  int last_update_time;
  int external_id;
  int properties;
  int custom_properties;
};

template <class Node>
struct TraitsOf;

template <>
struct TraitsOf<ml_metadata::Artifact> {
  using Type = ml_metadata::ArtifactType;
  static constexpr NodeKind kKind = NodeKind::kArtifact;
  static constexpr absl::string_view kName = "artifact";
  static constexpr NodeFields kFields = {1, 2, 7, 8, 3, 6, 9, 10, 11, 4, 5};
};

template <>
struct TraitsOf<ml_metadata::Execution> {
  using Type = ml_metadata::ExecutionType;
  static constexpr NodeKind kKind = NodeKind::kExecution;
  static constexpr absl::string_view kName = "execution";
  static constexpr NodeFields kFields = {1, 2, 6, 7, 0, 3, 8, 9, 10, 4, 5};
};

template <>
struct TraitsOf<ml_metadata::Context> {
  using Type = ml_metadata::ContextType;
  static constexpr NodeKind kKind = NodeKind::kContext;
  static constexpr absl::string_view kName = "context";
  static constexpr NodeFields kFields = {1, 2, 3, 6, 0, 0, 7, 8, 9, 4, 5};
};

// Run-time access to the same facts, for code that has a kind and no message.
constexpr const NodeFields& FieldsOf(NodeKind kind) {
  switch (kind) {
    case NodeKind::kArtifact:
      return TraitsOf<ml_metadata::Artifact>::kFields;
    case NodeKind::kExecution:
      return TraitsOf<ml_metadata::Execution>::kFields;
    case NodeKind::kContext:
      break;
  }
  return TraitsOf<ml_metadata::Context>::kFields;
}

constexpr absl::string_view NameOf(NodeKind kind) {
  switch (kind) {
    case NodeKind::kArtifact:
      return "artifact";
    case NodeKind::kExecution:
      return "execution";
    case NodeKind::kContext:
      break;
  }
  return "context";
}

}  // namespace pedigree
