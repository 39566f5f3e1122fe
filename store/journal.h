// The journal: one entry for each committed request that changed something, chained by SHA-256.
//
// Entries are numbered from 1 without gaps and written in the batch of what they tell of. Each
// begins with the SHA-256 of the one before; that of the last stands under a key of its own, so
// that no byte of the journal changes unnoticed. What a request changed is encoded while it runs
// (transaction_journal.cc), from bytes that it serialises anyway.
// Value types over owned or borrowed bytes; any thread.
//
//   reader.VisitJournal(1, Direction::kAscending, [](const JournalEntry& entry) {
//     entry.VisitChanges([](const JournalChange& change) { ... });
//     return true;
//   });
#pragma once

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "store/sha256.h"
#include "store/traits.h"

namespace pedigree {

// Whether requests are journalled.
enum class JournalMode : uint8_t { kOn, kOff };

// Who asks. Nobody checks what a client calls itself.
struct CallOrigin {
  std::string tls_identity = {};
  std::string declared_principal = {};
  std::string peer = {};
  absl::string_view method = {};  // "/package.Service/Method"; outlives this.
};

// The header in which a client says who it is, of gRPC and of HTTP.
inline constexpr char kPrincipalHeader[] = "pedigree-principal";

// `text` as an entry may hold it: UTF-8 without control characters, at most kMaxOriginBytes. What
// does not fit becomes '?'.
inline constexpr size_t kMaxOriginBytes = 256;
std::string OriginText(absl::string_view text);

// The methods of entries that tell of the journal itself and of no change: what happened between
// the first and the second of a pair is not in it.
inline constexpr absl::string_view kJournalOffMethod = "journal=off";
inline constexpr absl::string_view kJournalOnMethod = "journal=on";
inline bool IsJournalGap(absl::string_view method) {
  return method == kJournalOffMethod || method == kJournalOnMethod;
}

// Numbers are those of pedigree.v1.ChangedKind and ChangeAction, and part of the format.
enum class ChangedKind : uint8_t {
  kArtifactType = 1,
  kExecutionType = 2,
  kContextType = 3,
  kArtifact = 4,
  kExecution = 5,
  kContext = 6,
  kEvent = 7,
  kAttribution = 8,
  kAssociation = 9,
  kParentContext = 10,
  kTask = 11,
  kCacheEntry = 12,
};
enum class ChangeAction : uint8_t { kCreated = 1, kUpdated = 2, kDeleted = 3 };

constexpr ChangedKind ChangedNode(NodeKind kind) {
  return static_cast<ChangedKind>(static_cast<int>(ChangedKind::kArtifact) + IndexOf(kind));
}
constexpr ChangedKind ChangedType(NodeKind kind) {
  return static_cast<ChangedKind>(static_cast<int>(ChangedKind::kArtifactType) + IndexOf(kind));
}
constexpr ChangedKind ChangedMembership(NodeKind member) {
  return static_cast<ChangedKind>(static_cast<int>(ChangedKind::kAttribution) + IndexOf(member));
}
constexpr bool IsMembership(ChangedKind kind) {
  return kind >= ChangedKind::kAttribution && kind <= ChangedKind::kParentContext;
}

// change := what:u8 id:varint (other:varint)? (type:u8)? (before:u8{32})? (after:u8{32})?
//           (size:varint image)?
//   what    4 x kind + action
//   other   of an event and a membership only; type: of an event only
//   before  of what is updated or deleted, after: of what is created or updated; of a membership
//           neither. SHA-256 of the message as stored
//   image   of what is updated, but no membership: the message before
struct JournalChange {
  ChangedKind kind = ChangedKind::kArtifact;
  ChangeAction action = ChangeAction::kCreated;
  int64_t id = 0;        // Of an event its artifact, of a membership its member.
  int64_t other_id = 0;  // Of an event its execution, of a membership its context.
  uint8_t event_type = 0;
  // Digests of kSha256Bytes, empty where there is none.
  absl::string_view digest_before;
  absl::string_view digest_after;
  absl::string_view before_image;

  bool has_before() const { return !IsMembership(kind) && action != ChangeAction::kCreated; }
  bool has_after() const { return !IsMembership(kind) && action != ChangeAction::kDeleted; }
  bool has_image() const { return !IsMembership(kind) && action == ChangeAction::kUpdated; }

  void AppendTo(std::string* changes) const;
};

// entry := previous:u8{32} time:time (size:varint text){4} change{0..}
//   previous  SHA-256 of the entry before; of the first, zeros
//   the texts are tls_identity, declared_principal, peer and method
//
// A view: borrows its bytes.
struct JournalEntry {
  int64_t sequence = 0;
  absl::string_view bytes;  // All of it, as stored.
  absl::string_view previous_hash;
  int64_t time_ms = 0;
  absl::string_view tls_identity;
  absl::string_view declared_principal;
  absl::string_view peer;
  absl::string_view method;
  absl::string_view changes;

  Sha256Digest Hash() const { return Sha256(bytes); }

  // False if the bytes are no entry, with all its changes.
  static bool Decode(int64_t sequence, absl::string_view bytes, JournalEntry* out);
  // In the order in which they were made, until `visit` answers false.
  void VisitChanges(absl::FunctionRef<bool(const JournalChange& change)> visit) const;
};

// The end of the chain.
// journal_head := sequence:be64 time:time mode:u8 hash:u8{32}
struct JournalHead {
  int64_t sequence = 0;  // Of the last entry; 0 if there is none.
  int64_t time_ms = 0;
  // kUnknown: of a store that is older than the journal, or was imported: its first entry is to
  // say that there is something before it.
  enum class Mode : uint8_t { kUnknown = 0, kOn = 1, kOff = 2 };
  Mode mode = Mode::kUnknown;
  Sha256Digest hash = {};  // Of the last entry.

  std::string Encode() const;
  static bool Decode(absl::string_view bytes, JournalHead* out);
};

// Encodes the entry after `head`, and moves `head` to it. `bytes` is overwritten.
void EncodeJournalEntry(const CallOrigin& origin, int64_t time_ms, absl::string_view changes,
                        JournalHead* head, std::string* bytes);

// chunk := (size:varint entry){1..}
// The entries of one commit, or a part of them: a key of its own for each would cost as much as a
// node's.
void AppendEntryToChunk(absl::string_view entry, std::string* chunk);
// Calls visit for the entries as bytes, numbered from `first`, until it answers false. False if the
// bytes are no chunk.
bool VisitJournalChunk(int64_t first, absl::string_view chunk,
                       absl::FunctionRef<bool(int64_t sequence, absl::string_view entry)> visit);

// Follows the chain, chunk by chunk, and tells what does not fit.
class JournalChain {
 public:
  using Problem = absl::FunctionRef<void(std::string text)>;

  // From the first entry on.
  JournalChain() = default;
  // From the chunk on that has the entry `from`, whatever was before it.
  static JournalChain From(int64_t from) {
    JournalChain chain;
    chain.begins_at_ = from;
    return chain;
  }

  void AddChunk(int64_t first, absl::string_view chunk, Problem problem);
  // After the last chunk.
  void End(const JournalHead& head, Problem problem);

  // The last entry that was added, and its hash.
  int64_t sequence() const { return sequence_; }
  const Sha256Digest& hash() const { return hash_; }

 private:
  void AddEntry(int64_t sequence, absl::string_view bytes, Problem problem);

  int64_t begins_at_ = 1;
  bool has_begun_ = false;
  int64_t sequence_ = 0;
  Sha256Digest hash_ = {};
  bool is_hash_known_ = true;    // Not after something that is missing, nor before the first chunk.
  bool is_number_known_ = true;  // Not after something that could not be read.
  // Of the last entry that was read.
  int64_t time_ms_ = INT64_MIN;
  bool is_off_ = false;  // It tells that the journal has been turned off.
};

}  // namespace pedigree
