// What has changed since an entry of the journal, for exports of what is new.
//
// A pure function over a Reader; threads as the Reader.
//
//   auto changes = ReadChanges(reader, 17);   // of the entries from 18 on
#pragma once

#include <array>
#include <cstdint>

#include "absl/status/statusor.h"
#include "store/id_bitmap.h"
#include "store/reader.h"

namespace pedigree {

struct JournalledChanges {
  // Created, updated, or in another context than before. By IndexOf(kind).
  std::array<IdBitmap, 3> nodes;
  IdBitmap cache_entries;   // By execution.
  int64_t first_event = 0;  // The first new one; one more than the last there is if none is.
  int64_t first_task = 0;   // The same.
};

// Errors: InvalidArgument if the journal has no such entry; FailedPrecondition if it has been off
// after it; as Reader.
absl::StatusOr<JournalledChanges> ReadChanges(const Reader& reader, int64_t since_sequence);

}  // namespace pedigree
