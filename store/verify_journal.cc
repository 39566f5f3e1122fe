// Verify: the journal. Its head comes up before its entries, and those in their order.
#include "store/verifier.h"

namespace pedigree {

void Verifier::CheckJournalHead(absl::string_view value) {
  if (!JournalHead::Decode(value, &journal_head_)) Problem("journal_head does not decode");
}

void Verifier::CheckJournal(absl::string_view key, absl::string_view value) {
  JournalKey head = {};
  if (!JournalKey::Decode(key, &head) || head.sequence < 1) {
    ForeignKey(key);
    return;
  }
  journal_.AddChunk(head.sequence, value,
                    [this](const std::string& text) { Problem("journal: ", text); });
  report_.journal_entries = journal_.sequence();
}

void Verifier::EndJournal() {
  journal_.End(journal_head_, [this](const std::string& text) { Problem("journal: ", text); });
}

}  // namespace pedigree
