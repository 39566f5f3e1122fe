// The journal: what a request changes is encoded as it is written, and becomes its entry when the
// request has gone well.
#include <utility>

#include "store/keys.h"
#include "store/transaction.h"

namespace pedigree {
namespace {

// A chunk that has become so large is not added to: readers take one as a whole.
constexpr size_t kChunkBytes = size_t{64} << 10;

}  // namespace

// Whether changes are to be encoded. That there are some counts in any case.
bool Transaction::NotesChanges() {
  has_changes_ = true;
  return journal_mode_ == JournalMode::kOn;
}

void Transaction::JournalCreated(ChangedKind kind, int64_t id, absl::string_view after) {
  if (!NotesChanges()) return;
  const Sha256Digest digest = Sha256(after);
  JournalChange change;
  change.kind = kind;
  change.id = id;
  change.digest_after = ToView(digest);
  change.AppendTo(&changes_);
}

void Transaction::JournalUpdated(ChangedKind kind, int64_t id, absl::string_view before,
                                 absl::string_view after) {
  if (!NotesChanges()) return;
  const Sha256Digest digest_before = Sha256(before);
  const Sha256Digest digest_after = Sha256(after);
  JournalChange change;
  change.kind = kind;
  change.action = ChangeAction::kUpdated;
  change.id = id;
  change.digest_before = ToView(digest_before);
  change.digest_after = ToView(digest_after);
  change.before_image = before;
  change.AppendTo(&changes_);
}

void Transaction::JournalEvent(const ml_metadata::Event& event, absl::string_view after) {
  if (!NotesChanges()) return;
  const Sha256Digest digest = Sha256(after);
  JournalChange change;
  change.kind = ChangedKind::kEvent;
  change.id = event.artifact_id();
  change.other_id = event.execution_id();
  change.event_type = static_cast<uint8_t>(event.type());
  change.digest_after = ToView(digest);
  change.AppendTo(&changes_);
}

void Transaction::JournalMembership(NodeKind member, int64_t id, int64_t context) {
  if (!NotesChanges()) return;
  JournalChange change;
  change.kind = ChangedMembership(member);
  change.id = id;
  change.other_id = context;
  change.AppendTo(&changes_);
}

void Transaction::FinishJournal() {
  if (!has_changes_) return;
  static const auto* const kNobody = new CallOrigin();
  using Mode = JournalHead::Mode;
  const Mode mode = journal_mode_ == JournalMode::kOn ? Mode::kOn : Mode::kOff;
  if (journal_.mode != mode) {
    CallOrigin journal;
    journal.method = mode == Mode::kOn ? kJournalOnMethod : kJournalOffMethod;
    journal_.mode = mode;
    AppendJournalEntry(journal, {});
  }
  if (mode == Mode::kOn) AppendJournalEntry(origin_ == nullptr ? *kNobody : *origin_, changes_);
}

void Transaction::AppendJournalEntry(const CallOrigin& origin, absl::string_view changes) {
  EncodeJournalEntry(origin, now_ms(), changes, &journal_, &journal_entry_);
  if (journal_chunks_.empty() || journal_chunks_.back().value.size() >= kChunkBytes) {
    journal_chunks_.push_back({JournalKey{journal_.sequence}.Encode(), {}});
  }
  std::string& chunk = journal_chunks_.back().value;
  const size_t before = chunk.size();
  AppendEntryToChunk(journal_entry_, &chunk);
  journal_bytes_ += chunk.size() - before;
}

}  // namespace pedigree
