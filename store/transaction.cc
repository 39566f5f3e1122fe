#include "store/transaction.h"

#include <algorithm>
#include <utility>

#include "store/codec.h"
#include "store/keys.h"

namespace pedigree {
void Transaction::BeginGroup(std::shared_ptr<const Catalog> catalog, const Counters& counters,
                             const JournalHead& journal, int64_t clock_ms) {
  view_ = engine_->CurrentView();
  catalog_ = std::move(catalog);
  group_begin_ = counters;
  counters_ = counters;
  journal_ = journal;
  counters_.last_time_ms = std::max(counters.last_time_ms, clock_ms);
}

void Transaction::BeginRequest() {
  request_writes_ = writes_.Mark();
  request_postings_ = postings_.Mark();
  request_events_ = events_.size();
  request_counters_ = counters_;
  request_catalog_ = catalog_;
  own_catalog_ = nullptr;
  cache_touched_.clear();
  cache_published_.clear();
  origin_ = nullptr;
  has_changes_ = false;
  changes_.clear();
  cache_imported_.clear();
}

void Transaction::RollBackRequest() {
  writes_.RollBack(request_writes_);
  postings_.RollBack(request_postings_);
  events_.resize(request_events_);
  counters_ = request_counters_;
  catalog_ = request_catalog_;
}

std::vector<Mutation> Transaction::GroupMutations() {
  std::vector<Mutation> mutations;
  writes_.AppendMutations(&mutations);
  for (const Mutation& mutation : mutations) {
    if (ContextCache::Covers(mutation.key)) contexts_.Forget(mutation.key);
  }
  postings_.AppendMutations(&mutations);
  if (mutations.empty()) return mutations;
  if (!events_.empty()) {
    event_log_key_ = EventLogKey{group_begin_.last_event_number + 1}.Encode();
    event_log_ = EncodeEventLog(events_);
    mutations.push_back({false, event_log_key_, event_log_});
  }
  if (!journal_chunks_.empty()) {
    for (const JournalChunk& chunk : journal_chunks_) {
      mutations.push_back({false, chunk.key, chunk.value});
    }
    journal_head_key_ = JournalHeadKey().Encode();
    journal_head_value_ = journal_.Encode();
    mutations.push_back({false, journal_head_key_, journal_head_value_});
  }
  counters_key_ = CountersKey().Encode();
  counters_value_ = counters_.Encode();
  mutations.push_back({false, counters_key_, counters_value_});
  return mutations;
}

void Transaction::EndGroup(bool stored) {
  writes_.Clear();
  events_.clear();
  journal_chunks_.clear();
  journal_bytes_ = 0;
  if (stored) {
    postings_.Commit();
  } else {
    postings_.Forget();
  }
  view_.reset();
}

Catalog* Transaction::MutableCatalog() {
  if (own_catalog_ == nullptr) {
    auto copy = std::make_shared<Catalog>(*catalog_);
    own_catalog_ = copy.get();
    catalog_ = std::move(copy);
  }
  return own_catalog_;
}

absl::StatusOr<std::optional<std::string>> Transaction::Get(const std::string& key) const {
  const WriteSet::Found found = writes_.Find(key);
  switch (found.state) {
    case WriteSet::State::kValue:
      return std::optional<std::string>(std::string(found.value));
    case WriteSet::State::kDeleted:
      return std::nullopt;
    case WriteSet::State::kUnknown:
      break;
  }
  if (!ContextCache::Covers(key)) return view_->Get(key, Blocking::kAllowed);
  if (const std::string* cached = contexts_.Find(key)) return std::optional<std::string>(*cached);
  auto value = view_->Get(key, Blocking::kAllowed);
  if (value.ok() && value->has_value()) contexts_.Remember(key, **value);
  return value;
}

absl::Status Transaction::VisitEntries(const KeyRange& range, VisitEntry visit) const {
  const auto& own = writes_.ordered_keys();
  auto next = own.lower_bound(range.begin);
  bool goes_on = true;
  // Visits what the group says of keys before `end`.
  const auto visit_own = [&](absl::string_view end) {
    for (; goes_on && next != own.end() && (end.empty() || *next < end); ++next) {
      const WriteSet::Found found = writes_.Find(*next);
      if (found.state == WriteSet::State::kValue) goes_on = visit(*next, found.value);
    }
  };
  absl::Status status = view_->Scan(range, Direction::kAscending, Blocking::kAllowed,
                                    [&](absl::string_view key, absl::string_view value) {
                                      visit_own(key);
                                      if (!goes_on) return false;
                                      // What the group says of this key comes up next.
                                      if (next != own.end() && *next == key) return true;
                                      goes_on = visit(key, value);
                                      return goes_on;
                                    });
  if (status.ok() && goes_on) visit_own(range.end);
  return status;
}

absl::Status Transaction::ChangePosting(const std::string& prefix, int64_t id,
                                        PostingSet::Change change) {
  std::string key = prefix;
  AppendId(&key, BlockOf(id));
  if (!postings_.IsLoaded(key)) {
    auto bytes = view_->Get(key, Blocking::kAllowed);
    if (!bytes.ok()) return bytes.status();
    IdSet set;
    if (bytes->has_value() && !IdSet::Decode(**bytes, &set)) {
      return absl::DataLossError("a posting list does not decode; the store is damaged");
    }
    postings_.Load(key, set);
  }
  postings_.Apply(key, OffsetOf(id), change);
  return absl::OkStatus();
}

}  // namespace pedigree
