// Reads of the journal.
#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/keys.h"
#include "store/reader.h"

namespace pedigree {
namespace {

absl::Status DamagedEntries(int64_t from) {
  return absl::DataLossError(absl::StrCat("the journal does not decode from entry ", from,
                                          " on; the store is damaged: restore a backup"));
}

}  // namespace

absl::Status Reader::VisitJournalChunks(int64_t from, Direction direction,
                                        VisitJournalPart visit) const {
  bool damaged = false;
  const auto scan = [&](const KeyRange& range, Direction way, VisitJournalPart found) {
    absl::Status status = Scan(range, way, [&](absl::string_view key, absl::string_view value) {
      JournalKey head = {};
      damaged = !JournalKey::Decode(key, &head);
      return !damaged && found(head.sequence, value);
    });
    if (!status.ok()) return status;
    return damaged ? absl::DataLossError(
                         "a key of the journal does not decode; the store is "
                         "damaged: restore a backup")
                   : absl::OkStatus();
  };
  const KeyRange all = PrefixRange(KeyHead(Tag::kJournal));
  // Those that begin at `from` or before.
  const KeyRange until = {all.begin, JournalKey{from}.Encode() + '\0'};
  if (direction == Direction::kDescending) return scan(until, direction, visit);
  int64_t first = from;
  absl::Status status = scan(until, Direction::kDescending, [&](int64_t begin, absl::string_view) {
    first = begin;
    return false;
  });
  if (!status.ok()) return status;
  return scan({JournalKey{first}.Encode(), all.end}, direction, visit);
}

absl::Status Reader::VisitJournal(int64_t from, Direction direction,
                                  VisitJournalEntry visit) const {
  const bool ascends = direction == Direction::kAscending;
  std::vector<JournalEntry> entries;  // Of one chunk.
  absl::Status inner;
  absl::Status status =
      VisitJournalChunks(from, direction, [&](int64_t first, absl::string_view chunk) {
        entries.clear();
        bool is_entry = true;
        const bool is_chunk =
            VisitJournalChunk(first, chunk, [&](int64_t sequence, absl::string_view bytes) {
              is_entry = JournalEntry::Decode(sequence, bytes, &entries.emplace_back());
              return is_entry;
            });
        inner = is_chunk && is_entry ? Spend(static_cast<int64_t>(entries.size()))
                                     : DamagedEntries(first);
        if (!inner.ok()) return false;
        if (!ascends) std::reverse(entries.begin(), entries.end());
        for (const JournalEntry& entry : entries) {
          if (ascends ? entry.sequence < from : entry.sequence > from) continue;
          if (!visit(entry)) return false;
        }
        return true;
      });
  return status.ok() ? inner : status;
}

}  // namespace pedigree
