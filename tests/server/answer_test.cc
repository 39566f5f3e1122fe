#include "server/answer.h"

#include <gtest/gtest.h>

#include <string>

#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "server/rpc_traits.h"
#include "tests/server/node_calls.h"
#include "tests/server/test_store.h"

namespace pedigree {
namespace {

namespace mlmd = ml_metadata;
using ::pedigree::testing::ExpectEqual;
using ::pedigree::testing::FromText;
using ::pedigree::testing::KindName;
using ::pedigree::testing::NodeKinds;
using ::pedigree::testing::NodeTest;

TEST(Answer, OfNothingIsNoBytes) {
  const Catalog catalog;
  Answer answer(catalog);
  answer.AddTextIfAny(kNextPageTokenField, "");
  EXPECT_TRUE(answer.status().ok());
  EXPECT_EQ(answer.Release(), "");
}

TEST(Answer, HoldsBytesMessagesAndTextInTheOrderAdded) {
  const Catalog catalog;
  Answer answer(catalog);
  answer.AddBytes(kNodesField, FromText<mlmd::Artifact>("id: 1").SerializeAsString());
  answer.AddMessage(kNodesField, FromText<mlmd::Artifact>("id: 2"));
  answer.AddBytes(kNodesField, "");
  answer.AddTextIfAny(kNextPageTokenField, "token");
  mlmd::GetArtifactsResponse response;
  ASSERT_TRUE(response.ParseFromString(answer.Release()));
  ExpectEqual(
      response,
      FromText<mlmd::GetArtifactsResponse>(
          "artifacts { id: 1 } artifacts { id: 2 } artifacts { } next_page_token: 'token'"));
}

TEST(Answer, LargerThanAMessageCanBeIsRefusedBeforeAnythingIsCopied) {
  const Catalog catalog;
  Answer answer(catalog);
  answer.AddBytes(kNodesField, "small");
  // Never read: there is no room for it.
  const char byte = 'x';
  const char* volatile bytes = &byte;  // Or the compiler complains of bytes that are never read.
  answer.AddBytes(kNodesField, absl::string_view(bytes, (size_t{1} << 31) - 8));
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kResourceExhausted);
  answer.AddBytes(kNodesField, "small");  // Nothing more is added.
  EXPECT_LT(answer.Release().size(), 10U);
}

// Splicing must give what typed messages would give.
template <class Node>
class SplicedAnswer : public NodeTest<Node> {
 protected:
  using ListResponse =
      std::conditional_t<NodeTest<Node>::kIsArtifact, mlmd::GetArtifactsResponse,
                         std::conditional_t<NodeTest<Node>::kIsContext, mlmd::GetContextsResponse,
                                            mlmd::GetExecutionsResponse>>;

  // Field 1 of the answer.
  static Node* AddNode(ListResponse* response) {
    const auto* field = ListResponse::descriptor()->FindFieldByNumber(kNodesField);
    return static_cast<Node*>(response->GetReflection()->AddMessage(response, field));
  }
};
TYPED_TEST_SUITE(SplicedAnswer, NodeKinds, KindName);

TYPED_TEST(SplicedAnswer, IsWhatTypedMessagesWouldGive) {
  // Neighbours of one type and of another, whole nodes and bare ones, a type whose name is long.
  const std::string long_name(300, 'n');
  this->PutType("name: '" + long_name + "'");
  this->PutTexts(
      {"type_id: 10 name: 'a' external_id: 'x' properties { key: 'i' value { int_value: -1 } } "
       "properties { key: 'd' value { double_value: 0.1 } } custom_properties { key: '' value { "
       "struct_value { fields { key: 'k' value { list_value { } } } } } } "
       "system_metadata { type_url: 'u' value: '\\377' }",
       "type_id: 10 name: 'b'", "type_id: 11 name: 'c'", "type_id: 12 name: 'd'",
       "type_id: 11 name: 'e' custom_properties { key: 'type' value { string_value: 'type' } }"});
  typename TestFixture::ListResponse expected;
  ASSERT_TRUE(this->store_.store()
                  .Read(Blocking::kAllowed,
                        [&](const Reader& reader) -> absl::Status {
                          for (int64_t id = 1; id <= 5; ++id) {
                            auto node = reader.FindNode<TypeParam>(id);
                            if (!node.ok()) return node.status();
                            EXPECT_FALSE((*node)->has_type());
                            (*node)->set_type(std::string(
                                reader.catalog().TypeName(TestFixture::kKind, (*node)->type_id())));
                            *TestFixture::AddNode(&expected) = **node;
                          }
                          return absl::OkStatus();
                        })
                  .ok());
  const auto answer = this->store_.Answer(typename TestFixture::Rpc::ListRequest());
  ExpectEqual(*answer, expected);
  EXPECT_EQ(this->Read(4).type(), long_name);
  EXPECT_EQ(this->Read(5).type(), "u");
}

TYPED_TEST(SplicedAnswer, ShowsATypeThatHasGrownAndANodeThatHasChanged) {
  this->PutTexts({"type_id: 11 name: 'a'"});
  typename RpcOf<TypeParam>::PutTypeRequest grow;
  grow.set_can_add_fields(true);
  testing::ReadText("name: 'u' properties { key: 'p' value: INT }", RpcOf<TypeParam>::Type(&grow));
  ASSERT_TRUE(this->store_.Try(grow).ok());
  this->PutText("id: 1 name: 'a' properties { key: 'p' value { int_value: 1 } }");
  EXPECT_EQ(this->Read(1).type(), "u");
  EXPECT_EQ(this->Read(1).properties().at("p").int_value(), 1);
}

}  // namespace
}  // namespace pedigree
