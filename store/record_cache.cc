#include "store/record_cache.h"

#include <cstring>
#include <utility>

#include "store/keys.h"

namespace pedigree {

SharedBytes::SharedBytes(absl::string_view bytes) : size_(bytes.size()) {
  auto data = std::make_shared_for_overwrite<char[]>(bytes.size());
  std::memcpy(data.get(), bytes.data(), bytes.size());
  data_ = std::move(data);
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
  return FindIn(shard, key, version);
}

void RecordCache::FindMany(absl::Span<const Key> keys, uint64_t version,
                           absl::Span<SharedBytes> found) {
  if (young_capacity_ == 0) return;
  for (size_t begin = 0; begin < keys.size();) {
    Shard& shard = ShardOf(keys[begin]);
    std::lock_guard<std::mutex> lock(shard.mutex);
    size_t end = begin;
    // All memory is asked for before any is waited for.
    for (; end < keys.size() && &ShardOf(keys[end]) == &shard; ++end) {
      shard.young.prefetch(keys[end]);
    }
    for (; begin < end; ++begin) {
      if (!(keys[begin] == kNothing)) found[begin] = FindIn(shard, keys[begin], version);
    }
  }
}

SharedBytes RecordCache::FindIn(Shard& shard, Key key, uint64_t version) {
  if (const auto it = shard.young.find(key); it != shard.young.end()) {
    return it->second.since <= version ? it->second.bytes : SharedBytes();
  }
  const auto it = shard.old.find(key);
  if (it == shard.old.end() || it->second.since > version) return {};
  Entry entry = std::move(it->second);
  shard.old.erase(it);
  SharedBytes bytes = entry.bytes;
  AddYoung(shard, key, std::move(entry));
  return bytes;
}

void RecordCache::Insert(Key key, uint64_t version, const SharedBytes& bytes) {
  // What would push out most of a shard is not worth it.
  if (bytes.view().size() > young_capacity_ / 8 || key == kNothing) return;
  Shard& shard = ShardOf(key);
  std::lock_guard<std::mutex> lock(shard.mutex);
  // It may be this key that has changed since: the newest bytes cannot be told.
  if (shard.last_change > version || shard.young.contains(key)) return;
  shard.old.erase(key);
  AddYoung(shard, key, {bytes, version});
}

void RecordCache::AddYoung(Shard& shard, Key key, Entry entry) {
  const size_t bytes = entry.bytes.view().size() + kEntryBytes;
  if (shard.young_bytes + bytes > young_capacity_) {
    shard.old = std::move(shard.young);
    shard.young = Map();
    shard.young_bytes = 0;
  }
  shard.young_bytes += bytes;
  shard.young.emplace(key, std::move(entry));
}

void RecordCache::Change(Key key, uint64_t version) {
  if (young_capacity_ == 0) return;
  Shard& shard = ShardOf(key);
  std::lock_guard<std::mutex> lock(shard.mutex);
  shard.last_change = version;
  shard.young.erase(key);  // Its bytes stay counted until the generation goes.
  shard.old.erase(key);
}

}  // namespace pedigree
