#include "store/journal.h"

#include <google/protobuf/stubs/common.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/codec.h"

namespace pedigree {
namespace {

constexpr int kActionsPerKind = 4;
constexpr auto kLastKind = static_cast<int>(ChangedKind::kCacheEntry);

void AppendSized(std::string* out, absl::string_view bytes) {
  AppendVarint(out, bytes.size());
  out->append(bytes.data(), bytes.size());
}

bool ReadSized(ByteReader* reader, absl::string_view* bytes) {
  uint64_t size = 0;
  return reader->ReadVarint(&size) && reader->ReadBytes(size, bytes);
}

bool ReadNumber(ByteReader* reader, int64_t* id) {
  uint64_t value = 0;
  if (!reader->ReadVarint(&value)) return false;
  if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return false;
  *id = static_cast<int64_t>(value);
  return true;
}

bool ReadChange(ByteReader* reader, JournalChange* change) {
  uint8_t what = 0;
  if (!reader->ReadU8(&what)) return false;
  const int kind = what / kActionsPerKind;
  const int action = what % kActionsPerKind;
  if (kind < 1 || kind > kLastKind || action == 0) return false;
  *change = {};
  change->kind = static_cast<ChangedKind>(kind);
  change->action = static_cast<ChangeAction>(action);
  const bool is_event = change->kind == ChangedKind::kEvent;
  if (!ReadNumber(reader, &change->id)) return false;
  if (is_event || IsMembership(change->kind)) {
    if (!ReadNumber(reader, &change->other_id)) return false;
  }
  if (is_event && !reader->ReadU8(&change->event_type)) return false;
  return (!change->has_before() || reader->ReadBytes(kSha256Bytes, &change->digest_before)) &&
         (!change->has_after() || reader->ReadBytes(kSha256Bytes, &change->digest_after)) &&
         (!change->has_image() || ReadSized(reader, &change->before_image));
}

}  // namespace

std::string OriginText(absl::string_view text) {
  std::string result(text.substr(0, kMaxOriginBytes));
  const bool is_utf8 = google::protobuf::internal::IsStructurallyValidUTF8(
      result.data(), static_cast<int>(result.size()));
  for (char& c : result) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !is_utf8)) c = '?';
  }
  return result;
}

void JournalChange::AppendTo(std::string* changes) const {
  AppendU8(changes, static_cast<uint8_t>(static_cast<int>(kind) * kActionsPerKind +
                                         static_cast<int>(action)));
  AppendVarint(changes, static_cast<uint64_t>(id));
  const bool is_event = kind == ChangedKind::kEvent;
  if (is_event || IsMembership(kind)) AppendVarint(changes, static_cast<uint64_t>(other_id));
  if (is_event) AppendU8(changes, event_type);
  changes->append(digest_before.data(), digest_before.size());
  changes->append(digest_after.data(), digest_after.size());
  if (has_image()) AppendSized(changes, before_image);
}

bool JournalEntry::Decode(int64_t sequence, absl::string_view bytes, JournalEntry* out) {
  *out = {};
  out->sequence = sequence;
  out->bytes = bytes;
  ByteReader reader(bytes);
  if (!reader.ReadBytes(kSha256Bytes, &out->previous_hash) || !reader.ReadTime(&out->time_ms) ||
      !ReadSized(&reader, &out->tls_identity) || !ReadSized(&reader, &out->declared_principal) ||
      !ReadSized(&reader, &out->peer) || !ReadSized(&reader, &out->method)) {
    return false;
  }
  out->changes = reader.rest();
  JournalChange change;
  while (!reader.AtEnd()) {
    if (!ReadChange(&reader, &change)) return false;
  }
  return true;
}

void JournalEntry::VisitChanges(absl::FunctionRef<bool(const JournalChange& change)> visit) const {
  ByteReader reader(changes);
  JournalChange change;
  while (!reader.AtEnd() && ReadChange(&reader, &change)) {
    if (!visit(change)) return;
  }
}

std::string JournalHead::Encode() const {
  std::string bytes;
  AppendId(&bytes, sequence);
  AppendTime(&bytes, time_ms);
  AppendU8(&bytes, static_cast<uint8_t>(mode));
  AppendDigest(&bytes, hash);
  return bytes;
}

bool JournalHead::Decode(absl::string_view bytes, JournalHead* out) {
  ByteReader reader(bytes);
  uint8_t mode = 0;
  absl::string_view hash;
  if (!reader.ReadId(&out->sequence) || !reader.ReadTime(&out->time_ms) || !reader.ReadU8(&mode) ||
      !reader.ReadBytes(kSha256Bytes, &hash) || !reader.AtEnd()) {
    return false;
  }
  if (out->sequence < 0 || mode < 1 || mode > static_cast<uint8_t>(Mode::kOff)) return false;
  out->mode = static_cast<Mode>(mode);
  hash.copy(out->hash.data(), kSha256Bytes);
  return true;
}

void EncodeJournalEntry(const CallOrigin& origin, int64_t time_ms, absl::string_view changes,
                        JournalHead* head, std::string* bytes) {
  bytes->clear();
  AppendDigest(bytes, head->hash);
  AppendTime(bytes, time_ms);
  AppendSized(bytes, origin.tls_identity);
  AppendSized(bytes, origin.declared_principal);
  AppendSized(bytes, origin.peer);
  AppendSized(bytes, origin.method);
  bytes->append(changes.data(), changes.size());
  ++head->sequence;
  head->time_ms = time_ms;
  head->hash = Sha256(*bytes);
}

void AppendEntryToChunk(absl::string_view entry, std::string* chunk) { AppendSized(chunk, entry); }

bool VisitJournalChunk(int64_t first, absl::string_view chunk,
                       absl::FunctionRef<bool(int64_t sequence, absl::string_view entry)> visit) {
  ByteReader reader(chunk);
  if (reader.AtEnd()) return false;
  for (int64_t sequence = first; !reader.AtEnd(); ++sequence) {
    absl::string_view entry;
    if (!ReadSized(&reader, &entry)) return false;
    if (!visit(sequence, entry)) return true;
  }
  return true;
}

void JournalChain::AddChunk(int64_t first, absl::string_view chunk, Problem problem) {
  if (!has_begun_) {
    has_begun_ = true;
    sequence_ = std::min(first, begins_at_) - 1;
    is_hash_known_ = sequence_ == 0;
  }
  if (first != sequence_ + 1) {
    if (first <= sequence_) {
      problem(absl::StrCat("entry ", first, ": it stands there twice"));
    } else if (is_number_known_) {
      problem(absl::StrCat("entries ", sequence_ + 1, " to ", first - 1, ": missing"));
    }
    is_hash_known_ = false;
    sequence_ = first - 1;
  }
  is_number_known_ =
      VisitJournalChunk(first, chunk, [&](int64_t sequence, absl::string_view entry) {
        AddEntry(sequence, entry, problem);
        return true;
      });
  if (is_number_known_) return;
  problem(absl::StrCat("entry ", sequence_ + 1, ": it does not decode"));
  is_hash_known_ = false;
}

void JournalChain::AddEntry(int64_t sequence, absl::string_view bytes, Problem problem) {
  JournalEntry entry;
  if (!JournalEntry::Decode(sequence, bytes, &entry)) {
    problem(absl::StrCat("entry ", sequence, ": it does not decode"));
  } else {
    if (is_hash_known_ && entry.previous_hash != ToView(hash_)) {
      problem(sequence == 1
                  ? std::string("entry 1: it names one before it")
                  : absl::StrCat("entry ", sequence - 1, ": its hash is not the one that entry ",
                                 sequence, " names"));
    }
    if (entry.time_ms < time_ms_) {
      problem(absl::StrCat("entry ", sequence, ": it is older than the one before"));
    }
    time_ms_ = entry.time_ms;
    is_off_ = entry.method == kJournalOffMethod;
  }
  // Also of bytes that are no entry: what they were, the next one knows.
  sequence_ = sequence;
  hash_ = Sha256(bytes);
  is_hash_known_ = true;
}

void JournalChain::End(const JournalHead& head, Problem problem) {
  if (head.sequence != sequence_) {
    problem(absl::StrCat("the journal ends with entry ", sequence_, ", and its last is said to be ",
                         head.sequence));
  } else if (is_hash_known_ && head.hash != hash_) {
    problem(
        absl::StrCat("entry ", sequence_, ": its hash is not the one that is kept of the last"));
  } else if (sequence_ > 0 && is_hash_known_ && time_ms_ != INT64_MIN &&
             (head.time_ms != time_ms_ || (head.mode == JournalHead::Mode::kOff) != is_off_)) {
    problem("journal_head: it is not that of the last entry");
  }
}

}  // namespace pedigree
