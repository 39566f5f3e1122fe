// Entries of the journal as messages of pedigree.v1.AuditService. Pure functions; any thread.
//
//   *response.add_entries() = MessageOf(entry, BeforeImages::kNone);
#pragma once

#include "pedigree/v1/audit.pb.h"
#include "store/journal.h"

namespace pedigree {

enum class BeforeImages : uint8_t { kNone, kAll };

v1::JournalEntry MessageOf(const JournalEntry& entry, BeforeImages images);

}  // namespace pedigree
