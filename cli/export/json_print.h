// Prints a message as JSON from its wire bytes, field by field as they come, without parsing it.
//
// Names are the fields' own; a field is there if and only if it is in the bytes, so presence is
// kept. The bytes must be as this project stores messages: fields ascending, entries of maps in the
// order of their keys. google.protobuf.Any, Struct and Timestamp are messages like any other:
// nothing is lost, and no type need be known. JSONL.md has the rules for readers.
// Pure functions; any thread.
//
//   PrintJson(MessageTable::Of(*Artifact::descriptor()), bytes, &out);   // {"id":"7","uri":"s3"}
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "cli/export/message_table.h"

namespace pedigree::cli {

// Errors: DataLoss if the bytes are no such message, or have a field that it has not.
absl::Status PrintJson(const MessageTable& table, absl::string_view bytes, std::string* out);

}  // namespace pedigree::cli
