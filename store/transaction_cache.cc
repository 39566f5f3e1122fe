// The cache of steps: entries, which follow their executions, and leases.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/codec.h"
#include "store/ids.h"
#include "store/keys.h"
#include "store/transaction.h"

namespace pedigree {
namespace {

// Leases that a grant looks at, and after how long one that ran out is removed.
constexpr int kSweepsPerGrant = 4;
constexpr int64_t kKeepLeaseMs = 24 * 60 * 60 * 1000;

}  // namespace

absl::Status Transaction::FinishRequest() {
  for (int64_t execution : SortedOnce(cache_touched_)) {
    if (absl::Status status = UpdateCacheEntry(execution); !status.ok()) return status;
  }
  FinishJournal();
  return absl::OkStatus();
}

void Transaction::TouchCacheEntryIfAny(NodeKind kind, int64_t id, const NodeRecord& record) {
  if (kind != NodeKind::kExecution) return;
  if (CacheFactsOf(record.message()).has_value()) TouchCacheEntry(id);
}

absl::Status Transaction::UpdateCacheEntry(int64_t execution) {
  auto record = FindRecord(NodeKind::kExecution, execution);
  if (!record.ok()) return record.status();
  auto old = FindCacheEntry(execution);
  if (!old.ok()) return old.status();
  const auto facts =
      record->has_value() ? CacheFactsOf((*record)->message()) : std::optional<CacheFacts>();
  if (!facts.has_value()) {
    ReplaceCacheEntry(execution, *old, std::nullopt);
    return absl::OkStatus();
  }
  auto entry = MakeCacheEntry(execution, **record, *facts, *old);
  if (!entry.ok()) return entry.status();
  const bool is_published =
      std::any_of(cache_published_.begin(), cache_published_.end(),
                  [&](const CachePublish& one) { return one.execution == execution; });
  if (is_published) JournalCacheEntry(execution, *old, *entry);
  ReplaceCacheEntry(execution, *old, *std::move(entry));
  return absl::OkStatus();
}

absl::StatusOr<CacheEntry> Transaction::MakeCacheEntry(int64_t execution, const NodeRecord& record,
                                                       const CacheFacts& facts,
                                                       const std::optional<CacheEntry>& old) const {
  const auto published =
      std::find_if(cache_published_.rbegin(), cache_published_.rend(),
                   [&](const CachePublish& one) { return one.execution == execution; });
  const bool is_published = published != cache_published_.rend();
  CacheEntry entry;
  entry.fingerprint_text = FingerprintText(facts.fingerprint);
  const bool stays_invalidated = !is_published && old.has_value() &&
                                 old->cache_class == CacheClass::kInvalidated &&
                                 old->fingerprint_text == entry.fingerprint_text;
  CachePlace place;
  if (is_published) {
    place = published->place;
  } else if (old.has_value() && old->is_explicit) {
    place = {old->name_space, old->pipeline};
  } else {
    auto derived = DeriveCachePlace(*this, execution, record, facts);
    if (!derived.ok()) return derived.status();
    place = *std::move(derived);
  }
  entry.is_explicit = is_published || (old.has_value() && old->is_explicit);
  entry.name_space = std::move(place.name_space);
  entry.pipeline = std::move(place.pipeline);

  entry.cache_class = facts.is_complete ? CacheClass::kLive : CacheClass::kNotComplete;
  if (stays_invalidated) entry.cache_class = CacheClass::kInvalidated;
  if (!facts.is_complete) return entry;
  auto origin = FindOriginRun(*this, execution, facts);
  if (!origin.ok()) return origin.status();
  if (origin->has_value()) {
    entry.completed_ms = (*origin)->completed_ms;
    entry.run_ms = (*origin)->run_ms;
    return entry;
  }
  const bool begins_anew =
      is_published && old.has_value() && old->cache_class == CacheClass::kInvalidated;
  if (old.has_value() && old->completed_ms > 0 && !begins_anew) {
    entry.completed_ms = old->completed_ms;
    entry.run_ms = old->run_ms;
    return entry;
  }
  const auto imported = cache_imported_.find(execution);
  const int64_t completed_ms = imported == cache_imported_.end() ? now_ms() : imported->second;
  entry.completed_ms = std::max<int64_t>(completed_ms, 1);  // 0 is not complete.
  const int64_t ran_ms = is_published ? published->run_ms : completed_ms - facts.create_time_ms;
  entry.run_ms = std::max<int64_t>(ran_ms, 0);
  return entry;
}

// Entries that only follow their executions are not noted: those are.
void Transaction::JournalCacheEntry(int64_t execution, const std::optional<CacheEntry>& old,
                                    const CacheEntry& entry) {
  if (!old.has_value()) {
    JournalCreated(ChangedKind::kCacheEntry, execution, entry.Encode());
  } else if (*old != entry) {
    JournalUpdated(ChangedKind::kCacheEntry, execution, old->Encode(), entry.Encode());
  }
}

void Transaction::ReplaceCacheEntry(int64_t execution, const std::optional<CacheEntry>& old,
                                    const std::optional<CacheEntry>& entry) {
  if (old == entry) return;
  const std::string old_key = old.has_value() ? old->LookupKey(execution) : "";
  const std::string new_key = entry.has_value() ? entry->LookupKey(execution) : "";
  if (old.has_value() && old_key != new_key) writes_.Delete(old_key);
  if (!entry.has_value()) {
    writes_.Delete(CacheEntryKey{execution}.Encode());
    return;
  }
  writes_.Put(CacheEntryKey{execution}.Encode(), entry->Encode());
  writes_.Put(new_key, entry->LookupValue());
}

void Transaction::PublishCacheEntry(int64_t execution, CachePlace place, int64_t run_ms) {
  cache_published_.push_back({execution, std::move(place), run_ms});
  TouchCacheEntry(execution);
}

absl::StatusOr<bool> Transaction::InvalidateCacheEntry(int64_t execution) {
  auto old = FindCacheEntry(execution);
  if (!old.ok()) return old.status();
  if (!old->has_value() || (*old)->cache_class == CacheClass::kInvalidated) return false;
  CacheEntry entry = **old;
  entry.cache_class = CacheClass::kInvalidated;
  JournalCacheEntry(execution, *old, entry);
  ReplaceCacheEntry(execution, *old, entry);
  return true;
}

absl::StatusOr<CacheLease> Transaction::GrantCacheLease(const CacheLeaseKey& key,
                                                        absl::string_view owner, int64_t lease_ms) {
  const std::string token_key = CacheTokenKey().Encode();
  auto bytes = Get(token_key);
  if (!bytes.ok()) return bytes.status();
  CacheLease lease;
  if (bytes->has_value() && !ByteReader(**bytes).ReadBe64(&lease.token)) {
    return absl::DataLossError("the last fencing token does not decode; the store is damaged");
  }
  ++lease.token;
  lease.owner = std::string(owner);
  lease.granted_ms = now_ms();
  lease.Renew(*cache_, lease_ms);
  std::string token;
  AppendBe64(&token, lease.token);
  writes_.Put(token_key, token);
  PutCacheLease(key, lease);
  if (absl::Status status = SweepCacheLeases(); !status.ok()) return status;
  return lease;
}

void Transaction::PutCacheLease(const CacheLeaseKey& key, const CacheLease& lease) {
  writes_.Put(key.Encode(), lease.Encode());
}

void Transaction::DeleteCacheLease(const CacheLeaseKey& key) { writes_.Delete(key.Encode()); }

absl::Status Transaction::SweepCacheLeases() {
  KeyRange range = PrefixRange(KeyHead(Tag::kCacheLease));
  if (sweep_from_ > range.begin) range.begin = sweep_from_;
  sweep_from_.clear();  // From the start, unless there is more.
  int left = kSweepsPerGrant;
  return view_->Scan(range, Direction::kAscending, Blocking::kAllowed,
                     [&](absl::string_view key, absl::string_view value) {
                       if (left-- == 0) {
                         sweep_from_ = std::string(key);
                         return false;
                       }
                       CacheLease lease;
                       // One that this group has written is not old.
                       if (writes_.Find(key).state == WriteSet::State::kUnknown &&
                           CacheLease::Decode(value, &lease) &&
                           lease.LeftMs(*cache_) < -kKeepLeaseMs) {
                         writes_.Delete(key);
                       }
                       return true;
                     });
}

absl::Status Transaction::VisitEventsOfExecution(
    int64_t execution, absl::FunctionRef<void(absl::string_view event)> visit) const {
  bool is_whole = true;
  absl::Status status =
      view_->Scan(PrefixRange(ExecutionEventsKey::Prefix(execution)), Direction::kAscending,
                  Blocking::kAllowed, [&](absl::string_view, absl::string_view chunk) {
                    is_whole = VisitChunk(chunk, [&](absl::string_view event) {
                      visit(event);
                      return true;
                    });
                    return is_whole;
                  });
  if (!status.ok()) return status;
  if (!is_whole) return absl::DataLossError("an event does not decode; the store is damaged");
  for (const NewEvent& event : events_) {  // Those of the group.
    if (event.ends.execution != execution) continue;
    const WriteSet::Found found =
        writes_.Find(ArtifactEventKey{event.ends.artifact, execution, event.ends.type}.Encode());
    ByteReader reader(found.value);
    uint64_t number = 0;
    if (!reader.ReadVarint(&number)) return absl::InternalError("an event has not been written");
    visit(reader.rest());
  }
  return absl::OkStatus();
}

absl::Status Transaction::VisitExecutionsOfArtifact(
    int64_t artifact, int64_t after, absl::FunctionRef<bool(int64_t execution)> visit) const {
  std::vector<int64_t> own;  // Of the group.
  for (const NewEvent& event : events_) {
    if (event.ends.artifact == artifact && event.ends.execution > after) {
      own.push_back(event.ends.execution);
    }
  }
  own = SortedOnce(own);
  auto next = own.begin();
  bool goes_on = true;
  int64_t last = after;
  const auto visit_one = [&](int64_t execution) {
    if (!goes_on || execution == last) return;
    last = execution;
    goes_on = visit(execution);
  };
  const KeyRange all = PrefixRange(ArtifactEventKey::Prefix(artifact));
  KeyRange range = {ArtifactEventKey{artifact, after + 1, 0}.Encode(), all.end};
  absl::Status status = view_->Scan(range, Direction::kAscending, Blocking::kAllowed,
                                    [&](absl::string_view key, absl::string_view) {
                                      ArtifactEventKey event = {};
                                      if (!ArtifactEventKey::Decode(key, &event)) return true;
                                      for (; next != own.end() && *next < event.execution; ++next) {
                                        visit_one(*next);
                                      }
                                      visit_one(event.execution);
                                      return goes_on;
                                    });
  next = std::upper_bound(next, own.end(), last);
  for (; status.ok() && next != own.end(); ++next) visit_one(*next);
  return status;
}

}  // namespace pedigree
