// PutTypes, Put*Type, Get*Type*.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "server/rpc_traits.h"
#include "tests/server/node_calls.h"
#include "tests/server/test_store.h"

namespace pedigree {
namespace {

namespace mlmd = ml_metadata;
using absl::StatusCode;
using ::pedigree::testing::ExpectRefused;
using ::pedigree::testing::ExpectTextRefused;
using ::pedigree::testing::FromText;
using ::pedigree::testing::KindName;
using ::pedigree::testing::NodeKinds;
using ::pedigree::testing::ReadText;
using ::pedigree::testing::TestStore;

TEST(PredefinedTypes, HaveIdsOneToNineAndAreFoundByName) {
  TestStore store;
  int64_t id = 0;
  for (const char* name : {"mlmd.Dataset", "mlmd.Model", "mlmd.Metrics", "mlmd.Statistics"}) {
    const auto type =
        store.Must<mlmd::GetArtifactTypeResponse>(absl::StrCat("type_name: '", name, "'"));
    EXPECT_EQ(type.artifact_type().id(), ++id) << name;
    EXPECT_EQ(type.artifact_type().name(), name);
  }
  for (const char* name :
       {"mlmd.Train", "mlmd.Transform", "mlmd.Process", "mlmd.Evaluate", "mlmd.Deploy"}) {
    const auto type =
        store.Must<mlmd::GetExecutionTypeResponse>(absl::StrCat("type_name: '", name, "'"));
    EXPECT_EQ(type.execution_type().id(), ++id) << name;
  }
  EXPECT_EQ(id, 9);
}

TEST(PredefinedTypes, AreFoundByIdOfTheirKindOnlyAndHiddenFromLists) {
  TestStore store;
  const std::string all = "type_ids: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]";
  EXPECT_EQ(store.Must<mlmd::GetArtifactTypesByIDResponse>(all).artifact_types_size(), 4);
  EXPECT_EQ(store.Must<mlmd::GetExecutionTypesByIDResponse>(all).execution_types_size(), 5);
  EXPECT_EQ(store.Must<mlmd::GetContextTypesByIDResponse>(all).context_types_size(), 0);
  EXPECT_EQ(store.Must<mlmd::GetArtifactTypesResponse>("").artifact_types_size(), 0);
  EXPECT_EQ(store.Must<mlmd::GetExecutionTypesResponse>("").execution_types_size(), 0);
  EXPECT_EQ(store.Must<mlmd::GetContextTypesResponse>("").context_types_size(), 0);
}

TEST(PredefinedTypes, PutAgainTheyKeepTheirId) {
  TestStore store;
  EXPECT_EQ(
      store.Must<mlmd::PutArtifactTypeResponse>("artifact_type { name: 'mlmd.Model' }").type_id(),
      2);
  EXPECT_EQ(store.Must<mlmd::PutExecutionTypeResponse>("execution_type { name: 'mlmd.Deploy' }")
                .type_id(),
            9);
  // A context type has the name to itself.
  EXPECT_EQ(
      store.Must<mlmd::PutContextTypeResponse>("context_type { name: 'mlmd.Model' }").type_id(),
      10);
}

TEST(TypeIds, OfAllKindsComeFromOneSequenceThatBeginsAtTen) {
  TestStore store;
  const auto put = [&store](const std::string& name) {
    return std::vector<int64_t>{
        store
            .Must<mlmd::PutContextTypeResponse>(absl::StrCat("context_type { name: '", name, "' }"))
            .type_id(),
        store
            .Must<mlmd::PutExecutionTypeResponse>(
                absl::StrCat("execution_type { name: '", name, "' }"))
            .type_id(),
        store
            .Must<mlmd::PutArtifactTypeResponse>(
                absl::StrCat("artifact_type { name: '", name, "' }"))
            .type_id()};
  };
  EXPECT_EQ(put("a"), (std::vector<int64_t>{10, 11, 12}));
  EXPECT_EQ(put("b"), (std::vector<int64_t>{13, 14, 15}));
  EXPECT_EQ(put("a"), (std::vector<int64_t>{10, 11, 12}));
  store.Reopen();
  EXPECT_EQ(put("b"), (std::vector<int64_t>{13, 14, 15}));
  EXPECT_EQ(put("c"), (std::vector<int64_t>{16, 17, 18}));
}

TEST(PutTypes, NumbersArtifactThenExecutionThenContextTypes) {
  TestStore store;
  const auto response = store.Must<mlmd::PutTypesResponse>(
      "context_types { name: 'a' } execution_types { name: 'a' } artifact_types { name: 'a' } "
      "artifact_types { name: 'b' } artifact_types { name: 'a' }");
  testing::ExpectEqual(
      response, FromText<mlmd::PutTypesResponse>("artifact_type_ids: [10, 11, 10] "
                                                 "execution_type_ids: 12 context_type_ids: 13"));
}

TEST(PutTypes, StoresAllOrNothing) {
  TestStore store;
  store.Must<mlmd::PutContextTypeResponse>("context_type { name: 'c' external_id: 'x' }");
  const std::string good =
      "artifact_types { name: 'a' } execution_types { name: 'e' } context_types { name: 'd' } ";
  ExpectTextRefused(store, "PutTypes", good + "context_types { }", StatusCode::kInvalidArgument);
  ExpectTextRefused(store, "PutTypes",
                    good + "context_types { name: 'c' properties { key: 'p' value: INT } }",
                    StatusCode::kAlreadyExists);
  ExpectTextRefused(store, "PutTypes", good + "context_types { name: 'f' external_id: 'x' }",
                    StatusCode::kAlreadyExists);
  ExpectTextRefused(store, "PutTypes", good + "context_types { name: 'f' base_type: UNSET }",
                    StatusCode::kUnimplemented);
  // No id was lost.
  EXPECT_EQ(store.Must<mlmd::PutArtifactTypeResponse>("artifact_type { name: 'a' }").type_id(), 11);
}

template <class Node>
class Types : public ::testing::Test {
 protected:
  using Rpc = RpcOf<Node>;
  using Type = typename TraitsOf<Node>::Type;
  using PutRequest = typename Rpc::PutTypeRequest;

  ~Types() override { store_.ExpectSound(); }

  static PutRequest Request(const std::string& type, const std::string& options = "") {
    auto request = FromText<PutRequest>(options);
    ReadText(type, Rpc::Type(&request));
    return request;
  }
  int64_t Put(const std::string& type, const std::string& options = "") {
    return store_.template Must<typename Rpc::PutTypeResponse>(Request(type, options)).type_id();
  }
  void Refused(const std::string& type, const std::string& options, StatusCode code) {
    ExpectRefused(store_, Request(type, options), code);
  }
  std::vector<Type> Find(const std::string& request) {
    return store_.template Nodes<Type>(FromText<typename Rpc::GetTypeRequest>(request));
  }
  std::vector<Type> ByIds(const std::string& request) {
    return store_.template Nodes<Type>(FromText<typename Rpc::TypesByIdRequest>(request));
  }
  std::vector<Type> ByExternalIds(const std::string& request) {
    return store_.template Nodes<Type>(FromText<typename Rpc::TypesByExternalIdsRequest>(request));
  }
  std::vector<Type> All() { return store_.template Nodes<Type>(typename Rpc::GetTypesRequest()); }

  TestStore store_;
};
TYPED_TEST_SUITE(Types, NodeKinds, KindName);

TYPED_TEST(Types, RoundTripWhole) {
  const std::string text =
      "name: 't' version: 'v1' description: 'd \xc3\xa9' external_id: 'x' "
      "properties { key: 'i' value: INT } properties { key: 'd' value: DOUBLE } "
      "properties { key: 's' value: STRING } properties { key: 'st' value: STRUCT } "
      "properties { key: 'p' value: PROTO } properties { key: '' value: BOOLEAN } ";
  EXPECT_EQ(this->Put(text), 10);
  auto expected = FromText<typename TestFixture::Type>(text + "id: 10");
  testing::ExpectEqual(this->Find("type_name: 't' type_version: 'v1'").at(0), expected);
  testing::ExpectEqual(this->ByIds("type_ids: 10").at(0), expected);
  testing::ExpectEqual(this->ByExternalIds("external_ids: 'x'").at(0), expected);
  testing::ExpectEqual(this->All().at(0), expected);
  this->store_.Reopen();
  testing::ExpectEqual(this->Find("type_name: 't' type_version: 'v1'").at(0), expected);
}

TYPED_TEST(Types, AnIdInTheRequestSaysNothing) {
  EXPECT_EQ(this->Put("name: 't' id: 99"), 10);
  EXPECT_EQ(this->Put("name: 't' id: 3"), 10);
  EXPECT_EQ(this->Put("name: 'u' id: 10"), 11);
}

TYPED_TEST(Types, AnEmptyVersionIsNoVersion) {
  EXPECT_EQ(this->Put("name: 't'"), 10);
  EXPECT_EQ(this->Put("name: 't' version: ''"), 10);
  EXPECT_EQ(this->Put("name: 't' version: '1'"), 11);
  EXPECT_EQ(this->Find("type_name: 't' type_version: ''").at(0).id(), 10);
  EXPECT_FALSE(this->Find("type_name: 't'").at(0).has_version());
}

TYPED_TEST(Types, ByIdAnswersInTheOrderAskedWithRepeats) {
  for (const char* name : {"a", "b", "c"}) this->Put(absl::StrCat("name: '", name, "'"));
  EXPECT_EQ(testing::IdsOf(this->ByIds("type_ids: [12, 10, 99, 12, -1, 0, 11]")),
            (std::vector<int64_t>{12, 10, 12, 11}));
  EXPECT_TRUE(this->ByIds("").empty());
}

TYPED_TEST(Types, ByExternalIdsRefuseEmptyOnesAndAnswerNotFoundIfNoneMatches) {
  using Request = typename RpcOf<TypeParam>::TypesByExternalIdsRequest;
  this->Put("name: 'a' external_id: 'x'");
  EXPECT_EQ(this->ByExternalIds("external_ids: ['y', 'x', 'x']").size(), 1U);
  EXPECT_TRUE(this->ByExternalIds("").empty());
  ExpectRefused(this->store_, FromText<Request>("external_ids: ['x', '']"),
                StatusCode::kInvalidArgument);
  ExpectRefused(this->store_, FromText<Request>("external_ids: ['y', 'z']"), StatusCode::kNotFound);
}

TYPED_TEST(Types, UnknownNamesAreNotFound) {
  using Request = typename RpcOf<TypeParam>::GetTypeRequest;
  this->Put("name: 't' version: '1'");
  for (const char* text : {"", "type_name: 'x'", "type_name: 't'", "type_name: 'T'",
                           "type_name: 't' type_version: '2'"}) {
    ExpectRefused(this->store_, FromText<Request>(text), StatusCode::kNotFound);
  }
}

TYPED_TEST(Types, GrowOnlyWhenTheRequestAllowsIt) {
  this->Put("name: 't' properties { key: 'a' value: INT }");
  const std::string more =
      "name: 't' properties { key: 'a' value: INT } properties { key: 'b' value: STRING }";
  this->Refused(more, "", StatusCode::kAlreadyExists);
  this->Refused("name: 't' properties { key: 'b' value: STRING }", "can_add_fields: true",
                StatusCode::kAlreadyExists);
  this->Refused("name: 't'", "", StatusCode::kAlreadyExists);
  this->Refused("name: 't' properties { key: 'a' value: STRING }",
                "can_add_fields: true can_omit_fields: true", StatusCode::kAlreadyExists);
  EXPECT_EQ(this->Put("name: 't'", "can_omit_fields: true"), 10);
  EXPECT_EQ(this->Find("type_name: 't'").at(0).properties_size(), 1);
  EXPECT_EQ(this->Put(more, "can_add_fields: true"), 10);
  EXPECT_EQ(this->Find("type_name: 't'").at(0).properties_size(), 2);
  this->store_.Reopen();
  EXPECT_EQ(this->Find("type_name: 't'").at(0).properties_size(), 2);
}

TYPED_TEST(Types, ARepeatedPutStoresNothing) {
  this->Put("name: 't' properties { key: 'a' value: INT } external_id: 'x'");
  const auto before = this->store_.Dump();
  EXPECT_EQ(this->Put("name: 't' properties { key: 'a' value: INT } description: 'ignored'"), 10);
  EXPECT_EQ(testing::Difference(before, this->store_.Dump()), "");
}

TYPED_TEST(Types, AnExternalIdBelongsToOneType) {
  this->Put("name: 'a' external_id: 'x'");
  this->Put("name: 'b' external_id: 'y'");
  this->Refused("name: 'c' external_id: 'x'", "", StatusCode::kAlreadyExists);
  this->Refused("name: 'b' external_id: 'x'", "", StatusCode::kAlreadyExists);
  EXPECT_EQ(this->Put("name: 'b' external_id: 'z'"), 11);
  EXPECT_EQ(this->Put("name: 'c' external_id: 'y'"), 12);  // It has become free.
  EXPECT_EQ(this->ByExternalIds("external_ids: ['y', 'z']").at(0).id(), 11);
}

TYPED_TEST(Types, WhatNeverWorksIsRefused) {
  this->Refused("", "", StatusCode::kInvalidArgument);
  this->Refused("name: ''", "", StatusCode::kInvalidArgument);
  this->Refused("name: 't' base_type: UNSET", "", StatusCode::kUnimplemented);
  this->Refused("name: 't'", "all_fields_match: false", StatusCode::kUnimplemented);
  EXPECT_EQ(this->Put("name: 't'"), 10);
}

TEST(BaseTypes, CanBeSetOnceAndNotChanged) {
  TestStore store;
  store.Must<mlmd::PutArtifactTypeResponse>("artifact_type { name: 't' }");
  store.Must<mlmd::PutArtifactTypeResponse>("artifact_type { name: 't' base_type: MODEL }");
  store.Must<mlmd::PutArtifactTypeResponse>("artifact_type { name: 't' }");
  EXPECT_EQ(store.Must<mlmd::GetArtifactTypeResponse>("type_name: 't'").artifact_type().base_type(),
            mlmd::ArtifactType::MODEL);
  ExpectTextRefused(store, "PutArtifactType", "artifact_type { name: 't' base_type: DATASET }",
                    StatusCode::kUnimplemented);
}

TEST(ExecutionTypes, KeepTheirInputAndOutputTypes) {
  TestStore store;
  const std::string text =
      "name: 't' input_type { dict { properties { key: 'model' value { simple { name: 'm' } } } } }"
      "output_type { union_type { candidates { none { } } candidates { any { } } } }";
  store.Must<mlmd::PutExecutionTypeResponse>("execution_type { " + text + "}");
  testing::ExpectEqual(
      store.Must<mlmd::GetExecutionTypeResponse>("type_name: 't'").execution_type(),
      FromText<mlmd::ExecutionType>("id: 10 " + text));
}

TEST(TypesById, HundredThousandInOneCallAreAnswered) {
  TestStore store;
  store.Must<mlmd::PutContextTypeResponse>("context_type { name: 't' }");
  mlmd::GetContextTypesByIDRequest request;
  for (int64_t id = 0; id < 100'000; ++id) request.add_type_ids(id);
  EXPECT_EQ(store.Must<mlmd::GetContextTypesByIDResponse>(request).context_types_size(), 1);
}

}  // namespace
}  // namespace pedigree
