// A real store in a scratch directory, with a clock that the test sets, and short ways to ask it.
//
// A question that the store cannot answer fails the test. Threads: as Store, but Reopen() and
// Close() are for one thread alone.
//
//   TestStore store;
//   const int64_t type = PutType<Artifact>(store, "Model");
//   absl::StatusOr<int64_t> id = Insert(store, NewNode<Artifact>(type, "m1"), {});
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/engine.h"
#include "store/store.h"
#include "tests/store/scratch_directory.h"
#include "tests/store/status_testing.h"

namespace pedigree {

class TestStore {
 public:
  // Where the clock stands at first, in ms.
  static constexpr int64_t kStartMs = 1'000'000;

  // Opens an empty store. Does not sync unless told to: tests that need no crash need no disk.
  explicit TestStore(Sync sync = Sync::kNever, size_t block_cache_bytes = size_t{8} << 20);

  Store& operator*() { return *store_; }
  Store* operator->() { return store_.get(); }
  std::string data_dir() const { return scratch_.path() + "/store"; }
  std::string database() const { return data_dir() + "/db"; }
  const ScratchDirectory& scratch() const { return scratch_; }
  StoreOptions options() const;

  void SetClock(int64_t ms) { *clock_ms_ = ms; }
  int64_t clock() const { return *clock_ms_; }
  // The monotonic clock, which never goes back.
  void AddSteady(int64_t ms) { *steady_ms_ += ms; }
  void set_journal(JournalMode mode) { journal_ = mode; }  // Of the next opening.
  CachePolicy& cache_policy() { return cache_policy_; }    // Of the next opening.

  void Close() { store_.reset(); }
  void Open();
  void Reopen() {
    Close();
    Open();
  }

 private:
  ScratchDirectory scratch_;
  Sync sync_;
  size_t block_cache_bytes_;
  std::shared_ptr<std::atomic<int64_t>> clock_ms_;
  std::shared_ptr<std::atomic<int64_t>> steady_ms_;
  CachePolicy cache_policy_;
  JournalMode journal_ = JournalMode::kOn;
  std::unique_ptr<Store> store_;
};

// The whole store as its files have it, to look at and to damage: no store may have it open.
class RawDatabase {
 public:
  explicit RawDatabase(const std::string& database);

  std::optional<std::string> Get(const std::string& key);
  void Put(const std::string& key, const std::string& value);
  void Delete(const std::string& key);
  std::vector<std::pair<std::string, std::string>> All();

 private:
  void Apply(const Mutation& mutation);

  std::unique_ptr<Engine> engine_;
};

template <class Node>
Node NewNode(int64_t type_id, std::optional<std::string> name = std::nullopt) {
  Node node;
  node.set_type_id(type_id);
  if (name.has_value()) node.set_name(*name);
  return node;
}

// The id of a new type without properties.
template <class Node>
int64_t PutType(TestStore& store, const std::string& name) {
  typename TraitsOf<Node>::Type type;
  type.set_name(name);
  EXPECT_TRUE(IsOk(store->Write(
      [&](Transaction& transaction) { return transaction.PutType<Node>(&type).status(); })));
  return type.id();
}

// Stores one node in a request of its own.
template <class Node>
absl::StatusOr<int64_t> Insert(TestStore& store, Node node,
                               const std::vector<int64_t>& contexts = {}) {
  absl::Status status = store->Write(
      [&](Transaction& transaction) { return transaction.Insert(&node, contexts).status(); });
  if (!status.ok()) return status;
  return node.id();
}

// Replaces the stored node that has node.id() in a request of its own.
template <class Node>
absl::Status Update(TestStore& store, Node node, UpdateTime update_time = UpdateTime::kIfChanged) {
  return store->Write([&](Transaction& transaction) -> absl::Status {
    auto record = transaction.FindRecord(TraitsOf<Node>::kKind, node.id());
    if (!record.ok()) return record.status();
    if (!record->has_value()) return absl::NotFoundError("no such node");
    return transaction.Update(**record, &node, update_time);
  });
}

absl::Status Link(TestStore& store, NodeKind kind, int64_t id,
                  const std::vector<int64_t>& contexts);

// Adds events that need no check.
absl::Status AddEvents(Transaction& transaction, const std::vector<ml_metadata::Event*>& events);

// The node, unset if there is none.
template <class Node>
std::optional<Node> Find(TestStore& store, int64_t id) {
  std::optional<Node> found;
  EXPECT_TRUE(IsOk(store->Read(Blocking::kAllowed, [&](const Reader& reader) -> absl::Status {
    auto node = reader.FindNode<Node>(id);
    if (node.ok()) found = *node;
    return node.status();
  })));
  return found;
}

std::optional<int64_t> FindIdByName(TestStore& store, NodeKind kind, int64_t type_id,
                                    const std::string& name);
std::optional<int64_t> FindIdByExternalId(TestStore& store, NodeKind kind,
                                          const std::string& external_id);
std::vector<int64_t> TypeMembers(TestStore& store, NodeKind kind, int64_t type_id,
                                 Direction direction = Direction::kAscending);
std::vector<int64_t> ContextMembers(TestStore& store, int64_t context, NodeKind kind);
std::vector<int64_t> Links(TestStore& store, NodeKind kind, int64_t id);
std::vector<int64_t> ArtifactsByUri(TestStore& store, const std::string& uri);
// Ids by (last update time, id).
std::vector<int64_t> ByUpdateTime(TestStore& store, NodeKind kind);
// Every id of the kind that has a record.
std::vector<int64_t> AllNodes(TestStore& store, NodeKind kind);
std::vector<ml_metadata::Event> EventsOfExecution(TestStore& store, int64_t execution);
std::vector<ml_metadata::Event> EventsOfArtifact(TestStore& store, int64_t artifact);

// The problems that Verify finds, joined by newlines; "" if there are none.
std::string Problems(TestStore& store);

}  // namespace pedigree
