#include "server/export_changes.h"

#include <algorithm>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "store/codec.h"
#include "store/keys.h"

namespace pedigree {
namespace {

constexpr int64_t kNone = std::numeric_limits<int64_t>::max();

absl::Status WasOff(int64_t since_sequence) {
  return absl::FailedPreconditionError(
      absl::StrCat("the journal has been off after entry ", since_sequence,
                   ", so what is new since is not known: export everything"));
}

absl::StatusOr<int64_t> NumberOfEvent(const Reader& reader, const JournalChange& event) {
  const std::string key = ArtifactEventKey{event.id, event.other_id, event.event_type}.Encode();
  auto bytes = reader.view().Get(key, Blocking::kAllowed);
  if (!bytes.ok()) return bytes.status();
  uint64_t number = 0;
  if (!bytes->has_value() || !ByteReader(**bytes).ReadVarint(&number)) {
    return DamagedRecord("journalled event of artifact", event.id);
  }
  return static_cast<int64_t>(number);
}

class Changes {
 public:
  explicit Changes(const Reader& reader) : reader_(reader) {
    changes_.first_event = reader.version().counters.last_event_number + 1;
    changes_.first_task = kNone;
  }

  absl::Status Add(const JournalChange& change) {
    switch (change.kind) {
      case ChangedKind::kArtifact:
      case ChangedKind::kAttribution:
        changes_.nodes[IndexOf(NodeKind::kArtifact)].Insert(change.id);
        return absl::OkStatus();
      case ChangedKind::kExecution:
      case ChangedKind::kAssociation:
        changes_.nodes[IndexOf(NodeKind::kExecution)].Insert(change.id);
        return absl::OkStatus();
      case ChangedKind::kContext:
      case ChangedKind::kParentContext:
        changes_.nodes[IndexOf(NodeKind::kContext)].Insert(change.id);
        return absl::OkStatus();
      case ChangedKind::kEvent:
        return AddEvent(change);
      case ChangedKind::kTask:
        changes_.first_task = std::min(changes_.first_task, change.id);
        return absl::OkStatus();
      case ChangedKind::kCacheEntry:
        changes_.cache_entries.Insert(change.id);
        return absl::OkStatus();
      case ChangedKind::kArtifactType:
      case ChangedKind::kExecutionType:
      case ChangedKind::kContextType:
        break;
    }
    return absl::OkStatus();
  }

  JournalledChanges Release() { return std::move(changes_); }

 private:
  // Numbers ascend with the journal, so the first that comes is the least.
  absl::Status AddEvent(const JournalChange& change) {
    if (has_event_) return absl::OkStatus();
    const auto number = NumberOfEvent(reader_, change);
    if (!number.ok()) return number.status();
    has_event_ = true;
    changes_.first_event = *number;
    return absl::OkStatus();
  }

  const Reader& reader_;
  JournalledChanges changes_;
  bool has_event_ = false;
};

}  // namespace

absl::StatusOr<JournalledChanges> ReadChanges(const Reader& reader, int64_t since_sequence) {
  const JournalHead& head = reader.version().journal;
  if (since_sequence > head.sequence) {
    return absl::InvalidArgumentError(absl::StrCat(
        "since_sequence is ", since_sequence, ", but the journal ends with entry ", head.sequence));
  }
  if (head.mode == JournalHead::Mode::kOff) return WasOff(since_sequence);
  Changes changes(reader);
  absl::Status inner;
  absl::Status status = reader.VisitJournal(since_sequence + 1, Direction::kAscending,
                                            [&](const JournalEntry& entry) {
                                              if (IsJournalGap(entry.method)) {
                                                inner = WasOff(since_sequence);
                                                return false;
                                              }
                                              entry.VisitChanges([&](const JournalChange& change) {
                                                inner = changes.Add(change);
                                                return inner.ok();
                                              });
                                              return inner.ok();
                                            });
  if (status.ok()) status = inner;
  if (!status.ok()) return status;
  return changes.Release();
}

}  // namespace pedigree
