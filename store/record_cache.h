// Wire bytes that readers have read lately: node records, and the events of executions.
//
// A lookup costs a tenth of what RocksDB asks for bytes that it has in its block cache, so a
// lineage of 10,000 nodes is answered at memory speed the second time. A key's bytes hold from the
// version at which they were read until the committer says that the key changes; a reader of an
// older version asks the store.
//
// Two generations make it forget what nobody asks for: when the young one has half of the memory,
// it becomes the old one and what was old goes; what is found in the old one becomes young again.
// The bytes of a generation lie one after the other in the order in which they came, and live as
// long as anyone holds them: what was read together is together.
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
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "store/byte_arena.h"
#include "store/id_table.h"
#include "store/statistics.h"
#include "store/traits.h"

namespace pedigree {

// Bytes with what keeps them alive.
class SharedBytes {
 public:
  SharedBytes() = default;
  // A copy.
  explicit SharedBytes(absl::string_view bytes);
  SharedBytes(absl::string_view bytes, std::shared_ptr<const void> owner)
      : bytes_(bytes), owner_(std::move(owner)) {}

  absl::string_view view() const { return bytes_; }
  explicit operator bool() const { return bytes_.data() != nullptr; }

 private:
  absl::string_view bytes_;
  std::shared_ptr<const void> owner_;
};

// The same for many that have few owners. Null where there are no bytes.
struct SharedBytesList {
  explicit SharedBytesList(size_t size) : views(size) {}
  void Set(size_t place, absl::string_view bytes, std::shared_ptr<const void> owner) {
    views[place] = bytes;
    if (owners.empty() || owners.back() != owner) owners.push_back(std::move(owner));
  }

  std::vector<absl::string_view> views;
  std::vector<std::shared_ptr<const void>> owners;
};

class RecordCache {
 public:
  // Holds about so many bytes at most, its own tables included; 0 holds nothing. Generations that
  // have gone but are still held by readers come on top.
  explicit RecordCache(size_t capacity_bytes);

  // What bytes are of.
  struct Key {
    uint64_t bits;
    friend bool operator==(Key, Key) = default;
  };
  // The record of a node (record.h).
  static Key NodeOf(NodeKind kind, int64_t id) { return KeyOf(static_cast<uint64_t>(kind), id); }
  // All chunks of events of an execution (record.h), one after the other.
  static Key EventsOf(int64_t execution) { return KeyOf(0, execution); }
  // What the key of an entry of the store is in this cache. False if it is in none.
  static bool FromStoreKey(absl::string_view key, Key* out);

  // Null if the bytes as of `version` are not here.
  SharedBytes Find(Key key, uint64_t version);
  // The same for many, of one kind and ascending for speed: those of a shard wait for memory
  // together. Leaves a place of `found` as it is where there is nothing.
  // No more than `bytes_wanted` of each are brought from memory.
  // REQUIRES: found->views.size() == keys.size().
  void FindMany(absl::Span<const Key> keys, uint64_t version, SharedBytesList* found,
                size_t bytes_wanted = SIZE_MAX);
  // REQUIRES: these are the key's bytes as of `version`.
  void Insert(Key key, uint64_t version, absl::string_view bytes);
  // From `version` on the key has other bytes.
  // REQUIRES: no reader has that version yet.
  void Change(Key key, uint64_t version);

  RecordCacheStatistics Statistics();

 private:
  // The table leads to the version at which the bytes were read, and the bytes behind it.
  struct Generation {
    IdTable entries;
    std::shared_ptr<ByteArena> arena;  // Null before the first entry.
  };
  // Neighbours in id are neighbours in time, and share a shard.
  struct alignas(64) Shard {
    std::mutex mutex;
    Generation young;
    Generation old;
    uint64_t last_change = 0;  // The newest version at which a key of the shard changed.
    RecordCacheStatistics statistics;
  };
  static constexpr size_t kShards = 64;

  // Of what has no place here: clients ask for any number, and ids stay below 2^53.
  static constexpr Key kNothing = {0};
  static Key KeyOf(uint64_t kind, int64_t id) {
    constexpr int64_t kEndOfIds = int64_t{1} << 53;
    return id > 0 && id < kEndOfIds ? Key{kind << 60 | static_cast<uint64_t>(id)} : kNothing;
  }
  Shard& ShardOf(Key key) { return shards_[(key.bits >> 12 ^ key.bits >> 60) % kShards]; }
  // The bytes of a key, which become young if they are old. Null if there are none.
  absl::string_view FindIn(Shard& shard, Key key, uint64_t version);
  void FindManyIn(Shard& shard, absl::Span<const Key> keys, uint64_t version, size_t first_place,
                  SharedBytesList* found, size_t bytes_wanted);
  absl::string_view AddYoung(Shard& shard, Key key, uint64_t since, absl::string_view bytes);

  const size_t young_capacity_;  // Of a shard.
  std::array<Shard, kShards> shards_;
};

}  // namespace pedigree
