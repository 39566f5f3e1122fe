// Messages as JSON, the same text for the same message: entries of maps come by their keys.
//
// Names are those of the .proto; 64-bit integers are strings, as protobuf's JSON has them.
// Threads: free functions, any.
//
//   absl::StatusOr<std::string> json = ToJson(artifact, JsonLines::kMany);
#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pedigree::cli {

enum class JsonLines : uint8_t { kOne, kMany };

// Internal if the message cannot be shown: it has an Any of a type that this program does not know.
absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message, JsonLines lines);

// A text in quotes.
std::string JsonText(absl::string_view text);

}  // namespace pedigree::cli
