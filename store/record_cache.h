// Wire bytes that readers have read lately: node records, and the events of executions.
//
// A lookup costs a tenth of what RocksDB asks for bytes that it has in its block cache, so a
// lineage of 10,000 nodes is answered at memory speed the second time. Bytes are shared, not
// copied. A key's bytes hold from the version at which they were read until the committer says
// that the key changes; a reader of an older version asks the store.
//
// Two generations make it forget what nobody asks for: when the young one has half of the memory,
// it becomes the old one and what was old goes; what is found in the old one becomes young again.
// Threads: any.
//
//   if (auto bytes = cache.Find(RecordCache::NodeOf(kind, id), version)) ...
//   cache.Insert(key, version, bytes);       // a reader, with what it read at its version
//   cache.Change(key, next_version);         // the committer, before it publishes the next version
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "store/traits.h"

namespace pedigree {

// Bytes that live as long as someone holds them.
class SharedBytes {
 public:
  SharedBytes() = default;
  explicit SharedBytes(absl::string_view bytes);

  absl::string_view view() const { return {data_.get(), size_}; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  std::shared_ptr<const char[]> data_;
  size_t size_ = 0;
};

class RecordCache {
 public:
  // Holds about so many bytes at most, its own tables included; 0 holds nothing.
  explicit RecordCache(size_t capacity_bytes);

  // What bytes are of.
  struct Key {
    uint64_t bits;
    friend bool operator==(Key, Key) = default;
    template <class H>
    friend H AbslHashValue(H h, Key key) {
      return H::combine(std::move(h), key.bits);
    }
  };
  // The record of a node (record.h).
  static Key NodeOf(NodeKind kind, int64_t id) { return KeyOf(static_cast<uint64_t>(kind), id); }
  // All chunks of events of an execution (record.h), one after the other.
  static Key EventsOf(int64_t execution) { return KeyOf(0, execution); }
  // What the key of an entry of the store is in this cache. False if it is in none.
  static bool FromStoreKey(absl::string_view key, Key* out);

  // Null if the bytes as of `version` are not here.
  SharedBytes Find(Key key, uint64_t version);
  // The same for many, of one kind and ascending for speed.
  void FindMany(absl::Span<const Key> keys, uint64_t version, absl::Span<SharedBytes> found);
  // REQUIRES: these are the key's bytes as of `version`.
  void Insert(Key key, uint64_t version, const SharedBytes& bytes);
  // From `version` on the key has other bytes.
  // REQUIRES: no reader has that version yet.
  void Change(Key key, uint64_t version);

 private:
  struct Entry {
    SharedBytes bytes;
    uint64_t since;  // The version at which they were read.
  };
  using Map = absl::flat_hash_map<Key, Entry>;
  // Neighbours in id are neighbours in time, and share a shard.
  struct alignas(64) Shard {
    std::mutex mutex;
    Map young;
    Map old;
    size_t young_bytes = 0;
    uint64_t last_change = 0;  // The newest version at which a key of the shard changed.
  };
  static constexpr size_t kShards = 64;
  // Of an entry beside its bytes: its place in a table that is on average 3/4 full, and the blocks
  // that the bytes are in.
  static constexpr size_t kEntryBytes = (sizeof(Key) + sizeof(Entry)) * 4 / 3 + 32;

  // Of what has no place here: clients ask for any number, and ids stay below 2^53.
  static constexpr Key kNothing = {0};
  static Key KeyOf(uint64_t kind, int64_t id) {
    constexpr int64_t kEndOfIds = int64_t{1} << 53;
    return id > 0 && id < kEndOfIds ? Key{kind << 60 | static_cast<uint64_t>(id)} : kNothing;
  }
  Shard& ShardOf(Key key) { return shards_[(key.bits >> 12 ^ key.bits >> 60) % kShards]; }
  SharedBytes FindIn(Shard& shard, Key key, uint64_t version);
  void AddYoung(Shard& shard, Key key, Entry entry);

  const size_t young_capacity_;  // Of a shard.
  std::array<Shard, kShards> shards_;
};

}  // namespace pedigree
