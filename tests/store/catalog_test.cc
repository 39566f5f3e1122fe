#include "store/catalog.h"

#include <gtest/gtest.h>

namespace pedigree {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Context;
using ml_metadata::Execution;

template <class Node>
class CatalogOf : public testing::Test {
 protected:
  using Type = typename TraitsOf<Node>::Type;

  std::shared_ptr<Type> NewType(int64_t id, const std::string& name) {
    auto type = std::make_shared<Type>();
    type->set_id(id);
    type->set_name(name);
    return type;
  }

  TypeTable<Node>& table() { return catalog_.Of<Node>(); }

  Catalog catalog_;
};
using Nodes = testing::Types<Artifact, Execution, Context>;
TYPED_TEST_SUITE(CatalogOf, Nodes);

TYPED_TEST(CatalogOf, FindsTypesByIdNameAndExternalId) {
  auto type = this->NewType(10, "Model");
  type->set_external_id("x");
  this->table().Put(type);
  EXPECT_EQ(this->table().FindById(10), type.get());
  EXPECT_EQ(this->table().FindByName("Model", ""), type.get());
  EXPECT_EQ(this->table().FindByExternalId("x"), type.get());
  EXPECT_EQ(this->catalog_.TypeName(TraitsOf<TypeParam>::kKind, 10), "Model");

  EXPECT_EQ(this->table().FindById(11), nullptr);
  EXPECT_EQ(this->table().FindByName("Model", "v1"), nullptr);
  EXPECT_EQ(this->table().FindByName("model", ""), nullptr);
  EXPECT_EQ(this->table().FindByExternalId(""), nullptr);
  EXPECT_EQ(this->catalog_.TypeName(TraitsOf<TypeParam>::kKind, 11), "");
}

TYPED_TEST(CatalogOf, AnEmptyVersionIsTheUnsetOne) {
  auto unset = this->NewType(10, "Model");
  auto v1 = this->NewType(11, "Model");
  v1->set_version("v1");
  this->table().Put(unset);
  this->table().Put(v1);
  EXPECT_EQ(this->table().FindByName("Model", ""), unset.get());
  EXPECT_EQ(this->table().FindByName("Model", "v1"), v1.get());

  auto empty = this->NewType(10, "Model");
  empty->set_version("");
  this->table().Put(empty);
  EXPECT_EQ(this->table().FindByName("Model", ""), empty.get());
}

TYPED_TEST(CatalogOf, ReplacingATypeReleasesItsExternalId) {
  auto first = this->NewType(10, "Model");
  first->set_external_id("old");
  this->table().Put(first);
  auto second = this->NewType(10, "Model");
  second->set_external_id("new");
  this->table().Put(second);
  EXPECT_EQ(this->table().FindByExternalId("old"), nullptr);
  EXPECT_EQ(this->table().FindByExternalId("new"), second.get());
  EXPECT_EQ(this->table().FindById(10), second.get());

  this->table().Put(this->NewType(10, "Model"));
  EXPECT_EQ(this->table().FindByExternalId("new"), nullptr);
  EXPECT_EQ(this->table().all().size(), 1u);
}

TYPED_TEST(CatalogOf, ACopyChangesWithoutTheOriginal) {
  auto type = this->NewType(10, "Model");
  this->table().Put(type);
  Catalog copy = this->catalog_;
  copy.Of<TypeParam>().Put(this->NewType(11, "Data"));
  auto changed = this->NewType(10, "Model");
  changed->set_external_id("x");
  copy.Of<TypeParam>().Put(changed);
  EXPECT_EQ(this->table().all().size(), 1u);
  EXPECT_EQ(this->table().FindById(10), type.get());
  EXPECT_EQ(this->table().FindByExternalId("x"), nullptr);
  EXPECT_EQ(copy.Of<TypeParam>().FindById(10), changed.get());
}

TYPED_TEST(CatalogOf, AllStandInIdOrder) {
  for (int64_t id : {12, 10, 11}) this->table().Put(this->NewType(id, std::to_string(id)));
  int64_t expected = 10;
  for (const auto& [id, type] : this->table().all()) {
    EXPECT_EQ(id, expected++);
    EXPECT_EQ(type->id(), id);
  }
}

TEST(Catalog, KindsAreApart) {
  Catalog catalog;
  auto type = std::make_shared<ml_metadata::ArtifactType>();
  type->set_id(10);
  type->set_name("Same");
  type->set_external_id("x");
  catalog.Of<Artifact>().Put(type);
  EXPECT_EQ(catalog.Of<Execution>().FindById(10), nullptr);
  EXPECT_EQ(catalog.Of<Context>().FindByName("Same", ""), nullptr);
  EXPECT_EQ(catalog.Of<Execution>().FindByExternalId("x"), nullptr);
}

TEST(Catalog, NineTypesArePredefined) {
  Catalog catalog;
  AddPredefinedTypes(&catalog);
  const std::vector<std::string> artifact_types = {"mlmd.Dataset", "mlmd.Model", "mlmd.Metrics",
                                                   "mlmd.Statistics"};
  const std::vector<std::string> execution_types = {"mlmd.Train", "mlmd.Transform", "mlmd.Process",
                                                    "mlmd.Evaluate", "mlmd.Deploy"};
  int64_t id = 0;
  for (const std::string& name : artifact_types) {
    EXPECT_EQ(catalog.Of<Artifact>().FindById(++id), catalog.Of<Artifact>().FindByName(name, ""));
    EXPECT_EQ(catalog.TypeName(NodeKind::kArtifact, id), name);
  }
  for (const std::string& name : execution_types) {
    EXPECT_EQ(catalog.Of<Execution>().FindById(++id), catalog.Of<Execution>().FindByName(name, ""));
    EXPECT_EQ(catalog.TypeName(NodeKind::kExecution, id), name);
  }
  EXPECT_EQ(id, kLastPredefinedTypeId);
  EXPECT_TRUE(catalog.Of<Context>().all().empty());
}

}  // namespace
}  // namespace pedigree
