// What a commit group has written so far: an overlay over the store, with an undo log.
//
// Every request of a group reads through it, so it sees what the requests before it wrote, and a
// request that fails is rolled back to the mark taken before it. Rejected: RocksDB's
// WriteBatchWithIndex, whose rollback to a save point costs the whole batch (5 ms at 10,000 keys),
// and clients make requests fail every day (KFP answers ALREADY_EXISTS by reading).
// Threads: one (the committer).
//
//   const size_t mark = writes.Mark();
//   writes.Put(key, value);
//   writes.RollBack(mark);
#pragma once

#include <cstdint>
#include <memory_resource>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/strings/string_view.h"
#include "store/engine.h"
#include "store/id_set.h"

namespace pedigree {

class WriteSet {
 public:
  // What the group says of a key: nothing, a value, or that it is deleted.
  enum class State : uint8_t { kUnknown, kValue, kDeleted };
  struct Found {
    State state = State::kUnknown;
    absl::string_view value;
  };
  Found Find(absl::string_view key) const;

  void Put(absl::string_view key, absl::string_view value);
  void Delete(absl::string_view key);

  // The keys that the group says something of, in order, of the few tags that a transaction scans:
  // far_link and cache_lookup.
  const std::set<absl::string_view>& ordered_keys() const { return ordered_; }

  size_t Mark() const { return entries_.size(); }
  void RollBack(size_t mark);

  // Appends the last word on every key.
  void AppendMutations(std::vector<Mutation>* mutations) const;

  // Bytes of all keys and values, rolled back ones included: what bounds a group's memory.
  size_t bytes() const { return bytes_; }
  bool empty() const { return entries_.empty(); }
  void Clear();

 private:
  struct Entry {
    absl::string_view key;
    absl::string_view value;
    bool is_delete;
    int64_t previous;  // Index of the entry that this one supersedes, -1 if none.
  };

  void Add(absl::string_view key, absl::string_view value, bool is_delete);
  absl::string_view Copy(absl::string_view bytes);

  std::pmr::monotonic_buffer_resource arena_;
  std::vector<Entry> entries_;                             // In the order written.
  absl::flat_hash_map<absl::string_view, size_t> newest_;  // Index of the last entry of each key.
  std::set<absl::string_view> ordered_;
  size_t bytes_ = 0;
};

// The posting-list blocks that a commit group changes, decoded, with an undo log.
//
// A group changes the same few blocks again and again (the newest nodes of a type), so they are
// decoded once, changed in place and encoded once. Blocks stay cached between groups, so a hot one
// is read from the store once. Threads: one (the committer).
class PostingSet {
 public:
  enum class Change : uint8_t { kAdd, kRemove };

  bool IsLoaded(const std::string& block_key) const { return blocks_.contains(block_key); }
  // Makes a block known, as the store has it.
  void Load(const std::string& block_key, const IdSet& stored) {
    blocks_.emplace(block_key, Block{stored, false});
  }
  // Adds or removes one id of a block. REQUIRES: IsLoaded(block_key).
  void Apply(const std::string& block_key, uint8_t offset, Change change);

  size_t Mark() const { return undo_.size(); }
  void RollBack(size_t mark);

  // Appends one mutation per changed block. The bytes live until Commit() or Forget().
  void AppendMutations(std::vector<Mutation>* mutations);

  // After the group is stored: the blocks are what the store has. Drops them all once there are
  // more than kMaxCachedBlocks.
  void Commit();
  // After the group could not be stored.
  void Forget();

 private:
  static constexpr size_t kMaxCachedBlocks = 4096;

  struct Block {
    IdSet set;
    bool dirty = false;
  };
  using Blocks = absl::node_hash_map<std::string, Block>;  // Nodes do not move: pointers stay.
  struct Undo {
    Block* block;
    uint8_t offset;
    bool was_member;
  };

  Blocks blocks_;
  std::vector<Blocks::value_type*> dirty_;
  std::vector<Undo> undo_;
  std::vector<std::string> encoded_;  // What AppendMutations lent out.
};

}  // namespace pedigree
