// Nodes in contexts (attributions, associations, parents), for the three kinds alike.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "absl/strings/str_cat.h"
#include "store/keys.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Execution;
using Ids = std::vector<int64_t>;

// Beyond what stands in the record of an artifact or execution.
constexpr int64_t kContexts = 40;
static_assert(kContexts > static_cast<int64_t>(2 * kMaxNearLinks));

Ids FromTo(int64_t first, int64_t last) {
  Ids ids(static_cast<size_t>(last - first + 1));
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

// Contexts 1 to 40; nodes of the kind, contexts too, come after them.
template <class Node>
class LinksOf : public testing::Test {
 protected:
  static constexpr NodeKind kKind = TraitsOf<Node>::kKind;

  LinksOf() {
    for (int64_t i = 1; i <= kContexts; ++i) {
      EXPECT_EQ(*Insert(store_, NewNode<Context>(context_type_, std::to_string(i))), i);
    }
  }
  ~LinksOf() override { EXPECT_EQ(Problems(store_), ""); }

  int64_t InsertIn(const Ids& contexts) {
    auto id = Insert(store_, NewNode<Node>(type_, absl::StrCat("node", ++inserted_)), contexts);
    EXPECT_TRUE(IsOk(id));
    return id.value_or(0);
  }

  // Both directions, and Transaction::IsLinked, say that the node is in exactly these contexts.
  void ExpectLinks(int64_t id, const Ids& contexts) {
    EXPECT_EQ(Links(store_, kKind, id), contexts);
    Ids by_context;
    Ids by_is_linked;
    for (int64_t context = 1; context <= kContexts; ++context) {
      const Ids members = ContextMembers(store_, context, kKind);
      if (std::binary_search(members.begin(), members.end(), id)) by_context.push_back(context);
    }
    const absl::Status status = store_->Write([&](Transaction& transaction) -> absl::Status {
      auto record = transaction.FindRecord(kKind, id);
      if (!record.ok() || !record->has_value()) return absl::NotFoundError("no such node");
      for (int64_t context = 1; context <= kContexts; ++context) {
        if (*transaction.IsLinked(kKind, id, **record, context)) by_is_linked.push_back(context);
      }
      return absl::OkStatus();
    });
    EXPECT_TRUE(IsOk(status));
    EXPECT_EQ(by_context, contexts);
    EXPECT_EQ(by_is_linked, contexts);
  }

  TestStore store_;
  const int64_t context_type_ = PutType<Context>(store_, "Run");
  const int64_t type_ = PutType<Node>(store_, "Type");
  int inserted_ = 0;
};
using Nodes = testing::Types<Artifact, Execution, Context>;
TYPED_TEST_SUITE(LinksOf, Nodes);

TYPED_TEST(LinksOf, InsertLinksInAnyOrderAndEachOnce) {
  this->ExpectLinks(this->InsertIn({}), {});
  this->ExpectLinks(this->InsertIn({7, 2, 7, 30, 2}), {2, 7, 30});
}

TYPED_TEST(LinksOf, InsertIntoAsManyAsFitInTheRecordAndOneMore) {
  for (int64_t count : {15, 16, 17, 18, 40}) {
    this->ExpectLinks(this->InsertIn(FromTo(1, count)), FromTo(1, count));
  }
}

TYPED_TEST(LinksOf, LinkOneByOneBeyondTheRecord) {
  const int64_t id = this->InsertIn({});
  // Descending, so that what comes first stands in the record and what comes later before it.
  for (int64_t context = kContexts; context >= 1; --context) {
    ASSERT_TRUE(IsOk(Link(this->store_, this->kKind, id, {context})));
    if (context % 13 == 1) this->ExpectLinks(id, FromTo(context, kContexts));
  }
}

TYPED_TEST(LinksOf, LinkManyAtOnceAcrossTheLimit) {
  const int64_t id = this->InsertIn({20, 21});
  ASSERT_TRUE(IsOk(Link(this->store_, this->kKind, id, FromTo(1, kContexts))));
  this->ExpectLinks(id, FromTo(1, kContexts));
}

TYPED_TEST(LinksOf, RepeatsDoNothing) {
  const int64_t id = this->InsertIn(FromTo(1, 30));
  for (const Ids& repeat : {Ids{5}, Ids{29}, Ids{29, 5, 29}, FromTo(1, 30)}) {
    ASSERT_TRUE(IsOk(Link(this->store_, this->kKind, id, repeat)));
    this->ExpectLinks(id, FromTo(1, 30));
  }
  ASSERT_TRUE(IsOk(Link(this->store_, this->kKind, id, {})));
  this->ExpectLinks(id, FromTo(1, 30));
}

TYPED_TEST(LinksOf, LinkingANodeThatIsNotThereIsInvalid) {
  EXPECT_TRUE(Fails(Link(this->store_, this->kKind, 1000, {1}), StatusCode::kInvalidArgument,
                    std::string(NameOf(this->kKind)) + " has id 1000"));
  EXPECT_TRUE(Fails(Link(this->store_, this->kKind, 0, {1}), StatusCode::kInvalidArgument));
  EXPECT_TRUE(Fails(Link(this->store_, this->kKind, -1, {1}), StatusCode::kInvalidArgument));
}

TYPED_TEST(LinksOf, UpdatesKeepLinks) {
  for (int64_t count : {3, 17, 40}) {
    const int64_t id = this->InsertIn(FromTo(1, count));
    TypeParam node = *Find<TypeParam>(this->store_, id);
    node.set_external_id(absl::StrCat("x", count));
    ASSERT_TRUE(IsOk(Update(this->store_, node)));
    this->ExpectLinks(id, FromTo(1, count));
  }
}

TYPED_TEST(LinksOf, LinksDoNotMoveTheUpdateTime) {
  const int64_t id = this->InsertIn({});
  this->store_.SetClock(TestStore::kStartMs + 10);
  ASSERT_TRUE(IsOk(Link(this->store_, this->kKind, id, FromTo(1, 20))));
  EXPECT_EQ(Find<TypeParam>(this->store_, id)->last_update_time_since_epoch(), TestStore::kStartMs);
}

TYPED_TEST(LinksOf, AFailedRequestLeavesNoLink) {
  const int64_t id = this->InsertIn(FromTo(1, 10));
  const absl::Status status = this->store_->Write([&](Transaction& transaction) -> absl::Status {
    EXPECT_TRUE(IsOk(transaction.Link(this->kKind, id, FromTo(5, 40))));
    TypeParam node = NewNode<TypeParam>(this->type_, "new");
    EXPECT_TRUE(IsOk(transaction.Insert(&node, FromTo(1, 40))));
    return absl::CancelledError("on purpose");
  });
  EXPECT_TRUE(Fails(status, StatusCode::kCancelled));
  this->ExpectLinks(id, FromTo(1, 10));
  EXPECT_EQ(ContextMembers(this->store_, 40, this->kKind), Ids());
}

TYPED_TEST(LinksOf, InsertLinkAndLinkAgainInOneRequest) {
  int64_t id = 0;
  ASSERT_TRUE(IsOk(this->store_->Write([&](Transaction& transaction) -> absl::Status {
    TypeParam node = NewNode<TypeParam>(this->type_, "node");
    auto inserted = transaction.Insert(&node, FromTo(10, 20));
    if (!inserted.ok()) return inserted.status();
    id = *inserted;
    for (const Ids& more : {FromTo(18, 25), FromTo(1, 12), FromTo(26, 40)}) {
      absl::Status status = transaction.Link(this->kKind, id, more);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  })));
  this->ExpectLinks(id, FromTo(1, 40));
}

TYPED_TEST(LinksOf, MembersOfAContextSpanManyBlocks) {
  Ids expected;
  for (int i = 0; i < 700; ++i) expected.push_back(this->InsertIn({7}));
  EXPECT_EQ(ContextMembers(this->store_, 7, this->kKind), expected);
  EXPECT_EQ(ContextMembers(this->store_, 8, this->kKind), Ids());
}

TYPED_TEST(LinksOf, RandomLinksAreThoseOfAModel) {
  Random random;
  std::map<int64_t, std::set<int64_t>> model;
  for (int step = 0; step < 120; ++step) {
    Ids contexts(random.Index(12));
    for (int64_t& context : contexts) context = random.Between(1, kContexts);
    if (model.empty() || random.OneIn(12)) {
      model[this->InsertIn(contexts)].insert(contexts.begin(), contexts.end());
      continue;
    }
    auto& [id, links] =
        *std::next(model.begin(), random.Between(0, static_cast<int64_t>(model.size()) - 1));
    ASSERT_TRUE(IsOk(Link(this->store_, this->kKind, id, contexts)));
    links.insert(contexts.begin(), contexts.end());
  }
  this->store_.Reopen();
  for (const auto& [id, links] : model) this->ExpectLinks(id, Ids(links.begin(), links.end()));
}

TEST(Links, NodesThatAreNotThereHaveNone) {
  TestStore store;
  for (NodeKind kind : kNodeKinds) EXPECT_EQ(Links(store, kind, 5), Ids());
  EXPECT_EQ(ContextMembers(store, 5, NodeKind::kArtifact), Ids());
}

TEST(Links, KindsInOneContextAreApart) {
  TestStore store;
  const int64_t context_type = PutType<Context>(store, "Run");
  ASSERT_EQ(*Insert(store, NewNode<Context>(context_type, "run")), 1);
  ASSERT_EQ(*Insert(store, NewNode<Artifact>(PutType<Artifact>(store, "A")), {1}), 1);
  ASSERT_EQ(*Insert(store, NewNode<Execution>(PutType<Execution>(store, "E"))), 1);
  ASSERT_EQ(*Insert(store, NewNode<Execution>(PutType<Execution>(store, "E2")), {1}), 2);
  ASSERT_EQ(*Insert(store, NewNode<Context>(context_type, "child"), {1}), 2);
  EXPECT_EQ(ContextMembers(store, 1, NodeKind::kArtifact), Ids({1}));
  EXPECT_EQ(ContextMembers(store, 1, NodeKind::kExecution), Ids({2}));
  EXPECT_EQ(ContextMembers(store, 1, NodeKind::kContext), Ids({2}));
  EXPECT_EQ(Links(store, NodeKind::kContext, 2), Ids({1}));
  EXPECT_EQ(Problems(store), "");
}

}  // namespace
}  // namespace pedigree
