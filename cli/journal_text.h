// Entries of the journal, a line each. Threads: free functions, any.
//
//   Print(EntryLine(entry, Screen::OfStandardOutput()));
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "cli/text.h"
#include "pedigree/v1/audit.pb.h"

namespace pedigree::cli {

// "17  2026-11-29T07:05:12.250Z  PutExecution  alice, ipv4:127.0.0.1:50012  created execution:7,
// ..."
std::string EntryLine(const v1::JournalEntry& entry, const Screen& screen);

// "created execution:7", "created event artifact:9 -> execution:7 INPUT"
std::string ChangeText(const v1::Change& change);

// "artifact", "artifact-type", "attribution": what --kind takes. CHANGED_KIND_UNSPECIFIED for other
// names.
v1::ChangedKind ChangedKindOf(absl::string_view name);
std::string NameOfKind(v1::ChangedKind kind);

// Bytes in hexadecimal.
std::string HashText(absl::string_view hash);

}  // namespace pedigree::cli
