#include "store/record_cache.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "store/keys.h"

namespace pedigree {
namespace {

// More would not be under way from memory at the same time.
constexpr size_t kFoundAtOnce = 32;

// Asks memory for the beginning of what is stored.
void Prefetch(const char* stored, size_t size) {
  constexpr size_t kLine = 64;
  constexpr size_t kMostBytes = 6 * kLine;
  for (size_t at = 0; at < std::min(size, kMostBytes); at += kLine) {
    __builtin_prefetch(stored + at);
  }
}

void Count(absl::string_view found, RecordCacheStatistics* statistics) {
  ++(found.data() == nullptr ? statistics->misses : statistics->hits);
}

struct Stored {
  uint64_t since;  // The version at which the bytes were read.
  absl::string_view bytes;
};

Stored StoredAt(const ByteArena& arena, IdTable::Value value) {
  const char* at = arena.At(value.place);
  uint64_t since = 0;
  std::memcpy(&since, at, sizeof(since));
  return {since, {at + sizeof(since), value.size - sizeof(since)}};
}

}  // namespace

SharedBytes::SharedBytes(absl::string_view bytes) {
  auto copy = std::make_shared<const std::string>(bytes);
  bytes_ = *copy;
  owner_ = std::move(copy);
}

RecordCache::RecordCache(size_t capacity_bytes) : young_capacity_(capacity_bytes / kShards / 2) {}

bool RecordCache::FromStoreKey(absl::string_view key, Key* out) {
  NodeKey node = {};
  ExecutionEventsKey events = {};
  if (NodeKey::Decode(key, &node)) {
    *out = NodeOf(node.kind, node.id);
    return true;
  }
  if (!ExecutionEventsKey::Decode(key, &events)) return false;
  *out = EventsOf(events.execution);
  return true;
}

SharedBytes RecordCache::Find(Key key, uint64_t version) {
  if (young_capacity_ == 0 || key == kNothing) return {};
  Shard& shard = ShardOf(key);
  std::lock_guard<std::mutex> lock(shard.mutex);
  const absl::string_view bytes = FindIn(shard, key, version);
  Count(bytes, &shard.statistics);
  return bytes.data() == nullptr ? SharedBytes() : SharedBytes(bytes, shard.young.arena);
}

void RecordCache::FindMany(absl::Span<const Key> keys, uint64_t version, SharedBytesList* found,
                           size_t bytes_wanted) {
  if (young_capacity_ == 0) return;
  for (size_t begin = 0; begin < keys.size();) {
    Shard& shard = ShardOf(keys[begin]);
    size_t count = 1;
    while (count < kFoundAtOnce && begin + count < keys.size() &&
           &ShardOf(keys[begin + count]) == &shard) {
      ++count;
    }
    FindManyIn(shard, keys.subspan(begin, count), version, begin, found, bytes_wanted);
    begin += count;
  }
}

// All memory is asked for before any is waited for: first the tables, then what they lead to, and
// the bytes are read when the caller gets them.
void RecordCache::FindManyIn(Shard& shard, absl::Span<const Key> keys, uint64_t version,
                             size_t first_place, SharedBytesList* found, size_t bytes_wanted) {
  std::lock_guard<std::mutex> lock(shard.mutex);
  for (Key key : keys) shard.young.entries.Prefetch(key.bits);
  for (Key key : keys) {
    if (const IdTable::Value* value = shard.young.entries.Find(key.bits)) {
      Prefetch(shard.young.arena->At(value->place), std::min<size_t>(value->size, bytes_wanted));
    }
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i] == kNothing) continue;
    const absl::string_view bytes = FindIn(shard, keys[i], version);
    Count(bytes, &shard.statistics);
    if (bytes.data() != nullptr) found->Set(first_place + i, bytes, shard.young.arena);
  }
}

absl::string_view RecordCache::FindIn(Shard& shard, Key key, uint64_t version) {
  if (const IdTable::Value* value = shard.young.entries.Find(key.bits)) {
    const Stored stored = StoredAt(*shard.young.arena, *value);
    return stored.since <= version ? stored.bytes : absl::string_view();
  }
  const IdTable::Value* value = shard.old.entries.Find(key.bits);
  if (value == nullptr) return {};
  const Stored stored = StoredAt(*shard.old.arena, *value);
  if (stored.since > version) return {};
  shard.old.entries.Erase(key.bits);
  const std::shared_ptr<ByteArena> arena = shard.old.arena;  // It may go as the young one grows.
  return AddYoung(shard, key, stored.since, stored.bytes);
}

void RecordCache::Insert(Key key, uint64_t version, absl::string_view bytes) {
  // What would push out most of a shard is not worth it.
  if (bytes.size() > young_capacity_ / 8 || key == kNothing) return;
  Shard& shard = ShardOf(key);
  std::lock_guard<std::mutex> lock(shard.mutex);
  // It may be this key that has changed since: the newest bytes cannot be told.
  if (shard.last_change > version || shard.young.entries.Find(key.bits) != nullptr) return;
  shard.old.entries.Erase(key.bits);
  AddYoung(shard, key, version, bytes);
}

absl::string_view RecordCache::AddYoung(Shard& shard, Key key, uint64_t since,
                                        absl::string_view bytes) {
  const size_t size = sizeof(since) + bytes.size();
  if (shard.young.arena != nullptr &&
      shard.young.arena->BytesWith(size) + shard.young.entries.BytesWithOneMore() >
          young_capacity_) {
    shard.old = std::exchange(shard.young, Generation());
  }
  if (shard.young.arena == nullptr) shard.young.arena = std::make_shared<ByteArena>();
  const ByteArena::Place place = shard.young.arena->Add(size);
  char* stored = shard.young.arena->At(place);
  std::memcpy(stored, &since, sizeof(since));
  std::memcpy(stored + sizeof(since), bytes.data(), bytes.size());
  shard.young.entries.Insert(key.bits, {place, static_cast<uint32_t>(size)});
  return {stored + sizeof(since), bytes.size()};
}

RecordCacheStatistics RecordCache::Statistics() {
  RecordCacheStatistics all;
  for (Shard& shard : shards_) {
    std::lock_guard<std::mutex> lock(shard.mutex);
    all.hits += shard.statistics.hits;
    all.misses += shard.statistics.misses;
    for (const Generation* generation : {&shard.young, &shard.old}) {
      all.bytes += generation->entries.bytes();
      if (generation->arena != nullptr) all.bytes += generation->arena->bytes();
    }
  }
  return all;
}

void RecordCache::Change(Key key, uint64_t version) {
  if (young_capacity_ == 0 || key == kNothing) return;
  Shard& shard = ShardOf(key);
  std::lock_guard<std::mutex> lock(shard.mutex);
  shard.last_change = version;
  // Their bytes stay, and stay counted, until the generation goes.
  shard.young.entries.Erase(key.bits);
  shard.old.entries.Erase(key.bits);
}

}  // namespace pedigree
