// Get{Artifacts,Executions,Contexts}*: by id, name, external id and uri; lists, pages and tokens.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "store/codec.h"
#include "tests/server/node_calls.h"
#include "tests/server/test_store.h"

namespace pedigree {
namespace {

namespace mlmd = ml_metadata;
using absl::StatusCode;
using ::pedigree::testing::ExpectEqual;
using ::pedigree::testing::ExpectRefused;
using ::pedigree::testing::FromText;
using ::pedigree::testing::IdsOf;
using ::pedigree::testing::KindName;
using ::pedigree::testing::NodeKinds;
using ::pedigree::testing::NodeTest;
using Ids = std::vector<int64_t>;

// What a list answers, of whatever call.
struct Page {
  Ids ids;
  std::string token;
};

template <class Node>
class ReadNodes : public NodeTest<Node> {
 protected:
  using Rpc = RpcOf<Node>;
  using ListRequest = typename Rpc::ListRequest;
  using ByTypeRequest = typename Rpc::ByTypeRequest;

  // `count` nodes, of the types 10 and 11 in turn, updated in an order that is not that of ids.
  void PutMany(int count) {
    for (int i = 0; i < count; ++i) {
      this->store_.MoveClock(1);
      this->PutText(absl::StrCat("type_id: ", 10 + i % 2, " name: 'n", i, "'"));
    }
    for (int i = 0; i < count; i += 3) {
      if (i % 2 == 0) this->store_.MoveClock(1);  // Some times are equal.
      const int id = (i * 7) % count + 1;
      this->PutText(absl::StrCat("id: ", id, " name: 'n", id - 1,
                                 "' custom_properties { key: 'k' value { int_value: ", i, " } }"));
    }
  }

  template <class Request>
  Page List(const Request& request) {
    const auto answer = this->store_.Answer(request);
    const auto* token = answer->GetDescriptor()->FindFieldByName("next_page_token");
    return {IdsOf(this->store_.template Nodes<Node>(request)),
            answer->GetReflection()->GetString(*answer, token)};
  }

  // All pages of a list, one after the other.
  template <class Request>
  Ids Walk(Request request) {
    Ids all;
    for (int pages = 0; pages < 1000; ++pages) {
      const Page page = List(request);
      EXPECT_LE(page.ids.size(), static_cast<size_t>(request.options().max_result_size()));
      all.insert(all.end(), page.ids.begin(), page.ids.end());
      if (page.token.empty()) return all;
      request.mutable_options()->set_next_page_token(page.token);
    }
    ADD_FAILURE() << "the list does not end";
    return all;
  }
};
TYPED_TEST_SUITE(ReadNodes, NodeKinds, KindName);

TYPED_TEST(ReadNodes, ByIdAnswersEachOnceInIdOrderAndSkipsUnknownOnes) {
  this->PutMany(5);
  EXPECT_EQ(IdsOf(this->ReadAll({5, 1, 99, 5, -1, 0, 3, std::numeric_limits<int64_t>::max(),
                                 std::numeric_limits<int64_t>::min()})),
            (Ids{1, 3, 5}));
  EXPECT_EQ(this->ReadAll({}).size(), 0U);
}

TYPED_TEST(ReadNodes, HundredThousandIdsInOneCallAreAnswered) {
  this->PutMany(10);
  Ids ids(100'000);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(ids.size() - i);
  EXPECT_EQ(this->ReadAll(ids).size(), 10U);
}

TYPED_TEST(ReadNodes, HundredThousandExternalIdsInOneCallAreAnswered) {
  this->PutTexts({"type_id: 10 name: 'a' external_id: '99999'"});
  typename TestFixture::Rpc::ByExternalIdsRequest request;
  for (int id = 0; id < 100'000; ++id) request.add_external_ids(absl::StrCat(id));
  EXPECT_EQ(this->store_.template Nodes<TypeParam>(request).size(), 1U);
}

TYPED_TEST(ReadNodes, ByTypeAndNameAnswersAnEmptyMessageWhereThereIsNone) {
  using Request = typename RpcOf<TypeParam>::ByTypeAndNameRequest;
  this->PutMany(2);
  const std::string field = absl::StrCat(TraitsOf<TypeParam>::kName, "_name");
  const auto find = [&](const std::string& type, const std::string& name) {
    return this->store_.template Nodes<TypeParam>(
        FromText<Request>(absl::StrCat("type_name: '", type, "' ", field, ": '", name, "'")));
  };
  ASSERT_EQ(find("u", "n1").size(), 1U);
  ExpectEqual(find("u", "n1")[0], this->Read(2));
  EXPECT_TRUE(find("t", "n1").empty());
  EXPECT_TRUE(find("t", "N1").empty());
  EXPECT_TRUE(find("t", "").empty());
  EXPECT_TRUE(find("nothing", "n1").empty());
  EXPECT_TRUE(this->store_.template Nodes<TypeParam>(Request()).empty());
}

TYPED_TEST(ReadNodes, ByExternalIdsAnswersThoseThatExist) {
  using Request = typename RpcOf<TypeParam>::ByExternalIdsRequest;
  this->PutTexts({"type_id: 10 name: 'a' external_id: 'x'", "type_id: 10 name: 'b'",
                  "type_id: 11 name: 'c' external_id: 'y'"});
  const auto find = [&](const std::string& text) {
    return IdsOf(this->store_.template Nodes<TypeParam>(FromText<Request>(text)));
  };
  EXPECT_EQ(find("external_ids: ['y', 'z', 'x', 'y']"), (Ids{1, 3}));
  EXPECT_EQ(find(""), Ids{});
  ExpectRefused(this->store_, FromText<Request>("external_ids: ['z', 'Y']"), StatusCode::kNotFound);
  ExpectRefused(this->store_, FromText<Request>("external_ids: ['x', '']"),
                StatusCode::kInvalidArgument);
}

TYPED_TEST(ReadNodes, EveryAnswerFillsTheType) {
  this->PutText("type_id: 11 name: 'a' external_id: 'x'");
  const auto node = this->Read(1);
  EXPECT_EQ(node.type(), "u");
  const auto expect = [&](const google::protobuf::Message& request) {
    const auto nodes = this->store_.template Nodes<TypeParam>(request);
    ASSERT_EQ(nodes.size(), 1U) << request.GetTypeName();
    ExpectEqual(nodes[0], node);
  };
  expect(typename TestFixture::ListRequest());
  expect(FromText<typename TestFixture::ListRequest>("options { }"));
  expect(FromText<typename TestFixture::ListRequest>(
      "options { order_by_field { field: CREATE_TIME } }"));
  expect(FromText<typename TestFixture::ListRequest>(
      "options { order_by_field { field: LAST_UPDATE_TIME } }"));
  expect(FromText<typename TestFixture::ByTypeRequest>("type_name: 'u'"));
  expect(FromText<typename TestFixture::Rpc::ByExternalIdsRequest>("external_ids: 'x'"));
}

TYPED_TEST(ReadNodes, WithoutOptionsAListIsWhole) {
  this->PutMany(130);
  EXPECT_EQ(this->List(typename TestFixture::ListRequest()).ids.size(), 130U);
  const auto of_type = this->List(FromText<typename TestFixture::ByTypeRequest>("type_name: 'u'"));
  EXPECT_EQ(of_type.ids.size(), 65U);
  EXPECT_TRUE(std::is_sorted(of_type.ids.begin(), of_type.ids.end()));
  EXPECT_EQ(this->List(FromText<typename TestFixture::ByTypeRequest>("type_name: 'x'")).ids, Ids{});
}

TYPED_TEST(ReadNodes, PagesOfEverySizeAndOrderMakeUpTheWholeList) {
  this->PutMany(40);
  struct Row {
    int64_t key;
    int64_t id;
    auto operator<=>(const Row&) const = default;
  };
  for (const std::string field : {"ID", "CREATE_TIME", "LAST_UPDATE_TIME"}) {
    for (const bool ascending : {true, false}) {
      for (const int size : {1, 3, 7, 39, 40, 100}) {
        const std::string options =
            absl::StrCat("options { max_result_size: ", size, " order_by_field { field: ", field,
                         " is_asc: ", ascending ? "true" : "false", " } }");
        SCOPED_TRACE(options);
        std::vector<Row> rows;
        std::vector<Row> rows_of_u;
        for (const auto& node :
             this->store_.template Nodes<TypeParam>(typename TestFixture::ListRequest())) {
          const Row row = {field == "ID"            ? 0
                           : field == "CREATE_TIME" ? node.create_time_since_epoch()
                                                    : node.last_update_time_since_epoch(),
                           node.id()};
          rows.push_back(row);
          if (node.type() == "u") rows_of_u.push_back(row);
        }
        const auto sorted_ids = [ascending](std::vector<Row> unsorted) {
          std::sort(unsorted.begin(), unsorted.end());
          if (!ascending) std::reverse(unsorted.begin(), unsorted.end());
          Ids ids;
          for (const Row& row : unsorted) ids.push_back(row.id);
          return ids;
        };
        EXPECT_EQ(this->Walk(FromText<typename TestFixture::ListRequest>(options)),
                  sorted_ids(rows));
        EXPECT_EQ(
            this->Walk(FromText<typename TestFixture::ByTypeRequest>("type_name: 'u' " + options)),
            sorted_ids(rows_of_u));
      }
    }
  }
}

TYPED_TEST(ReadNodes, TheSizeOfPagesMayChangeBetweenThem) {
  this->PutMany(10);
  auto request = FromText<typename TestFixture::ListRequest>("options { max_result_size: 3 }");
  const Page first = this->List(request);
  request.mutable_options()->set_next_page_token(first.token);
  request.mutable_options()->set_max_result_size(5);
  const Page second = this->List(request);
  EXPECT_EQ(second.ids, (Ids{4, 5, 6, 7, 8}));
  request.mutable_options()->set_next_page_token(second.token);
  request.mutable_options()->clear_max_result_size();
  const Page third = this->List(request);
  EXPECT_EQ(third.ids, (Ids{9, 10}));
  EXPECT_EQ(third.token, "");
}

TYPED_TEST(ReadNodes, ATokenOutlivesTheServer) {
  this->PutMany(4);
  auto request = FromText<typename TestFixture::ListRequest>("options { max_result_size: 3 }");
  request.mutable_options()->set_next_page_token(this->List(request).token);
  this->store_.Reopen();
  EXPECT_EQ(this->List(request).ids, Ids{4});
}

TYPED_TEST(ReadNodes, BadOptionsAreRefused) {
  this->PutMany(2);
  for (const char* options :
       {"max_result_size: 0", "max_result_size: -1", "max_result_size: -2147483648",
        "order_by_field { field: FIELD_UNSPECIFIED }", "next_page_token: 'x'",
        "next_page_token: '!'", "next_page_token: '\\377'", "next_page_token: 'AAAA'"}) {
    const std::string text = absl::StrCat("options { ", options, " }");
    ExpectRefused(this->store_, FromText<typename TestFixture::ListRequest>(text),
                  StatusCode::kInvalidArgument);
    ExpectRefused(this->store_,
                  FromText<typename TestFixture::ByTypeRequest>("type_name: 't' " + text),
                  StatusCode::kInvalidArgument);
    ExpectRefused(this->store_, FromText<typename TestFixture::ByTypeRequest>(text),
                  StatusCode::kInvalidArgument);
  }
}

TYPED_TEST(ReadNodes, ATokenOfAnotherListIsRefused) {
  this->PutMany(10);
  using List = typename TestFixture::ListRequest;
  using ListOfType = typename TestFixture::ByTypeRequest;
  const std::string token = this->List(FromText<List>("options { max_result_size: 2 }")).token;
  const std::string token_of_t =
      this->List(FromText<ListOfType>("type_name: 't' options { max_result_size: 2 }")).token;
  ASSERT_FALSE(token.empty() || token_of_t.empty());
  const auto with = [](const std::string& rest, const std::string& t) {
    return absl::StrCat("options { next_page_token: '", t, "' ", rest, " }");
  };
  for (const char* other :
       {"order_by_field { field: CREATE_TIME }", "order_by_field { field: LAST_UPDATE_TIME }",
        "order_by_field { is_asc: false }"}) {
    ExpectRefused(this->store_, FromText<List>(with(other, token)), StatusCode::kInvalidArgument);
  }
  ExpectRefused(this->store_, FromText<List>(with("", token_of_t)), StatusCode::kInvalidArgument);
  ExpectRefused(this->store_, FromText<ListOfType>("type_name: 't' " + with("", token)),
                StatusCode::kInvalidArgument);
  ExpectRefused(this->store_, FromText<ListOfType>("type_name: 'u' " + with("", token_of_t)),
                StatusCode::kInvalidArgument);
  // Of another kind's list.
  using Other = std::conditional_t<TestFixture::kIsArtifact, mlmd::GetExecutionsRequest,
                                   mlmd::GetArtifactsRequest>;
  ExpectRefused(this->store_, FromText<Other>(with("", token)), StatusCode::kInvalidArgument);
}

TYPED_TEST(ReadNodes, EveryChangedByteOfATokenIsRefusedOrShowsAnotherPlace) {
  this->PutMany(10);
  auto request = FromText<typename TestFixture::ListRequest>("options { max_result_size: 2 }");
  const std::string token = this->List(request).token;
  for (size_t i = 0; i < token.size(); ++i) {
    for (const char c : {'A', 'z', '_', ' ', '\0'}) {
      std::string changed = token;
      changed[i] = c;
      request.mutable_options()->set_next_page_token(changed);
      const auto status = this->store_.Try(request);
      EXPECT_TRUE(status.ok() || status.code() == StatusCode::kInvalidArgument) << status;
    }
    request.mutable_options()->set_next_page_token(token.substr(0, i));
    if (i > 0) {
      ExpectRefused(this->store_, request, StatusCode::kInvalidArgument);
    }
  }
  request.mutable_options()->set_next_page_token(token + "AAAA");
  ExpectRefused(this->store_, request, StatusCode::kInvalidArgument);
}

// A token is 25 bytes in base64: a version, a digest of 8, a time, an id. The last two say where
// the list goes on; whatever they say, the server answers with some part of the list.
TYPED_TEST(ReadNodes, ForgedPlacesInATokenAreHarmless) {
  this->PutMany(10);
  const int64_t extremes[] = {std::numeric_limits<int64_t>::min(),
                              -1,
                              0,
                              1,
                              255,
                              256,
                              std::numeric_limits<int64_t>::max() - 1,
                              std::numeric_limits<int64_t>::max()};
  for (const std::string field : {"ID", "LAST_UPDATE_TIME"}) {
    for (const char* direction : {"true", "false"}) {
      const std::string options =
          absl::StrCat("options { max_result_size: 2 order_by_field { field: ", field,
                       " is_asc: ", direction, " } }");
      auto all = FromText<typename TestFixture::ListRequest>(options);
      auto of_type = FromText<typename TestFixture::ByTypeRequest>("type_name: 't' " + options);
      const auto forge = [&](auto* request, int64_t time, int64_t id) {
        request->mutable_options()->clear_next_page_token();
        std::string bytes;
        ASSERT_TRUE(absl::WebSafeBase64Unescape(this->List(*request).token, &bytes));
        ASSERT_EQ(bytes.size(), 25U);
        bytes.resize(9);
        AppendTime(&bytes, time);
        AppendId(&bytes, id);
        request->mutable_options()->set_next_page_token(absl::WebSafeBase64Escape(bytes));
        const auto status = this->store_.Try(*request);
        EXPECT_TRUE(status.ok() || status.code() == StatusCode::kInvalidArgument)
            << options << " time " << time << " id " << id << ": " << status;
      };
      for (const int64_t time : extremes) {
        for (const int64_t id : extremes) {
          forge(&all, time, id);
          forge(&of_type, time, id);
        }
      }
    }
  }
}

// As the recorded server does (transcript list_more_than_cap).
TYPED_TEST(ReadNodes, APageBeyondTheCapAnswersOneMoreThanTheCapAndNoToken) {
  this->PutMany(103);
  const Page capped =
      this->List(FromText<typename TestFixture::ListRequest>("options { max_result_size: 100 }"));
  EXPECT_EQ(capped.ids.size(), 100U);
  EXPECT_FALSE(capped.token.empty());
  const Page beyond = this->List(
      FromText<typename TestFixture::ListRequest>("options { max_result_size: 2147483647 }"));
  EXPECT_EQ(beyond.ids.size(), 101U);
  EXPECT_EQ(beyond.token, "");
}

using Artifacts = NodeTest<mlmd::Artifact>;

TEST_F(Artifacts, ByUriAnswersExactMatchesOnceInIdOrder) {
  const std::string stem(200, 'u');  // Longer than what a key keeps.
  PutTexts({"type_id: 10 uri: 'b'", "type_id: 10 uri: 'a'", "type_id: 11 uri: 'b'",
            absl::StrCat("type_id: 10 uri: '", stem, "1'"),
            absl::StrCat("type_id: 10 uri: '", stem, "2'"), "type_id: 10",
            "type_id: 10 uri: '\\000'", "type_id: 10 uri: 'b\\000'"});
  const auto find = [this](const std::string& text) {
    return IdsOf(store_.Nodes<mlmd::Artifact>(FromText<mlmd::GetArtifactsByURIRequest>(text)));
  };
  EXPECT_EQ(find("uris: ['a', 'b', 'b', 'B']"), (Ids{1, 2, 3}));
  EXPECT_EQ(find(absl::StrCat("uris: '", stem, "2'")), Ids{5});
  EXPECT_EQ(find(absl::StrCat("uris: '", stem, "'")), Ids{});
  EXPECT_EQ(find("uris: ''"), Ids{6});
  EXPECT_EQ(find("uris: '\\000'"), Ids{7});
  EXPECT_EQ(find(""), Ids{});
  mlmd::GetArtifactsByURIRequest many;
  for (int i = 0; i < 100'000; ++i) many.add_uris(absl::StrCat(i));
  many.add_uris("b");
  EXPECT_EQ(IdsOf(store_.Nodes<mlmd::Artifact>(many)), (Ids{1, 3}));
}

TEST_F(Artifacts, PopulateArtifactTypesAddsEachTypeOfTheAnswerOnce) {
  PutTexts({"type_id: 11", "type_id: 10", "type_id: 2", "type_id: 11"});
  const auto ask = [this](const std::string& text) {
    return store_.Must<mlmd::GetArtifactsByIDResponse>(text);
  };
  const auto all = ask("artifact_ids: [4, 1, 2] populate_artifact_types: true");
  ASSERT_EQ(all.artifacts_size(), 3);
  ASSERT_EQ(all.artifact_types_size(), 2);
  ExpectEqual(all.artifact_types(0),
              store_.Must<mlmd::GetArtifactTypeResponse>("type_name: 't'").artifact_type());
  EXPECT_EQ(all.artifact_types(1).name(), "u");
  EXPECT_EQ(ask("artifact_ids: 3 populate_artifact_types: true").artifact_types(0).name(),
            "mlmd.Model");
  EXPECT_EQ(ask("artifact_ids: 1").artifact_types_size(), 0);
  EXPECT_EQ(ask("artifact_ids: 99 populate_artifact_types: true").artifact_types_size(), 0);
}

TEST_F(Artifacts, ByContextPagesAndBindsTokensToTheContext) {
  store_.Must<mlmd::PutContextTypeResponse>("context_type { name: 'c' }");
  store_.Must<mlmd::PutContextsResponse>(
      "contexts { type_id: 12 name: 'c1' } contexts { type_id: 12 name: 'c2' }");
  std::string links;
  for (int id = 1; id <= 9; ++id) {
    PutText("type_id: 10");
    absl::StrAppend(&links, "attributions { artifact_id: ", id, " context_id: 1 } ",
                    "attributions { artifact_id: ", id, " context_id: 2 } ");
  }
  store_.Must<mlmd::PutAttributionsAndAssociationsResponse>(links);
  using Response = mlmd::GetArtifactsByContextResponse;
  const auto page = store_.Must<Response>(
      "context_id: 1 options { max_result_size: 4 order_by_field { is_asc: false } }");
  ASSERT_EQ(page.artifacts_size(), 4);
  EXPECT_EQ(page.artifacts(0).id(), 9);
  EXPECT_EQ(page.artifacts(0).type(), "t");
  const std::string next = absl::StrCat("options { order_by_field { is_asc: false } ",
                                        "next_page_token: '", page.next_page_token(), "' }");
  EXPECT_EQ(store_.Must<Response>("context_id: 1 " + next).artifacts_size(), 5);
  testing::ExpectTextRefused(store_, "GetArtifactsByContext", "context_id: 2 " + next,
                             StatusCode::kInvalidArgument);
  testing::ExpectTextRefused(store_, "GetExecutionsByContext", "context_id: 1 " + next,
                             StatusCode::kInvalidArgument);
  testing::ExpectTextRefused(store_, "GetArtifacts", next, StatusCode::kInvalidArgument);
  for (const char* unknown : {"", "context_id: 99", "context_id: 0", "context_id: -1"}) {
    EXPECT_EQ(store_.Must<Response>(unknown).artifacts_size(), 0);
  }
}

}  // namespace
}  // namespace pedigree
