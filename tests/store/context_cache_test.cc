#include "store/context_cache.h"

#include <gtest/gtest.h>

#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using Ids = std::vector<int64_t>;

TEST(ContextCache, CoversContextsAlone) {
  EXPECT_TRUE(ContextCache::Covers(NodeKey{NodeKind::kContext, 1}.Encode()));
  EXPECT_FALSE(ContextCache::Covers(NodeKey{NodeKind::kArtifact, 1}.Encode()));
  EXPECT_FALSE(ContextCache::Covers(NodeKey{NodeKind::kExecution, 3}.Encode()));
  EXPECT_FALSE(ContextCache::Covers(KeyHead(Tag::kNode)));
}

TEST(ContextCache, RemembersAndForgets) {
  ContextCache cache;
  EXPECT_EQ(cache.Find("a"), nullptr);
  cache.Remember("a", "1");
  cache.Remember("b", "");
  ASSERT_NE(cache.Find("a"), nullptr);
  EXPECT_EQ(*cache.Find("a"), "1");
  ASSERT_NE(cache.Find("b"), nullptr);
  EXPECT_EQ(*cache.Find("b"), "");
  cache.Remember("a", "2");
  EXPECT_EQ(*cache.Find("a"), "2");
  cache.Forget("a");
  cache.Forget("never known");
  EXPECT_EQ(cache.Find("a"), nullptr);
}

TEST(ContextCache, IsBounded) {
  ContextCache cache;
  cache.Remember("large", std::string(100'000, 'x'));
  EXPECT_EQ(cache.Find("large"), nullptr);
  size_t known = 0;
  for (int i = 0; i < 10'000; ++i) cache.Remember(std::to_string(i), "x");
  for (int i = 0; i < 10'000; ++i) known += cache.Find(std::to_string(i)) == nullptr ? 0 : 1;
  EXPECT_LE(known, 5000u);
  EXPECT_NE(cache.Find("9999"), nullptr);
}

// A context that is read, changed by a request that fails, read, changed, and linked, in groups of
// their own: each sees what the one before it left.
TEST(ContextCache, NeverShowsATransactionAnOldContext) {
  TestStore store;
  const int64_t type = PutType<Context>(store, "Run");
  ASSERT_EQ(*Insert(store, NewNode<Context>(type, "name")), 1);
  const auto external_id = [&] {
    std::string text;
    EXPECT_TRUE(IsOk(store->Write([&](Transaction& transaction) {
      auto context = transaction.FindNode<Context>(1);
      text = (*context)->external_id();
      return context.status();
    })));
    return text;
  };
  const auto update_and_fail = [](Transaction& transaction) -> absl::Status {
    auto record = transaction.FindRecord(NodeKind::kContext, 1);
    Context context = **transaction.FindNode<Context>(1);
    context.set_external_id("failed");
    EXPECT_TRUE(IsOk(transaction.Update(**record, &context, UpdateTime::kIfChanged)));
    EXPECT_EQ((*transaction.FindNode<Context>(1))->external_id(), "failed");
    return absl::CancelledError("on purpose");
  };
  EXPECT_EQ(external_id(), "");
  EXPECT_TRUE(Fails(store->Write(update_and_fail), absl::StatusCode::kCancelled));
  EXPECT_EQ(external_id(), "");
  for (const char* text : {"first", "second"}) {
    Context context = *Find<Context>(store, 1);
    context.set_external_id(text);
    ASSERT_TRUE(IsOk(Update(store, context)));
    EXPECT_EQ(external_id(), text);
  }
  ASSERT_EQ(*Insert(store, NewNode<Context>(type, "parent")), 2);
  ASSERT_TRUE(IsOk(Link(store, NodeKind::kContext, 1, {2})));
  ASSERT_TRUE(IsOk(store->Write([&](Transaction& transaction) {
    auto record = transaction.FindRecord(NodeKind::kContext, 1);
    EXPECT_EQ((*record)->NearLinks(), Ids({2}));
    return record.status();
  })));
  EXPECT_EQ(Problems(store), "");
}

}  // namespace
}  // namespace pedigree
