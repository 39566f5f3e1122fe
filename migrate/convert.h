// What rows mean: the one place where rows of MLMD's tables become messages, and messages rows.
//
// Rows that have been checked (history.h) convert without loss, and back to rows that mean the
// same: only text that may be written in several ways (base64 of a struct, whose map has no order;
// JSON) comes back in one way. Pure functions; any thread.
//
//   absl::StatusOr<ml_metadata::Value> value = ToValue(property_row);
//   Artifact artifact = *ToNode<Artifact>(node_row);
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "migrate/rows.h"
#include "ml_metadata/proto/metadata_store.pb.h"
#include "store/traits.h"

namespace pedigree::migrate {

// How the peer marks the text of a struct.
inline constexpr absl::string_view kStructPrefix = "mlmd-struct::";

// InvalidArgument if no column is set, or what is set does not decode.
absl::StatusOr<ml_metadata::Value> ToValue(const PropertyRow& row);
PropertyRow ToPropertyRow(const std::string& name, bool is_custom, const ml_metadata::Value& value);

// InvalidArgument as ToValue(). An artifact whose uri is NULL has none.
template <class Node>
absl::StatusOr<Node> ToNode(const NodeRow& row);
template <class Node>
NodeRow ToNodeRow(const Node& node);

// `parent`: the name of the type that it derives from, "" if none.
// InvalidArgument if the JSON of a struct type does not parse, or no type derives from the parent.
template <class Node>
absl::StatusOr<typename TraitsOf<Node>::Type> ToType(const TypeRow& row, absl::string_view parent);
// `parent`: finds the id of the predefined type of a name.
template <class Node>
TypeRow ToTypeRow(const typename TraitsOf<Node>::Type& type,
                  absl::FunctionRef<int64_t(absl::string_view name)> parent);

// Whether types of the kind can derive from the predefined type of this name.
bool IsBaseType(NodeKind kind, absl::string_view name);

ml_metadata::Event ToEvent(const EventRow& row);
EventRow ToEventRow(int64_t id, const ml_metadata::Event& event);

// The text of a struct as it would be written here: one text for each value. Unchanged if it does
// not decode.
std::string CanonicalStructText(const std::string& text);
// The same for the text of a proto value.
std::string CanonicalProtoText(const std::string& text);
// The same for the JSON of a struct type.
std::string CanonicalTypeJson(const std::string& json);

}  // namespace pedigree::migrate
