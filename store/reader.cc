#include "store/reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/codec.h"
#include "store/id_set.h"
#include "store/keys.h"

namespace pedigree {
namespace {

// Records are fetched in batches, so that a call of 100,000 ids holds few pinned blocks at once.
constexpr size_t kBatch = 256;
// What the few links of most records take; of others the rest is brought when it is read.
constexpr size_t kMostLinkBytes = 32;
// An execution's events beyond this are read from the store each time.
constexpr size_t kMostCachedEventBytes = 64 << 10;

absl::Status DamagedIndex(absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat("an entry of the index ", what,
                   " does not decode; the store is damaged: ", "restore a backup"));
}

absl::Status VisitEventsIn(absl::string_view chunks,
                           absl::FunctionRef<void(absl::string_view event)> visit) {
  const bool is_whole = VisitChunk(chunks, [&](absl::string_view event) {
    visit(event);
    return true;
  });
  return is_whole ? absl::OkStatus() : DamagedIndex("execution_events");
}

// The keys of `all` from `from` on, whatever the direction.
KeyRange RangeFrom(KeyRange all, std::string from, Direction direction) {
  if (direction == Direction::kAscending) {
    all.begin = std::move(from);
  } else {
    from.push_back('\0');  // The range excludes its end, and `from` itself belongs to it.
    all.end = std::move(from);
  }
  return all;
}

}  // namespace

bool VisitIds(const IdSet& set, int64_t block, int64_t from, Direction direction,
              absl::FunctionRef<bool(int64_t id)> visit) {
  if (direction == Direction::kAscending) {
    const int first = block == BlockOf(from) ? OffsetOf(from) : 0;
    for (int i = set.Next(first); i < kIdsPerBlock; i = set.Next(i + 1)) {
      if (!visit(IdOf(block, i))) return false;
    }
    return true;
  }
  const int first = block == BlockOf(from) ? OffsetOf(from) : static_cast<int>(kIdsPerBlock) - 1;
  for (int i = set.Previous(first); i >= 0; i = set.Previous(i - 1)) {
    if (!visit(IdOf(block, i))) return false;
  }
  return true;
}

absl::Status Reader::Scan(
    const KeyRange& range, Direction direction,
    absl::FunctionRef<bool(absl::string_view, absl::string_view)> visit) const {
  absl::Status spent = Spend(kScanVisits);
  if (!spent.ok()) return spent;
  absl::Status status =
      view().Scan(range, direction, blocking_, [&](absl::string_view key, absl::string_view value) {
        spent = Spend(1);
        return spent.ok() && visit(key, value);
      });
  return status.ok() ? spent : status;
}

// A reader that must not block has one slice only.
absl::Status Reader::NextSlice() const {
  if (blocking_ == Blocking::kCacheOnly) return WouldBlock();
  if (limits_.is_cancelled != nullptr && (*limits_.is_cancelled)()) {
    return absl::CancelledError("the client no longer waits");
  }
  query_visits_left_ -= kSlice - slice_left_;
  slice_left_ = kSlice;
  if (query_visits_left_ < 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("it takes more than ", limits_.max_query_visits, " steps"));
  }
  if (query_deadline_.has_value() && std::chrono::steady_clock::now() > *query_deadline_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("it takes more than ", limits_.max_query_time.count(), " ms"));
  }
  return absl::OkStatus();
}

void Reader::LimitQuery() const {
  if (blocking_ == Blocking::kCacheOnly) return;
  query_visits_left_ = limits_.max_query_visits;
  query_deadline_ = std::chrono::steady_clock::now() + limits_.max_query_time;
  slice_left_ = std::min(kSlice, limits_.max_query_visits);
}

void Reader::LiftQueryLimit() const {
  query_visits_left_ = kLastId;
  query_deadline_.reset();
}

absl::StatusOr<std::optional<std::string>> Reader::Get(const std::string& key) const {
  if (absl::Status status = Spend(1); !status.ok()) return status;
  NodeKey node = {};
  if (!NodeKey::Decode(key, &node)) return view().Get(key, blocking_);
  const RecordCache::Key cached_as = RecordCache::NodeOf(node.kind, node.id);
  if (const SharedBytes cached = FindCached(cached_as)) return std::string(cached.view());
  auto stored = view().Get(key, blocking_);
  if (stored.ok() && stored->has_value()) Remember(cached_as, **stored);
  return stored;
}

absl::Status Reader::VisitOneRecord(NodeKind kind, int64_t id, VisitRecord visit) const {
  auto record = FindRecord(kind, id);
  if (!record.ok()) return record.status();
  if (record->has_value()) visit(id, (*record)->view());
  return absl::OkStatus();
}

absl::StatusOr<SharedBytesList> Reader::FetchRecords(NodeKind kind, absl::Span<const int64_t> ids,
                                                     RecordPart part) const {
  std::array<RecordCache::Key, kBatch> cached_as;
  for (size_t i = 0; i < ids.size(); ++i) cached_as[i] = RecordCache::NodeOf(kind, ids[i]);
  SharedBytesList records(ids.size());
  version_->records->FindMany(absl::MakeConstSpan(cached_as.data(), ids.size()), version_->number,
                              &records, part == RecordPart::kLinks ? kMostLinkBytes : SIZE_MAX);
  std::vector<std::string> keys;
  std::vector<size_t> missing;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (records.views[i].data() != nullptr) continue;
    missing.push_back(i);
    keys.push_back(NodeKey{kind, ids[i]}.Encode());
  }
  if (keys.empty()) return records;
  absl::Status status = view().MultiGet(keys, blocking_, [&](size_t i, absl::string_view value) {
    const size_t place = missing[i];
    Remember(cached_as[place], value);
    auto copy = std::make_shared<const std::string>(value);
    const absl::string_view bytes = *copy;
    records.Set(place, bytes, std::move(copy));
  });
  if (!status.ok()) return status;
  return records;
}

absl::Status Reader::VisitRecords(NodeKind kind, absl::Span<const int64_t> ids, VisitRecord visit,
                                  RecordPart part) const {
  if (ids.size() == 1) return VisitOneRecord(kind, ids[0], visit);
  for (size_t begin = 0; begin < ids.size(); begin += kBatch) {
    const auto batch = ids.subspan(begin, kBatch);
    absl::Status spent = Spend(static_cast<int64_t>(batch.size()));
    if (!spent.ok()) return spent;
    const auto records = FetchRecords(kind, batch, part);
    if (!records.ok()) return records.status();
    for (size_t i = 0; i < batch.size(); ++i) {
      const absl::string_view bytes = records->views[i];
      if (bytes.data() == nullptr) continue;
      const auto record = RecordView::Parse(bytes);
      if (!record.has_value()) return DamagedRecord(NameOf(kind), batch[i]);
      visit(batch[i], *record);
    }
  }
  return absl::OkStatus();
}

absl::Status Reader::VisitNodes(
    NodeKind kind, int64_t from, Direction direction,
    absl::FunctionRef<bool(int64_t id, const RecordView&)> visit) const {
  const KeyRange all = {NodeKey{kind, 0}.Encode(), NodeKey{kind, kLastId}.Encode()};
  absl::Status damage;
  absl::Status status = Scan(RangeFrom(all, NodeKey{kind, from}.Encode(), direction), direction,
                             [&](absl::string_view key, absl::string_view value) {
                               NodeKey node = {};
                               if (!NodeKey::Decode(key, &node)) {
                                 damage = DamagedIndex("node");
                                 return false;
                               }
                               const auto record = RecordView::Parse(value);
                               if (!record.has_value()) {
                                 damage = DamagedRecord(NameOf(kind), node.id);
                                 return false;
                               }
                               return visit(node.id, *record);
                             });
  return status.ok() ? damage : status;
}

absl::Status Reader::VisitBlocks(const std::string& prefix, int64_t from, Direction direction,
                                 VisitIdBlock visit) const {
  std::string first = prefix;
  AppendId(&first, BlockOf(from));
  bool damaged = false;
  absl::Status status =
      Scan(RangeFrom(PrefixRange(prefix), std::move(first), direction), direction,
           [&](absl::string_view key, absl::string_view value) {
             ByteReader reader(key.substr(prefix.size()));
             int64_t block = 0;
             IdSet set;
             damaged = !reader.ReadId(&block) || !reader.AtEnd() || !IdSet::Decode(value, &set);
             return !damaged && visit(block, set);
           });
  if (!status.ok()) return status;
  return damaged ? DamagedIndex("members") : absl::OkStatus();
}

absl::Status Reader::VisitPosting(const std::string& prefix, int64_t from, Direction direction,
                                  VisitId visit) const {
  return VisitBlocks(prefix, from, direction, [&](int64_t block, const IdSet& set) {
    return VisitIds(set, block, from, direction, visit);
  });
}

absl::StatusOr<IdSet> Reader::FindBlock(const std::string& prefix, int64_t block) const {
  std::string key = prefix;
  AppendId(&key, block);
  auto bytes = Get(key);
  if (!bytes.ok()) return bytes.status();
  IdSet set;
  if (bytes->has_value() && !IdSet::Decode(**bytes, &set)) return DamagedIndex("members");
  return set;
}

absl::Status Reader::VisitIdsUnder(const std::string& prefix, int64_t from, Direction direction,
                                   VisitId visit) const {
  KeyRange range = PrefixRange(prefix);
  std::string first = prefix;
  AppendId(&first, from);
  if (direction == Direction::kAscending) {
    range.begin = std::move(first);
  } else if (from != kLastId) {
    first = prefix;
    AppendId(&first, from + 1);  // Whatever follows id `from` in its keys.
    range.end = std::move(first);
  }
  int64_t last = -1;
  bool damaged = false;
  absl::Status status = Scan(range, direction, [&](absl::string_view key, absl::string_view) {
    int64_t id = 0;
    damaged = !ByteReader(key.substr(prefix.size())).ReadId(&id);
    if (damaged) return false;
    if (id == last) return true;
    last = id;
    return visit(id);
  });
  if (!status.ok()) return status;
  return damaged ? DamagedIndex("ids") : absl::OkStatus();
}

absl::Status Reader::VisitProperty(const KeyRange& range, VisitId visit) const {
  bool damaged = false;
  absl::Status status =
      Scan(range, Direction::kAscending, [&](absl::string_view key, absl::string_view) {
        uint32_t index = 0;
        int64_t id = 0;
        damaged = !PropertyKey::DecodeNode(key, &index, &id);
        return !damaged && visit(id);
      });
  if (!status.ok()) return status;
  return damaged ? DamagedIndex("property") : absl::OkStatus();
}

absl::Status Reader::VisitTypeMembers(NodeKind kind, int64_t type_id, int64_t from,
                                      Direction direction, VisitId visit) const {
  return VisitPosting(TypeMembersPrefix(kind, type_id), from, direction, visit);
}

absl::Status Reader::VisitContextMembers(int64_t context, NodeKind kind, int64_t from,
                                         Direction direction, VisitId visit) const {
  return VisitPosting(ContextMembersPrefix(context, kind), from, direction, visit);
}

absl::Status Reader::VisitByUpdateTime(NodeKind kind, TimeAndId from, Direction direction,
                                       absl::FunctionRef<bool(TimeAndId)> visit) const {
  return VisitByTime(UpdateTimesPrefix(kind), "update_times", from, direction, visit);
}

absl::Status Reader::VisitByCreateTime(NodeKind kind, TimeAndId from, Direction direction,
                                       absl::FunctionRef<bool(TimeAndId)> visit) const {
  return VisitByTime(CreateTimesPrefix(kind), "create_times", from, direction, visit);
}

absl::Status Reader::VisitByTime(const std::string& prefix, absl::string_view index, TimeAndId from,
                                 Direction direction,
                                 absl::FunctionRef<bool(TimeAndId)> visit) const {
  std::string first = prefix;
  AppendTime(&first, from.time_ms);
  AppendId(&first, BlockOf(from.id));
  bool damaged = false;
  absl::Status status =
      Scan(RangeFrom(PrefixRange(prefix), std::move(first), direction), direction,
           [&](absl::string_view key, absl::string_view value) {
             ByteReader reader(key.substr(prefix.size()));
             int64_t time_ms = 0;
             int64_t block = 0;
             IdSet set;
             damaged = !reader.ReadTime(&time_ms) || !reader.ReadId(&block) || !reader.AtEnd() ||
                       !IdSet::Decode(value, &set);
             if (damaged) return false;
             // Only at the time where the scan begins does its id cut the block.
             const int64_t everything = direction == Direction::kAscending ? 0 : kLastId;
             return VisitIds(set, block, time_ms == from.time_ms ? from.id : everything, direction,
                             [&](int64_t id) {
                               return visit({time_ms, id});
                             });
           });
  if (!status.ok()) return status;
  return damaged ? DamagedIndex(index) : absl::OkStatus();
}

absl::Status Reader::VisitArtifactsByUri(absl::string_view uri, VisitId visit) const {
  bool damaged = false;
  absl::Status status = Scan(PrefixRange(UriKey::Prefix(uri)), Direction::kAscending,
                             [&](absl::string_view key, absl::string_view) {
                               int64_t id = 0;
                               damaged = !UriKey::DecodeArtifact(key, &id);
                               return !damaged && visit(id);
                             });
  if (!status.ok()) return status;
  return damaged ? DamagedIndex("uri") : absl::OkStatus();
}

absl::StatusOr<std::vector<int64_t>> Reader::Links(NodeKind kind, int64_t id) const {
  auto record = FindRecord(kind, id);
  if (!record.ok()) return record.status();
  std::vector<int64_t> links;
  if (!record->has_value()) return links;
  links = (*record)->NearLinks();
  if (!(*record)->HasFarLinks()) return links;
  bool damaged = false;
  absl::Status status = Scan(PrefixRange(FarLinkKey::Prefix(kind, id)), Direction::kAscending,
                             [&](absl::string_view key, absl::string_view) {
                               FarLinkKey link = {};
                               damaged = !FarLinkKey::Decode(key, &link);
                               links.push_back(link.context);
                               return !damaged;
                             });
  if (!status.ok()) return status;
  if (damaged) return DamagedIndex("far_link");
  std::sort(links.begin(), links.end());
  return links;
}

absl::Status Reader::VisitEventsOfExecution(
    int64_t execution, absl::FunctionRef<void(absl::string_view event)> visit) const {
  const SharedBytes cached = FindCached(RecordCache::EventsOf(execution));
  if (!cached) return ScanEventsOfExecution(execution, visit);
  absl::Status spent = Spend(1);
  return spent.ok() ? VisitEventsIn(cached.view(), visit) : spent;
}

absl::Status Reader::VisitEventsOfExecutions(
    absl::Span<const int64_t> executions,
    absl::FunctionRef<void(int64_t execution, absl::string_view event)> visit) const {
  std::array<RecordCache::Key, kBatch> cached_as;
  for (size_t begin = 0; begin < executions.size(); begin += kBatch) {
    const auto batch = executions.subspan(begin, kBatch);
    absl::Status status = Spend(static_cast<int64_t>(batch.size()));
    for (size_t i = 0; i < batch.size(); ++i) cached_as[i] = RecordCache::EventsOf(batch[i]);
    SharedBytesList cached(batch.size());
    version_->records->FindMany(absl::MakeConstSpan(cached_as.data(), batch.size()),
                                version_->number, &cached);
    for (size_t i = 0; i < batch.size() && status.ok(); ++i) {
      const auto visit_event = [&](absl::string_view event) { visit(batch[i], event); };
      status = cached.views[i].data() != nullptr ? VisitEventsIn(cached.views[i], visit_event)
                                                 : ScanEventsOfExecution(batch[i], visit_event);
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Reader::ScanEventsOfExecution(
    int64_t execution, absl::FunctionRef<void(absl::string_view event)> visit) const {
  std::string chunks;
  bool is_short = true;
  absl::Status damage;
  absl::Status status =
      Scan(PrefixRange(ExecutionEventsKey::Prefix(execution)), Direction::kAscending,
           [&](absl::string_view, absl::string_view chunk) {
             damage = VisitEventsIn(chunk, visit);
             is_short = is_short && chunks.size() + chunk.size() <= kMostCachedEventBytes;
             if (is_short) chunks.append(chunk.data(), chunk.size());
             return damage.ok();
           });
  if (status.ok()) status = damage;
  // Of executions without events there is no end: clients ask for any number.
  if (status.ok() && is_short && !chunks.empty()) {
    Remember(RecordCache::EventsOf(execution), chunks);
  }
  return status;
}

absl::Status Reader::VisitEvents(
    absl::Span<const EventEnds> events,
    absl::FunctionRef<void(size_t place, absl::string_view event)> visit) const {
  std::vector<std::string> keys;
  for (size_t begin = 0; begin < events.size(); begin += kBatch) {
    const auto batch = events.subspan(begin, kBatch);
    absl::Status spent = Spend(static_cast<int64_t>(batch.size()));
    if (!spent.ok()) return spent;
    keys.clear();
    for (const EventEnds& event : batch) {
      keys.push_back(ArtifactEventKey{event.artifact, event.execution, event.type}.Encode());
    }
    bool damaged = false;
    absl::Status status = view().MultiGet(keys, blocking_, [&](size_t i, absl::string_view value) {
      ByteReader reader(value);
      uint64_t number = 0;
      if (reader.ReadVarint(&number)) {
        visit(begin + i, reader.rest());
      } else {
        damaged = true;
      }
    });
    if (!status.ok()) return status;
    if (damaged) return DamagedIndex("artifact_event");
  }
  return absl::OkStatus();
}

absl::Status Reader::VisitEventsOfArtifact(
    int64_t artifact, absl::FunctionRef<void(absl::string_view event)> visit) const {
  std::vector<std::pair<uint64_t, std::string>> events;  // Keys are in execution order.
  bool damaged = false;
  absl::Status status = Scan(PrefixRange(ArtifactEventKey::Prefix(artifact)), Direction::kAscending,
                             [&](absl::string_view, absl::string_view value) {
                               ByteReader reader(value);
                               uint64_t number = 0;
                               damaged = !reader.ReadVarint(&number);
                               if (!damaged)
                                 events.emplace_back(number, std::string(reader.rest()));
                               return !damaged;
                             });
  if (!status.ok()) return status;
  if (damaged) return DamagedIndex("artifact_event");
  std::sort(events.begin(), events.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& event : events) visit(event.second);
  return absl::OkStatus();
}

}  // namespace pedigree
