// When last_update_time moves, with clocks that run, stand still and go backwards.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Execution;
using Ids = std::vector<int64_t>;

constexpr int64_t kStart = TestStore::kStartMs;

template <class Node>
class TimesOf : public testing::Test {
 protected:
  static constexpr NodeKind kKind = TraitsOf<Node>::kKind;

  TimesOf() { EXPECT_EQ(*Insert(store_, NewNode<Node>(type_, "node")), 1); }
  ~TimesOf() override { EXPECT_EQ(Problems(store_), ""); }

  Node Stored() { return *Find<Node>(store_, 1); }
  Node Changed() {
    Node node = Stored();
    node.set_external_id(absl::StrCat("change ", ++changes_));
    return node;
  }
  int64_t UpdateTimeAfter(const Node& node, UpdateTime update_time) {
    EXPECT_TRUE(IsOk(Update(store_, node, update_time)));
    return Stored().last_update_time_since_epoch();
  }

  TestStore store_;
  const int64_t type_ = PutType<Node>(store_, "Type");
  int changes_ = 0;
};
using Nodes = testing::Types<Artifact, Execution, Context>;
TYPED_TEST_SUITE(TimesOf, Nodes);

TYPED_TEST(TimesOf, IfChangedMovesOnlyWithAChange) {
  this->store_.SetClock(kStart + 10);
  EXPECT_EQ(this->UpdateTimeAfter(this->Stored(), UpdateTime::kIfChanged), kStart);
  EXPECT_EQ(this->UpdateTimeAfter(this->Changed(), UpdateTime::kIfChanged), kStart + 10);
}

TYPED_TEST(TimesOf, AFieldThatIsNotTheClientsIsNoChange) {
  this->store_.SetClock(kStart + 10);
  TypeParam node = this->Stored();
  node.set_last_update_time_since_epoch(5);
  node.set_create_time_since_epoch(5);
  node.set_type("a name");
  node.clear_type_id();
  EXPECT_EQ(this->UpdateTimeAfter(node, UpdateTime::kIfChanged), kStart);
}

TYPED_TEST(TimesOf, TheOrderOfMapEntriesIsNoChange) {
  TypeParam node = this->Stored();
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    (*node.mutable_custom_properties())[name].set_string_value(name);
  }
  ASSERT_TRUE(IsOk(Update(this->store_, node)));
  this->store_.SetClock(kStart + 10);
  TypeParam same = this->Stored();
  same.clear_custom_properties();
  for (const char* name : {"f", "c", "e", "a", "d", "b"}) {
    (*same.mutable_custom_properties())[name].set_string_value(name);
  }
  EXPECT_EQ(this->UpdateTimeAfter(same, UpdateTime::kIfChanged), kStart);
}

TYPED_TEST(TimesOf, AlwaysMovesWithoutAChange) {
  EXPECT_EQ(this->UpdateTimeAfter(this->Stored(), UpdateTime::kAlways), kStart)
      << "within one millisecond there is nowhere to move";
  this->store_.SetClock(kStart + 10);
  EXPECT_EQ(this->UpdateTimeAfter(this->Stored(), UpdateTime::kAlways), kStart + 10);
  EXPECT_EQ(ByUpdateTime(this->store_, this->kKind), Ids({1}));
}

TYPED_TEST(TimesOf, StrictlyLaterMovesEvenWhenTheClockStands) {
  EXPECT_EQ(this->UpdateTimeAfter(this->Stored(), UpdateTime::kStrictlyLater), kStart + 1);
  EXPECT_EQ(this->UpdateTimeAfter(this->Changed(), UpdateTime::kStrictlyLater), kStart + 2);
  EXPECT_EQ(this->UpdateTimeAfter(this->Stored(), UpdateTime::kStrictlyLater), kStart + 3);
  this->store_.SetClock(kStart + 100);
  EXPECT_EQ(this->UpdateTimeAfter(this->Stored(), UpdateTime::kStrictlyLater), kStart + 100);
}

TYPED_TEST(TimesOf, AClockThatStandsStillKeepsTheTimeOfAChange) {
  EXPECT_EQ(this->UpdateTimeAfter(this->Changed(), UpdateTime::kIfChanged), kStart);
  EXPECT_EQ(this->Stored().external_id(), "change 1");
  EXPECT_EQ(this->UpdateTimeAfter(this->Changed(), UpdateTime::kAlways), kStart);
  EXPECT_EQ(this->Stored().external_id(), "change 2");
}

TYPED_TEST(TimesOf, TimesNeverRunBackwardsWithTheClock) {
  this->store_.SetClock(kStart - 500);
  EXPECT_EQ(*Insert(this->store_, NewNode<TypeParam>(this->type_, "second")), 2);
  EXPECT_EQ(Find<TypeParam>(this->store_, 2)->create_time_since_epoch(), kStart);
  EXPECT_EQ(this->UpdateTimeAfter(this->Changed(), UpdateTime::kIfChanged), kStart);
  EXPECT_EQ(this->UpdateTimeAfter(this->Changed(), UpdateTime::kStrictlyLater), kStart + 1);
  EXPECT_EQ(*Insert(this->store_, NewNode<TypeParam>(this->type_, "third")), 3);
  EXPECT_EQ(Find<TypeParam>(this->store_, 3)->create_time_since_epoch(), kStart + 1);
}

TYPED_TEST(TimesOf, TimesNeverRunBackwardsAcrossAReopen) {
  this->store_.SetClock(kStart + 1000);
  EXPECT_EQ(this->UpdateTimeAfter(this->Changed(), UpdateTime::kIfChanged), kStart + 1000);
  this->store_.SetClock(kStart - 1000);
  this->store_.Reopen();
  EXPECT_EQ(this->UpdateTimeAfter(this->Changed(), UpdateTime::kIfChanged), kStart + 1000);
  EXPECT_EQ(*Insert(this->store_, NewNode<TypeParam>(this->type_, "second")), 2);
  EXPECT_EQ(Find<TypeParam>(this->store_, 2)->create_time_since_epoch(), kStart + 1000);
}

TYPED_TEST(TimesOf, UpdatedNodesMoveInTheOrderOfUpdateTimes) {
  for (int64_t id = 2; id <= 5; ++id) {
    this->store_.SetClock(kStart + id);
    ASSERT_TRUE(IsOk(Insert(this->store_, NewNode<TypeParam>(this->type_, std::to_string(id)))));
  }
  EXPECT_EQ(ByUpdateTime(this->store_, this->kKind), Ids({1, 2, 3, 4, 5}));
  this->store_.SetClock(kStart + 100);
  TypeParam third = *Find<TypeParam>(this->store_, 3);
  third.set_external_id("x");
  ASSERT_TRUE(IsOk(Update(this->store_, third)));
  ASSERT_TRUE(IsOk(Update(this->store_, this->Changed())));
  EXPECT_EQ(ByUpdateTime(this->store_, this->kKind), Ids({2, 4, 5, 1, 3})) << "ties by id";
}

TYPED_TEST(TimesOf, OneRequestHasOneTime) {
  int64_t first = 0;
  int64_t second = 0;
  ASSERT_TRUE(IsOk(this->store_->Write([&](Transaction& transaction) -> absl::Status {
    first = transaction.now_ms();
    this->store_.SetClock(kStart + 1000);
    second = transaction.now_ms();
    return absl::OkStatus();
  })));
  EXPECT_EQ(first, kStart);
  EXPECT_EQ(second, first);
}

}  // namespace
}  // namespace pedigree
