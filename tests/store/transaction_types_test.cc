// Types in transactions, for the three kinds alike.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/store/random_message.h"
#include "tests/store/test_store.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Execution;

template <class Node>
class TypesOf : public testing::Test {
 protected:
  using Type = typename TraitsOf<Node>::Type;

  ~TypesOf() override { EXPECT_EQ(Problems(store_), ""); }

  static Type Named(const std::string& name) {
    Type type;
    type.set_name(name);
    return type;
  }

  absl::StatusOr<int64_t> Put(Type type) {
    absl::Status status = store_->Write(
        [&](Transaction& transaction) { return transaction.PutType<Node>(&type).status(); });
    if (!status.ok()) return status;
    return type.id();
  }

  // The type as readers see it, "(none)" if there is none.
  std::string Text(int64_t id) {
    std::string text;
    EXPECT_TRUE(IsOk(store_->Read(Blocking::kAllowed, [&](const Reader& reader) {
      const Type* type = reader.catalog().Of<Node>().FindById(id);
      text = type == nullptr ? "(none)" : type->ShortDebugString();
      return absl::OkStatus();
    })));
    return text;
  }

  TestStore store_;
};
using Nodes = testing::Types<Artifact, Execution, Context>;
TYPED_TEST_SUITE(TypesOf, Nodes);

TYPED_TEST(TypesOf, AllKindsShareOneSequenceOfIds) {
  EXPECT_EQ(*this->Put(this->Named("first")), kLastPredefinedTypeId + 1);
  EXPECT_EQ(PutType<Artifact>(this->store_, "A"), kLastPredefinedTypeId + 2);
  EXPECT_EQ(PutType<Execution>(this->store_, "E"), kLastPredefinedTypeId + 3);
  EXPECT_EQ(PutType<Context>(this->store_, "C"), kLastPredefinedTypeId + 4);
  EXPECT_EQ(*this->Put(this->Named("last")), kLastPredefinedTypeId + 5);
}

TYPED_TEST(TypesOf, ComeBackWithAllFieldsAlsoAfterAReopen) {
  Random random;
  std::vector<std::string> texts;
  for (int i = 0; i < 50; ++i) {
    auto type = RandomMessage<typename TestFixture::Type>(random);
    type.clear_id();
    type.set_name(absl::StrCat("type ", i));
    type.set_external_id(absl::StrCat("external ", i));
    const auto id = this->Put(type);
    ASSERT_TRUE(IsOk(id));
    type.set_id(*id);
    texts.push_back(type.ShortDebugString());
    EXPECT_EQ(this->Text(*id), texts.back());
  }
  this->store_.Reopen();
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(this->Text(kLastPredefinedTypeId + 1 + static_cast<int64_t>(i)), texts[i]);
  }
}

TYPED_TEST(TypesOf, AnIdReplacesTheStoredOne) {
  const int64_t id = *this->Put(this->Named("Model"));
  auto type = this->Named("Model");
  type.set_id(id);
  (*type.mutable_properties())["accuracy"] = ml_metadata::DOUBLE;
  EXPECT_EQ(*this->Put(type), id);
  EXPECT_EQ(this->Text(id), type.ShortDebugString());
  EXPECT_EQ(*this->Put(this->Named("Next")), id + 1) << "a replaced type takes no new id";
}

TYPED_TEST(TypesOf, ExternalIdsAreUniqueAndReleased) {
  auto first = this->Named("first");
  first.set_external_id("x");
  const int64_t first_id = *this->Put(first);
  auto second = this->Named("second");
  second.set_external_id("x");
  EXPECT_TRUE(Fails(this->Put(second), StatusCode::kAlreadyExists, "'first'"));
  second.clear_external_id();
  const int64_t second_id = *this->Put(second);
  EXPECT_EQ(second_id, first_id + 1) << "the id of the refused one is given back";

  second.set_id(second_id);
  second.set_external_id("x");
  EXPECT_TRUE(Fails(this->Put(second), StatusCode::kAlreadyExists, "'x'"));
  first.set_id(first_id);
  EXPECT_TRUE(IsOk(this->Put(first))) << "its own external id is no conflict";
  first.set_external_id("y");
  EXPECT_TRUE(IsOk(this->Put(first)));
  EXPECT_TRUE(IsOk(this->Put(second))) << "what one gave up another may take";
}

TYPED_TEST(TypesOf, OfAFailedRequestAreNotSeen) {
  const absl::Status status = this->store_->Write([&](Transaction& transaction) -> absl::Status {
    auto type = this->Named("Model");
    EXPECT_TRUE(IsOk(transaction.PutType<TypeParam>(&type)));
    EXPECT_NE(transaction.catalog().template Of<TypeParam>().FindByName("Model", ""), nullptr);
    return absl::CancelledError("on purpose");
  });
  EXPECT_TRUE(Fails(status, StatusCode::kCancelled));
  EXPECT_EQ(this->Text(kLastPredefinedTypeId + 1), "(none)");
  ASSERT_TRUE(IsOk(this->store_->Write([&](Transaction& transaction) {
    EXPECT_EQ(transaction.catalog().template Of<TypeParam>().FindByName("Model", ""), nullptr);
    return absl::OkStatus();
  })));
  this->store_.Reopen();
  EXPECT_EQ(this->Text(kLastPredefinedTypeId + 1), "(none)");
}

TYPED_TEST(TypesOf, TwoOfOneRequestAreBothSeenInIt) {
  ASSERT_TRUE(IsOk(this->store_->Write([&](Transaction& transaction) -> absl::Status {
    for (const char* name : {"a", "b"}) {
      auto type = this->Named(name);
      auto id = transaction.PutType<TypeParam>(&type);
      if (!id.ok()) return id.status();
      auto node = NewNode<TypeParam>(*id, "node");
      if (auto inserted = transaction.Insert(&node, {}); !inserted.ok()) return inserted.status();
    }
    EXPECT_NE(transaction.catalog().template Of<TypeParam>().FindByName("a", ""), nullptr);
    EXPECT_NE(transaction.catalog().template Of<TypeParam>().FindByName("b", ""), nullptr);
    return absl::OkStatus();
  })));
}

// A reader keeps the catalog of its version, whatever is written meanwhile.
TYPED_TEST(TypesOf, AReadersCatalogStandsStill) {
  EXPECT_TRUE(IsOk(this->store_->Read(Blocking::kAllowed, [&](const Reader& reader) {
    const size_t before = reader.catalog().Of<TypeParam>().all().size();
    EXPECT_TRUE(IsOk(this->Put(this->Named("late"))));
    EXPECT_EQ(reader.catalog().Of<TypeParam>().all().size(), before);
    return absl::OkStatus();
  })));
  EXPECT_NE(this->Text(kLastPredefinedTypeId + 1), "(none)");
}

}  // namespace
}  // namespace pedigree
