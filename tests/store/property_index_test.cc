// Property indexes: what is in them follows every write, for old nodes as well once they are built.
#include "store/property_index.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "store/keys.h"
#include "store/property.h"
#include "tests/store/random.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Execution;
using ml_metadata::Value;
using Ids = std::vector<int64_t>;
using State = PropertyIndex::State;

std::string Encoded(const PropertyValue& value) {
  std::string bytes;
  AppendPropertyValue(&bytes, value);
  return bytes;
}

TEST(PropertyValue, EncodedIntsAreInOrder) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  const std::vector<int64_t> ascending = {kMin, kMin + 1, -256, -1, 0, 1, 255, 256, kMax};
  for (size_t i = 1; i < ascending.size(); ++i) {
    EXPECT_LT(Encoded(PropertyValue::Int(ascending[i - 1])),
              Encoded(PropertyValue::Int(ascending[i])));
  }
}

TEST(PropertyValue, EncodedDoublesAreInOrder) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<double> ascending = {-kInfinity, -1e300, -1.5, -1e-300, -5e-324,  0.0,
                                         5e-324,     1e-300, 1.5,  1e300,   kInfinity};
  for (size_t i = 1; i < ascending.size(); ++i) {
    EXPECT_LT(Encoded(PropertyValue::Double(ascending[i - 1])),
              Encoded(PropertyValue::Double(ascending[i])));
  }
  EXPECT_EQ(Encoded(PropertyValue::Double(-0.0)), Encoded(PropertyValue::Double(0.0)));
}

TEST(PropertyValue, PeekedFromBytesIsThatOfTheMessage) {
  Artifact artifact;
  auto& properties = *artifact.mutable_custom_properties();
  properties["i"].set_int_value(-7);
  properties["d"].set_double_value(-0.5);
  properties["s"].set_string_value(std::string("a\0b", 3));
  properties["b"].set_bool_value(true);
  properties["struct"].mutable_struct_value();
  properties["proto"].mutable_proto_value();
  properties["none"];
  const std::string message = artifact.SerializeAsString();
  int seen = 0;
  PeekNode(NodeKind::kArtifact, message, [&](bool is_custom, absl::string_view entry) {
    EXPECT_TRUE(is_custom);
    const auto property = PeekProperty(entry);
    ASSERT_TRUE(property.has_value());
    const PropertyValue expected = PropertyValue::Of(properties.at(std::string(property->name)));
    EXPECT_EQ(property->value.kind, expected.kind) << property->name;
    EXPECT_EQ(property->value.int_value, expected.int_value);
    EXPECT_EQ(property->value.double_value, expected.double_value);
    EXPECT_EQ(property->value.string_value, expected.string_value);
    ++seen;
  });
  EXPECT_EQ(seen, 7);
}

TEST(PropertyIndex, DefinitionsComeBack) {
  PropertyIndex index;
  index.kind = NodeKind::kContext;
  index.is_custom = true;
  index.state = State::kDropping;
  index.next = 5;
  index.last = 9;
  index.name = std::string("a\0.b", 4);
  PropertyIndex decoded;
  ASSERT_TRUE(PropertyIndex::Decode(index.Encode(), &decoded));
  EXPECT_EQ(decoded.Encode(), index.Encode());
  EXPECT_EQ(decoded.name, index.name);
  for (size_t size = 0; size < index.Encode().size() - index.name.size(); ++size) {
    EXPECT_FALSE(PropertyIndex::Decode(index.Encode().substr(0, size), &decoded)) << size;
  }
}

TEST(PropertyIndexes, AreMaintainedUntilTheyAreDropped) {
  PropertyIndexes indexes;
  AddPredefinedPropertyIndexes(&indexes);
  EXPECT_EQ(indexes.Of(NodeKind::kExecution).size(), 2u);
  EXPECT_TRUE(indexes.Of(NodeKind::kArtifact).empty());
  const auto* found = indexes.Find(NodeKind::kExecution, true, "parent_dag_id");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->id, kParentDagIdIndex);
  EXPECT_EQ(indexes.Find(NodeKind::kExecution, false, "parent_dag_id"), nullptr);
  EXPECT_EQ(indexes.Find(NodeKind::kContext, true, "parent_dag_id"), nullptr);
  PropertyIndex dropping = *found;
  dropping.state = State::kDropping;
  indexes.Put(dropping);
  EXPECT_EQ(indexes.Find(NodeKind::kExecution, true, "parent_dag_id"), nullptr);
  EXPECT_NE(indexes.FindById(kParentDagIdIndex), nullptr);
  indexes.Remove(kParentDagIdIndex);
  EXPECT_EQ(indexes.FindById(kParentDagIdIndex), nullptr);
}

// The nodes that the index has under a value.
Ids Indexed(TestStore& store, uint32_t index, const PropertyValue& value) {
  Ids ids;
  EXPECT_TRUE(IsOk(store->Read(Blocking::kAllowed, [&](const Reader& reader) {
    return reader.VisitIdsUnder(PropertyKey::Prefix(index, value), kFirstId, Direction::kAscending,
                                [&](int64_t id) {
                                  ids.push_back(id);
                                  return true;
                                });
  })));
  return ids;
}

PropertyIndex Define(TestStore& store, NodeKind kind, const std::string& name,
                     bool is_custom = true) {
  PropertyIndex index;
  EXPECT_TRUE(IsOk(store->Write([&](Transaction& transaction) -> absl::Status {
    auto defined = transaction.AddPropertyIndex(kind, is_custom, name);
    if (defined.ok()) index = *defined;
    return defined.status();
  })));
  return index;
}

// Unset once it is gone.
std::optional<PropertyIndex> Definition(TestStore& store, uint32_t id) {
  std::optional<PropertyIndex> definition;
  EXPECT_TRUE(IsOk(store->Read(Blocking::kAllowed, [&](const Reader& reader) {
    const PropertyIndex* index = reader.catalog().property_indexes().FindById(id);
    if (index != nullptr) definition = *index;
    return absl::OkStatus();
  })));
  return definition;
}

// The store works on unfinished indexes by itself; this waits for it.
void WaitUntilFinished(TestStore& store, uint32_t id) {
  for (int i = 0; i < 1000; ++i) {
    const auto definition = Definition(store, id);
    if (!definition.has_value() || definition->state == State::kReady) return;
    absl::SleepFor(absl::Milliseconds(20));
  }
  FAIL() << "index " << id << " is never finished";
}

template <class Node>
class PropertyIndexOf : public testing::Test {
 protected:
  static constexpr NodeKind kKind = TraitsOf<Node>::kKind;

  Node NodeWith(const std::string& text) {
    Node node = NewNode<Node>(type_, absl::StrCat("n", ++names_));
    (*node.mutable_custom_properties())["p"].set_string_value(text);
    return node;
  }

  TestStore store_;
  const int64_t type_ = PutType<Node>(store_, "type");
  int names_ = 0;
};
using Nodes = testing::Types<Artifact, Execution, Context>;
TYPED_TEST_SUITE(PropertyIndexOf, Nodes);

TYPED_TEST(PropertyIndexOf, FollowsInsertsAndUpdates) {
  const PropertyIndex index = Define(this->store_, this->kKind, "p");
  EXPECT_EQ(index.state, State::kReady) << "there is nothing to build";
  ASSERT_TRUE(IsOk(Insert(this->store_, this->NodeWith("a"))));
  ASSERT_TRUE(IsOk(Insert(this->store_, this->NodeWith("b"))));
  ASSERT_TRUE(IsOk(Insert(this->store_, this->NodeWith("a"))));
  const auto indexed = [&](const char* text) {
    return Indexed(this->store_, index.id, PropertyValue::String(text));
  };
  EXPECT_EQ(indexed("a"), (Ids{1, 3}));
  EXPECT_EQ(indexed("b"), (Ids{2}));

  auto node = *Find<TypeParam>(this->store_, 1);
  (*node.mutable_custom_properties())["p"].set_string_value("b");
  ASSERT_TRUE(IsOk(Update(this->store_, node)));
  EXPECT_EQ(indexed("a"), (Ids{3}));
  EXPECT_EQ(indexed("b"), (Ids{1, 2}));

  (*node.mutable_custom_properties())["p"].set_int_value(5);
  ASSERT_TRUE(IsOk(Update(this->store_, node)));
  EXPECT_EQ(indexed("b"), (Ids{2}));
  EXPECT_EQ(Indexed(this->store_, index.id, PropertyValue::Int(5)), (Ids{1}));

  node.mutable_custom_properties()->clear();
  (*node.mutable_custom_properties())["other"].set_int_value(5);
  ASSERT_TRUE(IsOk(Update(this->store_, node)));
  EXPECT_EQ(Indexed(this->store_, index.id, PropertyValue::Int(5)), (Ids{}));

  (*node.mutable_custom_properties())["p"].mutable_struct_value();
  ASSERT_TRUE(IsOk(Update(this->store_, node)));
  EXPECT_EQ(Problems(this->store_), "");
}

TYPED_TEST(PropertyIndexOf, IsBuiltForOldNodes) {
  constexpr int kNodes = 2500;  // Several writes of the builder.
  ASSERT_TRUE(IsOk(this->store_->Write([&](Transaction& transaction) -> absl::Status {
    for (int i = 0; i < kNodes; ++i) {
      TypeParam node = this->NodeWith(i % 5 == 0 ? "fifth" : "other");
      if (auto id = transaction.Insert(&node, {}); !id.ok()) return id.status();
    }
    return absl::OkStatus();
  })));
  const PropertyIndex index = Define(this->store_, this->kKind, "p");
  EXPECT_EQ(index.state, State::kBuilding);
  EXPECT_EQ(index.last, kNodes);
  // Written while it is built: both of these are in it once, under what they are now.
  auto node = *Find<TypeParam>(this->store_, kNodes);
  (*node.mutable_custom_properties())["p"].set_string_value("fifth");
  ASSERT_TRUE(IsOk(Update(this->store_, node)));
  ASSERT_TRUE(IsOk(Insert(this->store_, this->NodeWith("fifth"))));
  WaitUntilFinished(this->store_, index.id);
  const Ids ids = Indexed(this->store_, index.id, PropertyValue::String("fifth"));
  EXPECT_EQ(ids.size(), kNodes / 5 + 2);
  EXPECT_EQ(Problems(this->store_), "");
}

TYPED_TEST(PropertyIndexOf, LeavesNothingWhenItIsDropped) {
  const PropertyIndex index = Define(this->store_, this->kKind, "p");
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(IsOk(Insert(this->store_, this->NodeWith("a"))));
  ASSERT_TRUE(IsOk(this->store_->Write(
      [&](Transaction& transaction) { return transaction.DropPropertyIndex(index.id); })));
  ASSERT_TRUE(IsOk(Insert(this->store_, this->NodeWith("a"))));
  WaitUntilFinished(this->store_, index.id);
  EXPECT_FALSE(Definition(this->store_, index.id).has_value());
  EXPECT_EQ(Indexed(this->store_, index.id, PropertyValue::String("a")), (Ids{}));
  EXPECT_EQ(Problems(this->store_), "");
}

// A restart goes on where the last write left it, whatever the number of restarts.
TEST(PropertyIndex, IsBuiltAcrossRestarts) {
  TestStore store;
  const int64_t type = PutType<Artifact>(store, "type");
  ASSERT_TRUE(IsOk(store->Write([&](Transaction& transaction) -> absl::Status {
    for (int i = 0; i < 3000; ++i) {
      Artifact artifact = NewNode<Artifact>(type);
      (*artifact.mutable_custom_properties())["p"].set_int_value(i % 3);
      if (auto id = transaction.Insert(&artifact, {}); !id.ok()) return id.status();
    }
    return absl::OkStatus();
  })));
  const PropertyIndex index = Define(store, NodeKind::kArtifact, "p");
  for (int restart = 0; restart < 5; ++restart) store.Reopen();
  WaitUntilFinished(store, index.id);
  EXPECT_EQ(Indexed(store, index.id, PropertyValue::Int(1)).size(), 1000u);
  EXPECT_EQ(Problems(store), "");
}

TEST(PropertyIndex, IsDefinedOnce) {
  TestStore store;
  const PropertyIndex index = Define(store, NodeKind::kArtifact, "p");
  EXPECT_EQ(Define(store, NodeKind::kArtifact, "p").id, index.id);
  EXPECT_NE(Define(store, NodeKind::kArtifact, "p", false).id, index.id);
  EXPECT_NE(Define(store, NodeKind::kContext, "p").id, index.id);
}

TEST(PropertyIndex, ThereIsAMostNumber) {
  TestStore store;
  absl::Status status;
  size_t added = 0;
  while (status.ok() && added < 2 * kMaxPropertyIndexes) {
    status = store->Write([&](Transaction& transaction) {
      return transaction.AddPropertyIndex(NodeKind::kArtifact, true, absl::StrCat("p", added))
          .status();
    });
    if (status.ok()) ++added;
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(added, kMaxPropertyIndexes - 2) << "two are there from the start";
}

TEST(PropertyIndex, ThoseOfEveryStoreStay) {
  TestStore store;
  for (uint32_t id : {kCacheFingerprintIndex, kParentDagIdIndex}) {
    const absl::Status status =
        store->Write([&](Transaction& transaction) { return transaction.DropPropertyIndex(id); });
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  }
  const absl::Status unknown =
      store->Write([&](Transaction& transaction) { return transaction.DropPropertyIndex(99); });
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace pedigree
