// In what two nodes of one kind differ, field by field, as text for people.
//
// Names, ids and times are no differences: they always differ. Pure functions; any thread.
//
//   auto differences = DifferencesOf(catalog, NodeKind::kArtifact, record_a, record_b);
//   // {"uri", "\"s3://a\"", "\"s3://b\""}, {"custom_properties.rows", "7", nullopt}
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ml_metadata/proto/metadata_store.pb.h"
#include "store/catalog.h"
#include "store/traits.h"

namespace pedigree {

struct FieldDifference {
  // "type", "type.version", "uri", "state" or "last_known_state", "properties.<name>",
  // "custom_properties.<name>".
  std::string field;
  // As JSON; unset where the node has no such field.
  std::optional<std::string> a;
  std::optional<std::string> b;

  friend bool operator==(const FieldDifference&, const FieldDifference&) = default;
};

// The differences in the order of the fields above, properties by name. Messages are wire bytes as
// stored. REQUIRES: `kind` is not kContext.
// DataLoss if the bytes are no message.
absl::StatusOr<std::vector<FieldDifference>> DifferencesOf(const Catalog& catalog, NodeKind kind,
                                                           absl::string_view message_a,
                                                           absl::string_view message_b);

// A property's value as JSON: numbers (of int64 all digits), text, true, the JSON of a struct or of
// an Any whose type is known here. What JSON cannot hold is {"@type":...,"value":<base64>}; a value
// without a kind is null. Equal values have equal text; so have 5 and 5.0.
std::string JsonOf(const ml_metadata::Value& value);

}  // namespace pedigree
