// Reads JSON as json_print.h prints it, back to wire bytes.
//
// Pure functions; any thread.
//
//   auto bytes = ReadJson(MessageTable::Of(*Artifact::descriptor()), json);
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/export/message_table.h"

namespace pedigree::cli {

// In the order of the text, as printed.
using Json = nlohmann::ordered_json;

// The JSON of a text; InvalidArgument, with the place, if it is none.
absl::StatusOr<Json> ParseJson(absl::string_view text);

// The message's bytes. Errors: InvalidArgument naming the field that does not fit.
absl::StatusOr<std::string> ReadJson(const MessageTable& table, const Json& json);

}  // namespace pedigree::cli
