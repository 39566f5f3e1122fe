// Nodes in transactions, for the three kinds alike: insert, update, uniqueness, roll back.
#include <gtest/gtest.h>

#include <algorithm>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "tests/store/random_message.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Execution;
using Ids = std::vector<int64_t>;

template <class Node>
class TransactionOf : public testing::Test {
 protected:
  static constexpr NodeKind kKind = TraitsOf<Node>::kKind;

  ~TransactionOf() override { EXPECT_EQ(Problems(store_), ""); }

  Node Named(const std::string& name) { return NewNode<Node>(type_, name); }
  Node WithExternalId(const std::string& external_id) {
    Node node = NewNode<Node>(type_, "named " + external_id);
    node.set_external_id(external_id);
    return node;
  }

  TestStore store_;
  const int64_t type_ = PutType<Node>(store_, "Type");
  const int64_t other_type_ = PutType<Node>(store_, "Other");
};
using Nodes = testing::Types<Artifact, Execution, Context>;
TYPED_TEST_SUITE(TransactionOf, Nodes);

// The uri that every stored artifact has; the other kinds have none.
void ExpectEmptyUri(const Artifact& artifact) {
  EXPECT_TRUE(artifact.has_uri());
  EXPECT_EQ(artifact.uri(), "");
}
template <class Node>
void ExpectEmptyUri(const Node&) {}

TYPED_TEST(TransactionOf, InsertFillsInIdAndTimes) {
  this->store_.SetClock(2'000'000);
  TypeParam node = this->Named("a");
  node.set_id(77);
  node.set_type("a client's own idea");
  node.set_create_time_since_epoch(1);
  node.set_last_update_time_since_epoch(2);
  ASSERT_TRUE(IsOk(Insert(this->store_, node)));

  const auto stored = Find<TypeParam>(this->store_, 1);
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->id(), 1);
  EXPECT_EQ(stored->name(), "a");
  EXPECT_EQ(stored->type_id(), this->type_);
  EXPECT_FALSE(stored->has_type()) << "the type's name is never stored";
  EXPECT_EQ(stored->create_time_since_epoch(), 2'000'000);
  EXPECT_EQ(stored->last_update_time_since_epoch(), 2'000'000);
  ExpectEmptyUri(*stored);
  EXPECT_FALSE(Find<TypeParam>(this->store_, 77).has_value());
  EXPECT_FALSE(Find<TypeParam>(this->store_, 2).has_value());
}

TYPED_TEST(TransactionOf, IdsAscendPerKind) {
  for (int64_t id = 1; id <= 600; ++id) {
    ASSERT_EQ(*Insert(this->store_, this->Named(std::to_string(id))), id);
  }
  Ids all(600);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i) + 1;
  EXPECT_EQ(AllNodes(this->store_, this->kKind), all);
  EXPECT_EQ(TypeMembers(this->store_, this->kKind, this->type_), all);
  EXPECT_EQ(ByUpdateTime(this->store_, this->kKind), all);
  std::reverse(all.begin(), all.end());
  EXPECT_EQ(TypeMembers(this->store_, this->kKind, this->type_, Direction::kDescending), all);
  EXPECT_EQ(TypeMembers(this->store_, this->kKind, this->other_type_), Ids());
}

TYPED_TEST(TransactionOf, EveryFieldComesBackToTheBit) {
  Random random;
  for (int i = 0; i < 100; ++i) {
    auto node = RandomMessage<TypeParam>(random);
    node.set_type_id(this->type_);
    node.set_name(absl::StrCat("node ", i));
    node.set_external_id(absl::StrCat("external ", i));
    node.clear_properties();  // The type declares none.
    TypeParam expected = node;
    const auto id = Insert(this->store_, node);
    ASSERT_TRUE(IsOk(id));

    const auto stored = Find<TypeParam>(this->store_, *id);
    ASSERT_TRUE(stored.has_value());
    expected.set_id(*id);
    expected.set_create_time_since_epoch(TestStore::kStartMs);
    expected.set_last_update_time_since_epoch(TestStore::kStartMs);
    expected.clear_type();
    if constexpr (std::is_same_v<TypeParam, Artifact>) expected.set_uri(expected.uri());
    // Not MessageDifferencer: a NaN is no NaN's equal, to the bit it is.
    EXPECT_EQ(stored->SerializeAsString().size(), expected.SerializeAsString().size());
    EXPECT_EQ(stored->ShortDebugString(), expected.ShortDebugString());
  }
}

TYPED_TEST(TransactionOf, NamesAreUniqueWithinATypeOnly) {
  ASSERT_TRUE(IsOk(Insert(this->store_, this->Named("a"))));
  const auto again = Insert(this->store_, this->Named("a"));
  EXPECT_TRUE(Fails(again, StatusCode::kAlreadyExists, "'a'"));
  EXPECT_TRUE(Fails(again, StatusCode::kAlreadyExists, "'Type'"));
  EXPECT_EQ(*Insert(this->store_, NewNode<TypeParam>(this->other_type_, "a")), 2);
  EXPECT_EQ(*Insert(this->store_, this->Named("A")), 3);
  EXPECT_EQ(FindIdByName(this->store_, this->kKind, this->type_, "a"), 1);
  EXPECT_EQ(FindIdByName(this->store_, this->kKind, this->other_type_, "a"), 2);
  EXPECT_EQ(FindIdByName(this->store_, this->kKind, this->other_type_, "A"), std::nullopt);
}

TYPED_TEST(TransactionOf, AnEmptyNameIsANameAndAMissingOneIsNone) {
  EXPECT_EQ(*Insert(this->store_, NewNode<TypeParam>(this->type_)), 1);
  EXPECT_EQ(*Insert(this->store_, NewNode<TypeParam>(this->type_)), 2);
  EXPECT_EQ(FindIdByName(this->store_, this->kKind, this->type_, ""), std::nullopt);
  EXPECT_EQ(*Insert(this->store_, this->Named("")), 3);
  EXPECT_TRUE(Fails(Insert(this->store_, this->Named("")), StatusCode::kAlreadyExists));
  EXPECT_EQ(FindIdByName(this->store_, this->kKind, this->type_, ""), 3);
}

TYPED_TEST(TransactionOf, LongAndBinaryNamesAreTheirOwn) {
  const std::string long_name(1000, 'n');
  const std::vector<std::string> names = {long_name,
                                          long_name + "x",
                                          long_name + std::string(1, '\0'),
                                          std::string(128, 'n'),
                                          "n\0m",
                                          std::string("n\0m", 3),
                                          std::string("\0", 1)};
  for (size_t i = 0; i < names.size(); ++i) {
    ASSERT_EQ(*Insert(this->store_, this->Named(names[i])), static_cast<int64_t>(i) + 1);
  }
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(FindIdByName(this->store_, this->kKind, this->type_, names[i]),
              static_cast<int64_t>(i) + 1);
    EXPECT_TRUE(Fails(Insert(this->store_, this->Named(names[i])), StatusCode::kAlreadyExists));
  }
}

TYPED_TEST(TransactionOf, ExternalIdsAreUniqueAmongTheKind) {
  ASSERT_TRUE(IsOk(Insert(this->store_, this->WithExternalId("x"))));
  TypeParam other = NewNode<TypeParam>(this->other_type_, "b");
  other.set_external_id("x");
  EXPECT_TRUE(Fails(Insert(this->store_, other), StatusCode::kAlreadyExists, "external_id 'x'"));
  EXPECT_EQ(FindIdByExternalId(this->store_, this->kKind, "x"), 1);

  TypeParam empty = this->Named("c");
  empty.set_external_id("");
  EXPECT_EQ(*Insert(this->store_, empty), 2);
  empty.set_name("d");
  EXPECT_TRUE(Fails(Insert(this->store_, empty), StatusCode::kAlreadyExists));
  EXPECT_EQ(FindIdByExternalId(this->store_, this->kKind, ""), 2);
}

TYPED_TEST(TransactionOf, KindsShareNoNamesAndNoExternalIds) {
  ASSERT_TRUE(IsOk(Insert(this->store_, this->WithExternalId("x"))));
  for (NodeKind kind : kNodeKinds) {
    const bool same = kind == this->kKind;
    EXPECT_EQ(FindIdByExternalId(this->store_, kind, "x").has_value(), same);
    EXPECT_EQ(FindIdByName(this->store_, kind, this->type_, "named x").has_value(), same);
  }
}

TYPED_TEST(TransactionOf, AFailedRequestLeavesNothing) {
  ASSERT_TRUE(IsOk(Insert(this->store_, this->WithExternalId("taken"))));
  this->store_.SetClock(TestStore::kStartMs + 5);
  const absl::Status status = this->store_->Write([&](Transaction& transaction) -> absl::Status {
    TypeParam first = this->WithExternalId("new");
    EXPECT_TRUE(IsOk(transaction.Insert(&first, {})));
    EXPECT_EQ(first.id(), 2);
    typename TraitsOf<TypeParam>::Type type;
    type.set_name("New");
    EXPECT_TRUE(IsOk(transaction.PutType<TypeParam>(&type)));
    TypeParam second = this->Named("second");
    second.set_external_id("taken");
    return transaction.Insert(&second, {}).status();
  });
  EXPECT_TRUE(Fails(status, StatusCode::kAlreadyExists, "'taken'"));

  EXPECT_EQ(AllNodes(this->store_, this->kKind), Ids({1}));
  EXPECT_EQ(TypeMembers(this->store_, this->kKind, this->type_), Ids({1}));
  EXPECT_EQ(ByUpdateTime(this->store_, this->kKind), Ids({1}));
  EXPECT_EQ(FindIdByName(this->store_, this->kKind, this->type_, "named new"), std::nullopt);
  EXPECT_EQ(FindIdByExternalId(this->store_, this->kKind, "new"), std::nullopt);
  EXPECT_EQ(PutType<TypeParam>(this->store_, "New"), this->other_type_ + 1);
  EXPECT_EQ(*Insert(this->store_, this->WithExternalId("new")), 2) << "ids are given back too";
}

TYPED_TEST(TransactionOf, ARequestSeesWhatItHasWritten) {
  const absl::Status status = this->store_->Write([&](Transaction& transaction) -> absl::Status {
    EXPECT_EQ(transaction.last_id(this->kKind), 0);
    TypeParam node = this->WithExternalId("x");
    EXPECT_EQ(*transaction.NodeExists(this->kKind, 1), false);
    EXPECT_TRUE(IsOk(transaction.Insert(&node, {})));
    EXPECT_EQ(transaction.last_id(this->kKind), 1);
    EXPECT_EQ(*transaction.NodeExists(this->kKind, 1), true);
    EXPECT_EQ(*transaction.NodeExists(this->kKind, 2), false);
    EXPECT_EQ(*transaction.FindIdByExternalId(this->kKind, "x"), 1);
    EXPECT_EQ(*transaction.FindIdByName(this->kKind, this->type_, "named x"), 1);
    auto found = transaction.FindNode<TypeParam>(1);
    EXPECT_TRUE(found.ok() && found->has_value() && (*found)->external_id() == "x");
    EXPECT_TRUE(Fails(transaction.Insert(&node, {}), StatusCode::kAlreadyExists));
    return absl::CancelledError("that was a look");
  });
  EXPECT_TRUE(Fails(status, StatusCode::kCancelled));
  EXPECT_EQ(AllNodes(this->store_, this->kKind), Ids());
}

TYPED_TEST(TransactionOf, UpdateReplacesTheNodeAsAWhole) {
  TypeParam node = this->WithExternalId("x");
  (*node.mutable_custom_properties())["p"].set_int_value(1);
  (*node.mutable_custom_properties())["q"].set_int_value(2);
  ASSERT_TRUE(IsOk(Insert(this->store_, node)));

  this->store_.SetClock(TestStore::kStartMs + 5);
  TypeParam next = this->Named("named x");
  next.set_id(1);
  (*next.mutable_custom_properties())["q"].set_string_value("two");
  ASSERT_TRUE(IsOk(Update(this->store_, next)));

  const auto stored = Find<TypeParam>(this->store_, 1);
  ASSERT_TRUE(stored.has_value());
  EXPECT_FALSE(stored->has_external_id());
  EXPECT_EQ(stored->custom_properties_size(), 1);
  EXPECT_EQ(stored->custom_properties().at("q").string_value(), "two");
  EXPECT_EQ(stored->create_time_since_epoch(), TestStore::kStartMs);
  EXPECT_EQ(stored->last_update_time_since_epoch(), TestStore::kStartMs + 5);
  ExpectEmptyUri(*stored);
}

TYPED_TEST(TransactionOf, UpdateKeepsTypeIdAndCreateTime) {
  ASSERT_TRUE(IsOk(Insert(this->store_, this->Named("a"))));
  this->store_.SetClock(TestStore::kStartMs + 5);
  TypeParam node = NewNode<TypeParam>(this->other_type_, "a");
  node.set_id(1);
  node.set_type("noise");
  node.set_create_time_since_epoch(1);
  node.set_external_id("x");
  ASSERT_TRUE(IsOk(Update(this->store_, node)));
  const auto stored = Find<TypeParam>(this->store_, 1);
  EXPECT_EQ(stored->type_id(), this->type_);
  EXPECT_FALSE(stored->has_type());
  EXPECT_EQ(stored->create_time_since_epoch(), TestStore::kStartMs);
  EXPECT_EQ(stored->external_id(), "x");
}

TYPED_TEST(TransactionOf, UpdateReleasesAnExternalIdAndRefusesATakenOne) {
  ASSERT_TRUE(IsOk(Insert(this->store_, this->WithExternalId("a"))));
  ASSERT_TRUE(IsOk(Insert(this->store_, this->WithExternalId("b"))));
  TypeParam first = *Find<TypeParam>(this->store_, 1);
  first.set_external_id("b");
  EXPECT_TRUE(Fails(Update(this->store_, first), StatusCode::kAlreadyExists, "'b'"));
  EXPECT_EQ(FindIdByExternalId(this->store_, this->kKind, "a"), 1) << "rolled back";

  first.set_external_id("c");
  ASSERT_TRUE(IsOk(Update(this->store_, first)));
  EXPECT_EQ(FindIdByExternalId(this->store_, this->kKind, "a"), std::nullopt);
  EXPECT_EQ(FindIdByExternalId(this->store_, this->kKind, "c"), 1);
  TypeParam second = *Find<TypeParam>(this->store_, 2);
  second.set_external_id("a");
  EXPECT_TRUE(IsOk(Update(this->store_, second))) << "what one gave up another may take";
  first.clear_external_id();
  ASSERT_TRUE(IsOk(Update(this->store_, first)));
  EXPECT_EQ(FindIdByExternalId(this->store_, this->kKind, "c"), std::nullopt);
}

TYPED_TEST(TransactionOf, ANodeMayKeepItsOwnExternalId) {
  ASSERT_TRUE(IsOk(Insert(this->store_, this->WithExternalId("a"))));
  TypeParam node = *Find<TypeParam>(this->store_, 1);
  (*node.mutable_custom_properties())["p"].set_bool_value(true);
  EXPECT_TRUE(IsOk(Update(this->store_, node)));
  EXPECT_EQ(FindIdByExternalId(this->store_, this->kKind, "a"), 1);
}

TYPED_TEST(TransactionOf, OnlyContextsAreRenamed) {
  ASSERT_TRUE(IsOk(Insert(this->store_, this->Named("old"))));
  ASSERT_TRUE(IsOk(Insert(this->store_, this->Named("other"))));
  TypeParam node = *Find<TypeParam>(this->store_, 1);
  node.set_name("new");
  ASSERT_TRUE(IsOk(Update(this->store_, node)));
  const bool renamed = this->kKind == NodeKind::kContext;
  EXPECT_EQ(Find<TypeParam>(this->store_, 1)->name(), renamed ? "new" : "old");
  EXPECT_EQ(FindIdByName(this->store_, this->kKind, this->type_, "new").has_value(), renamed);
  EXPECT_EQ(FindIdByName(this->store_, this->kKind, this->type_, "old").has_value(), !renamed);
  const auto old_name = Insert(this->store_, this->Named("old"));
  EXPECT_EQ(old_name.ok(), renamed) << "a context's old name is free again";

  node.set_name("other");
  const absl::Status taken = Update(this->store_, node);
  EXPECT_EQ(taken.code(), renamed ? StatusCode::kAlreadyExists : StatusCode::kOk) << taken;
}

TYPED_TEST(TransactionOf, AnUpdateNeitherGivesNorTakesTheNameOfAnArtifactOrExecution) {
  if (this->kKind == NodeKind::kContext) return;  // Contexts: the test above.
  ASSERT_TRUE(IsOk(Insert(this->store_, NewNode<TypeParam>(this->type_))));
  TypeParam unnamed = *Find<TypeParam>(this->store_, 1);
  unnamed.set_name("late");
  ASSERT_TRUE(IsOk(Update(this->store_, unnamed)));
  EXPECT_FALSE(Find<TypeParam>(this->store_, 1)->has_name());
  EXPECT_EQ(FindIdByName(this->store_, this->kKind, this->type_, "late"), std::nullopt);

  ASSERT_TRUE(IsOk(Insert(this->store_, this->Named("a"))));
  TypeParam named = *Find<TypeParam>(this->store_, 2);
  named.clear_name();
  ASSERT_TRUE(IsOk(Update(this->store_, named)));
  EXPECT_EQ(Find<TypeParam>(this->store_, 2)->name(), "a");
}

TYPED_TEST(TransactionOf, InsertUpdateAndUpdateAgainInOneRequest) {
  ASSERT_TRUE(IsOk(this->store_->Write([&](Transaction& transaction) -> absl::Status {
    TypeParam node = this->WithExternalId("first");
    auto id = transaction.Insert(&node, {});
    if (!id.ok()) return id.status();
    for (const char* external_id : {"second", "third", "first"}) {
      auto record = transaction.FindRecord(this->kKind, *id);
      if (!record.ok()) return record.status();
      node.set_external_id(external_id);
      absl::Status status = transaction.Update(**record, &node, UpdateTime::kStrictlyLater);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  })));
  EXPECT_EQ(FindIdByExternalId(this->store_, this->kKind, "first"), 1);
  EXPECT_EQ(FindIdByExternalId(this->store_, this->kKind, "second"), std::nullopt);
  EXPECT_EQ(Find<TypeParam>(this->store_, 1)->last_update_time_since_epoch(),
            TestStore::kStartMs + 3);
}

TEST(Transaction, ArtifactsAreFoundByUriAndTheirUriCanChange) {
  TestStore store;
  const int64_t type = PutType<Artifact>(store, "Type");
  for (const char* uri : {"s3://a", "s3://b", "s3://a", "s3://ab"}) {
    Artifact artifact = NewNode<Artifact>(type);
    artifact.set_uri(uri);
    ASSERT_TRUE(IsOk(Insert(store, artifact)));
  }
  EXPECT_EQ(ArtifactsByUri(store, "s3://a"), Ids({1, 3}));
  EXPECT_EQ(ArtifactsByUri(store, "s3://"), Ids());
  EXPECT_EQ(ArtifactsByUri(store, ""), Ids());
  Artifact first = *Find<Artifact>(store, 1);
  first.set_uri("s3://b");
  ASSERT_TRUE(IsOk(Update(store, first)));
  first.clear_uri();
  first.set_id(3);
  ASSERT_TRUE(IsOk(Update(store, first)));
  EXPECT_EQ(ArtifactsByUri(store, "s3://a"), Ids());
  EXPECT_EQ(ArtifactsByUri(store, "s3://b"), Ids({1, 2}));
  EXPECT_EQ(ArtifactsByUri(store, ""), Ids({3}));
  EXPECT_EQ(Problems(store), "");
}

TEST(Transaction, UrisThatDifferBeyondTheKeyAreApart) {
  TestStore store;
  const int64_t type = PutType<Artifact>(store, "Type");
  const std::string head(500, 'u');
  for (const char* tail : {"a", "b", "a"}) {
    Artifact artifact = NewNode<Artifact>(type);
    artifact.set_uri(head + tail);
    ASSERT_TRUE(IsOk(Insert(store, artifact)));
  }
  EXPECT_EQ(ArtifactsByUri(store, head + "a"), Ids({1, 3}));
  EXPECT_EQ(ArtifactsByUri(store, head + "b"), Ids({2}));
  EXPECT_EQ(ArtifactsByUri(store, head), Ids());
}

TEST(Transaction, NamesInErrorsAreCutAndEscaped) {
  TestStore store;
  const int64_t type = PutType<Context>(store, "Type");
  const std::string name = std::string(1, '\x01') + std::string(100'000, 'n');
  ASSERT_TRUE(IsOk(Insert(store, NewNode<Context>(type, name))));
  const auto again = Insert(store, NewNode<Context>(type, name));
  EXPECT_TRUE(Fails(again, StatusCode::kAlreadyExists, "\\001nnn"));
  EXPECT_LT(again.status().message().size(), 1024u);
}

}  // namespace
}  // namespace pedigree
