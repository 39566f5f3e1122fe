// Entries of the cache follow their executions through inserts, updates, links and rollbacks.
#include "store/cache_entry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "store/keys.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"
#include "tests/store/write_group.h"

namespace pedigree {
namespace {

using ml_metadata::Context;
using ml_metadata::Execution;

void SetText(Execution* execution, const std::string& name, const std::string& text) {
  (*execution->mutable_custom_properties())[name].set_string_value(text);
}

class CacheEntries : public ::testing::Test {
 protected:
  CacheEntries()
      : type_(PutType<Execution>(store_, "e")),
        pipeline_(PutType<Context>(store_, "system.Pipeline")),
        run_(PutType<Context>(store_, "run")) {}
  ~CacheEntries() override { EXPECT_EQ(Problems(store_), ""); }

  Execution Of(Execution::State state, const std::string& fingerprint = "f") const {
    Execution execution = NewNode<Execution>(type_);
    execution.set_last_known_state(state);
    if (!fingerprint.empty()) SetText(&execution, "cache_fingerprint", fingerprint);
    return execution;
  }
  std::optional<CacheEntry> Entry(int64_t execution) {
    std::optional<CacheEntry> entry;
    EXPECT_TRUE(IsOk(store_->Read(Blocking::kAllowed, [&](const Reader& reader) {
      auto found = reader.FindCacheEntry(execution);
      if (found.ok()) entry = *found;
      return found.status();
    })));
    return entry;
  }
  // All of cache_lookup, by execution.
  std::vector<int64_t> Lookups() {
    std::vector<int64_t> executions;
    EXPECT_TRUE(IsOk(store_->Read(
        Blocking::kAllowed, [&](const Reader& reader) { return Visit(reader, &executions); })));
    return executions;
  }
  static absl::Status Visit(const Lookup& lookup, std::vector<int64_t>* executions) {
    return lookup.VisitCacheLookups(
        PrefixRange(KeyHead(Tag::kCacheLookup)), [&](absl::string_view key, absl::string_view) {
          CacheLookupKey entry = {};
          size_t pair_size = 0;
          EXPECT_TRUE(CacheLookupKey::DecodeNumbers(key, &entry, &pair_size));
          executions->push_back(entry.execution);
          return true;
        });
  }

  TestStore store_;
  const int64_t type_;
  const int64_t pipeline_;
  const int64_t run_;
};

TEST(CacheEntry, EncodesAndDecodes) {
  CacheEntry entry;
  entry.cache_class = CacheClass::kInvalidated;
  entry.is_explicit = true;
  entry.completed_ms = 1234567890123;
  entry.run_ms = 300;
  entry.fingerprint_text = FingerprintText("f");
  entry.name_space = std::string("a\0b", 3);
  const std::string bytes = entry.Encode();
  CacheEntry decoded;
  ASSERT_TRUE(CacheEntry::Decode(bytes, &decoded));
  EXPECT_EQ(decoded, entry);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(CacheEntry::Decode(bytes.substr(0, size), &decoded)) << size;
  }
  EXPECT_FALSE(CacheEntry::Decode(bytes + "x", &decoded));
}

TEST(CacheLease, EncodesAndDecodes) {
  CacheLease lease;
  lease.token = 1'000'000;
  lease.lease_ms = 30'000;
  lease.boot_id = ~uint64_t{0};
  lease.end_ms = 77;
  lease.granted_ms = 5;
  lease.owner = "o";
  CacheLease decoded;
  ASSERT_TRUE(CacheLease::Decode(lease.Encode(), &decoded));
  EXPECT_EQ(decoded.Encode(), lease.Encode());
  EXPECT_EQ(decoded.owner, "o");
  EXPECT_FALSE(CacheLease::Decode(lease.Encode().substr(0, 20), &decoded));
}

TEST(CacheLookupKey, StandsNewestFirstWithinItsClassAndSaysItsNumbers) {
  const std::string f = FingerprintText("f");
  const auto key = [&](uint8_t cache_class, int64_t completed_ms, int64_t execution) {
    return CacheLookupKey{f, "n", "p", cache_class, completed_ms, execution}.Encode();
  };
  const std::vector<std::string> in_order = {key(1, 9, 3), key(1, 9, 2), key(1, 8, 7),
                                             key(2, 0, 9), key(2, 0, 1), key(3, 9, 4)};
  EXPECT_TRUE(std::is_sorted(in_order.begin(), in_order.end()));
  CacheLookupKey decoded = {};
  size_t pair_size = 0;
  ASSERT_TRUE(CacheLookupKey::DecodeNumbers(in_order[1], &decoded, &pair_size));
  EXPECT_EQ(decoded.cache_class, 1);
  EXPECT_EQ(decoded.completed_ms, 9);
  EXPECT_EQ(decoded.execution, 2);
  EXPECT_EQ(in_order[1].substr(0, pair_size), CacheLookupKey::Prefix(f, "n", "p"));
  EXPECT_EQ(FingerprintTextIn(in_order[1]), f);
  EXPECT_EQ(FingerprintTextIn(CacheLeaseKey{f, CacheScope::kAny, "n", "p"}.Encode()), f);
  EXPECT_EQ(FingerprintTextIn(NodeKey{NodeKind::kArtifact, 1}.Encode()), "");
  EXPECT_FALSE(CacheLookupKey::DecodeNumbers(in_order[1] + "x", &decoded, &pair_size));
}

TEST(CacheLeaseKey, HasOnlyWhatItsScopeHas) {
  const std::string f = FingerprintText("f");
  const auto key = [&](CacheScope scope, const char* name_space, const char* pipeline) {
    return CacheLeaseKey{f, scope, name_space, pipeline}.Encode();
  };
  EXPECT_EQ(key(CacheScope::kAny, "n", "p"), key(CacheScope::kAny, "m", "q"));
  EXPECT_EQ(key(CacheScope::kNamespace, "n", "p"), key(CacheScope::kNamespace, "n", "q"));
  EXPECT_NE(key(CacheScope::kNamespace, "n", "p"), key(CacheScope::kNamespace, "m", "p"));
  EXPECT_NE(key(CacheScope::kPipeline, "n", "p"), key(CacheScope::kPipeline, "n", "q"));
  EXPECT_NE(key(CacheScope::kPipeline, "", ""), key(CacheScope::kAny, "", ""));
  EXPECT_TRUE(CacheLeaseKey::IsOne(key(CacheScope::kPipeline, "n", "p")));
  EXPECT_FALSE(CacheLeaseKey::IsOne(key(CacheScope::kPipeline, "n", "p") + "x"));
}

TEST_F(CacheEntries, OnlyAFingerprintMakesOne) {
  const int64_t none = *Insert(store_, Of(Execution::COMPLETE, ""));
  Execution number = Of(Execution::COMPLETE, "");
  (*number.mutable_custom_properties())["cache_fingerprint"].set_int_value(7);
  const int64_t with_number = *Insert(store_, number);
  Execution empty = Of(Execution::COMPLETE, "");
  SetText(&empty, "cache_fingerprint", "");
  const int64_t with_empty = *Insert(store_, empty);
  for (int64_t id : {none, with_number, with_empty}) EXPECT_FALSE(Entry(id).has_value());
  EXPECT_EQ(Lookups(), std::vector<int64_t>());

  const int64_t id = *Insert(store_, Of(Execution::RUNNING));
  ASSERT_TRUE(Entry(id).has_value());
  EXPECT_EQ(Entry(id)->cache_class, CacheClass::kNotComplete);
  EXPECT_EQ(Entry(id)->completed_ms, 0);
  EXPECT_EQ(Lookups(), std::vector<int64_t>{id});

  Execution gone = Of(Execution::RUNNING, "");
  gone.set_id(id);
  ASSERT_TRUE(IsOk(Update(store_, gone)));
  EXPECT_FALSE(Entry(id).has_value());
  EXPECT_EQ(Lookups(), std::vector<int64_t>());
}

TEST_F(CacheEntries, ItIsAsOldAsTheCompletionAndKeepsThatWhileItStaysComplete) {
  const int64_t id = *Insert(store_, Of(Execution::RUNNING));
  const auto set = [&](Execution::State state, int64_t at, const char* extra = "") {
    store_.SetClock(TestStore::kStartMs + at);
    Execution execution = Of(state);
    execution.set_id(id);
    SetText(&execution, "extra", extra);
    EXPECT_TRUE(IsOk(Update(store_, execution)));
    return Entry(id)->completed_ms - TestStore::kStartMs;
  };
  EXPECT_EQ(set(Execution::COMPLETE, 10), 10);
  EXPECT_EQ(Entry(id)->run_ms, 10);
  EXPECT_EQ(set(Execution::COMPLETE, 20, "more"), 10);
  EXPECT_EQ(set(Execution::CACHED, 30), 10);
  EXPECT_EQ(set(Execution::FAILED, 40), -TestStore::kStartMs);
  EXPECT_EQ(set(Execution::COMPLETE, 50), 50);
  EXPECT_EQ(Lookups(), std::vector<int64_t>{id});
}

TEST_F(CacheEntries, OneThatTookOverAResultIsAsOldAsThat) {
  const int64_t origin = *Insert(store_, Of(Execution::COMPLETE));
  const int64_t running = *Insert(store_, Of(Execution::RUNNING));
  store_.SetClock(TestStore::kStartMs + 10);
  const auto cached = [&](const std::string& of) {
    Execution execution = Of(Execution::CACHED);
    SetText(&execution, "cached_execution_id", of);
    return Entry(*Insert(store_, execution))->completed_ms - TestStore::kStartMs;
  };
  EXPECT_EQ(cached(std::to_string(origin)), 0);
  EXPECT_EQ(cached("3"), 0);  // The one before this.
  for (const char* of : {"", "x", "0", "-1", "99", "99999999999999999999", "6"}) {
    EXPECT_EQ(cached(of), 10) << of;
  }
  EXPECT_EQ(cached(std::to_string(running)), 10);
}

TEST_F(CacheEntries, ContextsOfTheSameRequestCount) {
  int64_t id = 0;
  ASSERT_TRUE(IsOk(store_->Write([&](Transaction& transaction) -> absl::Status {
    Execution execution = Of(Execution::COMPLETE);
    auto inserted = transaction.Insert(&execution, {1, 2});
    if (!inserted.ok()) return inserted.status();
    id = *inserted;
    Context run = NewNode<Context>(run_, "r");
    (*run.mutable_custom_properties())["namespace"].set_string_value("n");
    inserted = transaction.Insert(&run, {});
    if (!inserted.ok()) return inserted.status();
    Context pipeline = NewNode<Context>(pipeline_, "p");
    return transaction.Insert(&pipeline, {}).status();
  })));
  EXPECT_EQ(Entry(id)->name_space, "n");
  EXPECT_EQ(Entry(id)->pipeline, "p");
  EXPECT_FALSE(Entry(id)->is_explicit);
}

TEST_F(CacheEntries, ALinkMovesItAndAChangeOfTheContextDoesNot) {
  Context pipeline = NewNode<Context>(pipeline_, "p");
  const int64_t pipeline_id = *Insert(store_, pipeline);
  const int64_t id = *Insert(store_, Of(Execution::COMPLETE));
  EXPECT_EQ(Entry(id)->pipeline, "");
  ASSERT_TRUE(IsOk(Link(store_, NodeKind::kExecution, id, {pipeline_id})));
  EXPECT_EQ(Entry(id)->pipeline, "p");
  pipeline.set_id(pipeline_id);
  pipeline.set_name("q");
  ASSERT_TRUE(IsOk(Update(store_, pipeline)));
  EXPECT_EQ(Entry(id)->pipeline, "p");
  Execution execution = Of(Execution::COMPLETE);
  execution.set_id(id);
  SetText(&execution, "extra", "x");
  ASSERT_TRUE(IsOk(Update(store_, execution)));
  EXPECT_EQ(Entry(id)->pipeline, "q");
}

TEST_F(CacheEntries, AContextBeyondThoseOfTheRecordCounts) {
  std::vector<int64_t> runs;
  for (size_t i = 0; i < kMaxNearLinks + 3; ++i) {
    runs.push_back(*Insert(store_, NewNode<Context>(run_, std::to_string(i))));
  }
  const int64_t pipeline = *Insert(store_, NewNode<Context>(pipeline_, "p"));
  const int64_t id = *Insert(store_, Of(Execution::COMPLETE), runs);
  EXPECT_EQ(Entry(id)->pipeline, "");
  ASSERT_TRUE(IsOk(Link(store_, NodeKind::kExecution, id, {pipeline})));
  EXPECT_EQ(Entry(id)->pipeline, "p");
  runs.push_back(pipeline);
  EXPECT_EQ(Entry(*Insert(store_, Of(Execution::COMPLETE), runs))->pipeline, "p");
}

TEST_F(CacheEntries, ARequestThatFailsLeavesThemAsTheyWere) {
  const int64_t id = *Insert(store_, Of(Execution::RUNNING));
  std::vector<int64_t> seen;
  const auto complete = [&](Transaction& transaction) -> absl::Status {
    auto record = transaction.FindRecord(NodeKind::kExecution, id);
    if (!record.ok()) return record.status();
    Execution execution = Of(Execution::COMPLETE, "g");
    return transaction.Update(**record, &execution, UpdateTime::kIfChanged);
  };
  const auto insert = [&](Transaction& transaction) -> absl::Status {
    Execution execution = Of(Execution::COMPLETE, "h");
    return transaction.Insert(&execution, {}).status();
  };
  const auto statuses = WriteAsOneGroup(
      *store_, {insert,
                [&](Transaction& transaction) -> absl::Status {
                  absl::Status status = complete(transaction);
                  return status.ok() ? absl::AbortedError("no") : status;
                },
                [&](Transaction& transaction) { return Visit(transaction, &seen); }, complete,
                [&](Transaction& transaction) -> absl::Status {
                  auto done = transaction.InvalidateCacheEntry(id);
                  return done.ok() && *done ? absl::AbortedError("no") : done.status();
                }});
  EXPECT_TRUE(IsOk(statuses[0]));
  EXPECT_TRUE(Fails(statuses[1], absl::StatusCode::kAborted));
  EXPECT_EQ(seen, (std::vector<int64_t>{id, 2}));
  EXPECT_TRUE(IsOk(statuses[3]));
  EXPECT_TRUE(Fails(statuses[4], absl::StatusCode::kAborted));
  EXPECT_EQ(Entry(id)->fingerprint_text, FingerprintText("g"));
  EXPECT_EQ(Entry(id)->cache_class, CacheClass::kLive);
  EXPECT_EQ(Lookups(), (std::vector<int64_t>{id, 2}));
}

// What a group sees of the index is what the next version has.
TEST_F(CacheEntries, AGroupSeesWhatItHasWrittenInOrder) {
  Random random;
  for (int round = 0; round < 40; ++round) {
    std::vector<TestWrite::Work> writes;
    for (int i = 0; i < 10; ++i) {
      const bool fails = random.OneIn(4);
      const auto state = random.OneIn(2) ? Execution::COMPLETE : Execution::RUNNING;
      const std::string fingerprint(random.Index(3), 'f');
      const int64_t id = random.Between(1, 20);
      writes.push_back([=, this](Transaction& transaction) -> absl::Status {
        Execution execution = Of(state, fingerprint);
        absl::Status status;
        if (id <= transaction.last_id(NodeKind::kExecution)) {
          auto record = transaction.FindRecord(NodeKind::kExecution, id);
          status = record.ok() ? transaction.Update(**record, &execution, UpdateTime::kIfChanged)
                               : record.status();
        } else {
          status = transaction.Insert(&execution, {}).status();
        }
        return status.ok() && fails ? absl::AbortedError("no") : status;
      });
    }
    std::vector<int64_t> in_group;
    writes.push_back([&](Transaction& transaction) { return Visit(transaction, &in_group); });
    EXPECT_TRUE(IsOk(WriteAsOneGroup(*store_, std::move(writes)).back()));
    EXPECT_EQ(in_group, Lookups());
  }
}

}  // namespace
}  // namespace pedigree
