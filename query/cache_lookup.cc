#include "query/cache_lookup.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/event_graph.h"
#include "store/ids.h"
#include "store/wire.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Event;

bool IsOfClass(const CacheLookupKey& key, CacheClass cache_class) {
  return key.cache_class == static_cast<uint8_t>(cache_class);
}

absl::Status Damaged() {
  return absl::DataLossError(
      "an entry of the index cache_lookup does not decode; the store is damaged: restore a backup");
}

// The first entry in `range`; nullopt if there is none.
absl::StatusOr<std::optional<CachePlaceHead>> FirstIn(const Lookup& lookup, const KeyRange& range) {
  std::optional<CachePlaceHead> head;
  bool damaged = false;
  absl::Status status =
      lookup.VisitCacheLookups(range, [&](absl::string_view key, absl::string_view value) {
        CachePlaceHead found;
        size_t pair_size = 0;
        damaged = !CacheLookupKey::DecodeNumbers(key, &found.first, &pair_size) ||
                  !DecodeCacheRun(value, &found.run_ms);
        if (damaged) return false;
        found.pair = std::string(key.substr(0, pair_size));
        head = std::move(found);
        return false;
      });
  if (!status.ok()) return status;
  if (damaged) return Damaged();
  return head;
}

// The entry of the pair that comes after this one; nullopt if that is no live one any more.
absl::StatusOr<std::optional<CachePlaceHead>> NextOlder(const Lookup& lookup,
                                                        const CachePlaceHead& entry) {
  KeyRange range = PrefixRange(entry.pair);
  std::string after = entry.pair;
  AppendU8(&after, entry.first.cache_class);
  AppendTime(&after, ~entry.first.completed_ms);
  AppendId(&after, ~entry.first.execution + 1);
  range.begin = std::move(after);
  auto next = FirstIn(lookup, range);
  if (next.ok() && next->has_value() && !IsOfClass((*next)->first, CacheClass::kLive)) {
    return std::nullopt;
  }
  return next;
}

bool IsOlder(const CachePlaceHead& a, const CachePlaceHead& b) {
  return std::tie(a.first.completed_ms, a.first.execution) <
         std::tie(b.first.completed_ms, b.first.execution);
}

// The first output that is not live; 0 if all are.
absl::StatusOr<int64_t> FindDeadOutput(const Lookup& lookup, int64_t execution) {
  std::vector<int64_t> outputs;
  bool damaged = false;
  absl::Status status = lookup.VisitEventsOfExecution(execution, [&](absl::string_view bytes) {
    int64_t artifact = 0;
    uint64_t type = 0;
    WireCursor cursor(bytes);
    while (const auto field = cursor.Next()) {
      if (field->number == Event::kArtifactIdFieldNumber) artifact = field->AsInt64();
      if (field->number == Event::kTypeFieldNumber) type = field->scalar;
    }
    damaged = damaged || !cursor.ok() || type > 7;
    if (!damaged && EventEnds::IsOutput(static_cast<uint8_t>(type))) outputs.push_back(artifact);
  });
  if (!status.ok()) return status;
  if (damaged) return Damaged();
  for (int64_t id : SortedOnce(outputs)) {
    auto record = lookup.FindRecord(NodeKind::kArtifact, id);
    if (!record.ok()) return record.status();
    if (!record->has_value()) return id;
    const auto peek = PeekNode(NodeKind::kArtifact, (*record)->message());
    if (!peek.has_value()) return DamagedRecord("artifact", id);
    if (peek->state != Artifact::LIVE) return id;
  }
  return 0;
}

std::string Of(int64_t execution) { return absl::StrCat("execution ", execution); }

CacheAnswer Miss(CacheMissReason reason, int64_t execution, std::string detail) {
  CacheAnswer answer;
  answer.reason = reason;
  answer.execution = execution;
  answer.detail = std::move(detail);
  return answer;
}

int64_t AgeOf(const CacheQuestion& question, const CachePlaceHead& entry) {
  return std::max<int64_t>(question.now_ms - entry.first.completed_ms, 0);
}

// Nullopt if the entry is young enough.
std::optional<CacheAnswer> CheckStale(const CacheQuestion& question, const CachePlaceHead& entry) {
  const int64_t age = AgeOf(question, entry);
  if (IsFreshEnough(question.max_staleness_ms, age)) return std::nullopt;
  return Miss(CacheMissReason::kStale, entry.first.execution,
              absl::StrCat(Of(entry.first.execution), " is the newest, and completed ", age,
                           " ms ago; at most ", *question.max_staleness_ms, " ms are allowed"));
}

CacheAnswer Hit(const CacheQuestion& question, const CachePlaceHead& entry) {
  CacheAnswer answer;
  answer.is_hit = true;
  answer.execution = entry.first.execution;
  answer.completed_ms = entry.first.completed_ms;
  answer.run_ms = entry.run_ms;
  answer.age_ms = AgeOf(question, entry);
  return answer;
}

// The newest of the live entries whose outputs are live. `heads` has the newest of each pair.
absl::StatusOr<CacheAnswer> FindWithLiveOutputs(const Lookup& lookup, const CacheQuestion& question,
                                                std::vector<CachePlaceHead> heads) {
  std::make_heap(heads.begin(), heads.end(), IsOlder);
  CacheAnswer miss;
  for (int tries = 0; !heads.empty() && tries < kMostTries; ++tries) {
    std::pop_heap(heads.begin(), heads.end(), IsOlder);
    const CachePlaceHead entry = std::move(heads.back());
    heads.pop_back();
    if (auto stale = CheckStale(question, entry); stale.has_value()) {
      return tries == 0 ? *std::move(stale) : miss;
    }
    auto dead = FindDeadOutput(lookup, entry.first.execution);
    if (!dead.ok()) return dead.status();
    if (*dead == 0) return Hit(question, entry);
    if (tries == 0) {
      miss = Miss(CacheMissReason::kOutputNotLive, entry.first.execution,
                  absl::StrCat("output artifact ", *dead, " of ", Of(entry.first.execution),
                               " is not LIVE"));
    }
    auto next = NextOlder(lookup, entry);
    if (!next.ok()) return next.status();
    if (next->has_value()) {
      heads.push_back(**std::move(next));
      std::push_heap(heads.begin(), heads.end(), IsOlder);
    }
  }
  return miss;
}

// Why, where no entry of the scope is live. `best` is the first key of the scope's best class.
absl::StatusOr<CacheAnswer> ExplainMiss(const Lookup& lookup, const CacheQuestion& question,
                                        const std::optional<CachePlaceHead>& best) {
  if (best.has_value()) {
    const int64_t execution = best->first.execution;
    if (IsOfClass(best->first, CacheClass::kNotComplete)) {
      return Miss(CacheMissReason::kProducerNotComplete, execution,
                  absl::StrCat(Of(execution), " is neither COMPLETE nor CACHED"));
    }
    return Miss(CacheMissReason::kInvalidated, execution,
                absl::StrCat("the entry of ", Of(execution), " has been invalidated"));
  }
  if (question.scope != CacheScope::kAny) {
    auto other = FirstIn(lookup, PrefixRange(CacheLookupKey::Prefix(question.fingerprint_text)));
    if (!other.ok()) return other.status();
    if (other->has_value()) {
      return Miss(CacheMissReason::kOtherScope, (*other)->first.execution,
                  absl::StrCat(Of((*other)->first.execution), " has this fingerprint, in another ",
                               question.scope == CacheScope::kPipeline ? "namespace or pipeline"
                                                                       : "namespace"));
    }
  }
  return Miss(CacheMissReason::kNeverSeen, 0, "no execution has this fingerprint");
}

}  // namespace

std::string CacheScopePrefix(const CacheQuestion& question) {
  switch (question.scope) {
    case CacheScope::kPipeline:
      return CacheLookupKey::Prefix(question.fingerprint_text, question.name_space,
                                    question.pipeline);
    case CacheScope::kNamespace:
      return CacheLookupKey::Prefix(question.fingerprint_text, question.name_space);
    case CacheScope::kAny:
      break;
  }
  return CacheLookupKey::Prefix(question.fingerprint_text);
}

absl::Status VisitCachePlaces(const Lookup& lookup, const std::string& prefix, int64_t most_places,
                              absl::FunctionRef<bool(CachePlaceHead head)> visit) {
  KeyRange range = PrefixRange(prefix);
  for (int64_t places = 0; places < most_places; ++places) {
    auto head = FirstIn(lookup, range);
    if (!head.ok()) return head.status();
    if (!head->has_value()) return absl::OkStatus();
    const bool is_all = (*head)->pair == prefix;  // The prefix is a pair's, and there is no other.
    range.begin = PrefixRange((*head)->pair).end;
    if (!visit(**std::move(head)) || is_all) return absl::OkStatus();
  }
  return absl::ResourceExhaustedError(
      absl::StrCat("more than ", most_places,
                   " pipelines have entries of this fingerprint: ask in a smaller scope"));
}

absl::StatusOr<CacheAnswer> FindInCache(const Lookup& lookup, const CacheQuestion& question) {
  std::vector<CachePlaceHead>
      live;  // The newest of each pair; the newest of all where that will do.
  std::optional<CachePlaceHead> best;
  absl::Status status = VisitCachePlaces(
      lookup, CacheScopePrefix(question), question.most_places, [&](CachePlaceHead head) {
        if (!IsOfClass(head.first, CacheClass::kLive)) {
          if (!best.has_value() || head.first.cache_class < best->first.cache_class) {
            best = std::move(head);
          }
        } else if (live.empty() || question.require_live_outputs) {
          live.push_back(std::move(head));
        } else if (IsOlder(live[0], head)) {
          live[0] = std::move(head);
        }
        return true;
      });
  if (!status.ok()) return status;
  if (live.empty()) return ExplainMiss(lookup, question, best);
  if (question.require_live_outputs) {
    return FindWithLiveOutputs(lookup, question, std::move(live));
  }
  auto stale = CheckStale(question, live[0]);
  return stale.has_value() ? *std::move(stale) : Hit(question, live[0]);
}

}  // namespace pedigree
