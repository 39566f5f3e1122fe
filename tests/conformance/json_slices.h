// Cuts a JSON object's text into its members without reading their values.
//
// A transcript's requests and answers are read by protobuf's own JSON parser, which wants text. A
// general JSON reader in between would have to keep every digit of every number; cutting the text
// keeps it as it was recorded. What is inside a value is checked by whoever parses it.
//
// Threading: free functions without state. The results point into `text`, which must outlive them.
//
// Example:
//   auto members = SliceObject(R"({"rpc": "GetTypes", "request": {"id": "7"}})");
//   // {"rpc", "\"GetTypes\""}, {"request", "{\"id\": \"7\"}"}
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pedigree::conformance {

// A member's name, without quotes, and its value's text.
using JsonMember = std::pair<absl::string_view, absl::string_view>;

// InvalidArgument: `text` is not one object, or a name contains an escape.
absl::StatusOr<std::vector<JsonMember>> SliceObject(absl::string_view text);

// The texts of an array's elements. InvalidArgument: `text` is not one array.
absl::StatusOr<std::vector<absl::string_view>> SliceArray(absl::string_view text);

// The content of a JSON string without escapes: `"OK"` -> `OK`. InvalidArgument: `text` is none.
absl::StatusOr<std::string> PlainString(absl::string_view text);

}  // namespace pedigree::conformance
