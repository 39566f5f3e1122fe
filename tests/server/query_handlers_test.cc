// pedigree.v1.QueryService through its table of methods.
#include "server/query_handlers.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "server/methods.h"
#include "tests/server/test_store.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using testing::TestStore;

template <class Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

class QueryService : public ::testing::Test {
 protected:
  QueryService() {
    store_.Must<ml_metadata::PutExecutionTypeResponse>("execution_type { name: 'step' }");
    for (int i = 1; i <= 5; ++i) {
      store_.Must<ml_metadata::PutExecutionsResponse>(absl::StrCat(
          "executions { type_id: 10 name: 'e", i,
          "' custom_properties { key: 'run_id' value { string_value: 'r", i % 2, "' } } }"));
    }
    store_.Must<ml_metadata::PutContextTypeResponse>("context_type { name: 'run' }");
    store_.Must<ml_metadata::PutContextsResponse>("contexts { type_id: 11 name: 'c' }");
  }

  template <class Response, class Request>
  absl::StatusOr<Response> Call(absl::string_view rpc, const Request& request) {
    const Method* method = FindMethod(kQueryServiceName, rpc);
    if (method == nullptr) return absl::UnimplementedError("no such method");
    const auto call = method->make();
    absl::Status status = call->Parse(request.SerializeAsString());
    if (status.ok() && method->writes) {
      status =
          store_.store().Write([&](Transaction& transaction) { return call->Write(transaction); });
    } else if (status.ok()) {
      status = store_.store().Read(Blocking::kAllowed,
                                   [&](const Reader& reader) { return call->Read(reader); });
    }
    if (!status.ok()) return status;
    Response response;
    EXPECT_TRUE(response.ParseFromString(call->ReleaseReply()));
    return response;
  }

  absl::StatusOr<v1::ExplainResponse> Explain(const std::string& text) {
    return Call<v1::ExplainResponse>("Explain", FromText<v1::ExplainRequest>(text));
  }
  absl::StatusOr<v1::AddPropertyIndexResponse> Add(const std::string& text) {
    return Call<v1::AddPropertyIndexResponse>("AddPropertyIndex",
                                              FromText<v1::AddPropertyIndexRequest>(text));
  }
  absl::Status Drop(const std::string& text) {
    return Call<v1::DropPropertyIndexResponse>("DropPropertyIndex",
                                               FromText<v1::DropPropertyIndexRequest>(text))
        .status();
  }
  v1::ListPropertyIndexesResponse List() {
    return *Call<v1::ListPropertyIndexesResponse>("ListPropertyIndexes",
                                                  v1::ListPropertyIndexesRequest());
  }

  // The state of the newest index, once it is `state` or nothing comes of waiting.
  v1::PropertyIndex::State WaitFor(v1::PropertyIndex::State state) {
    for (int i = 0; i < 500; ++i) {
      const auto list = List();
      if (list.indexes().rbegin()->state() == state) break;
      absl::SleepFor(absl::Milliseconds(20));
    }
    return List().indexes().rbegin()->state();
  }

  TestStore store_;
};

TEST_F(QueryService, ExplainsWhatAListDoes) {
  const auto explained =
      Explain("kind: EXECUTION options { filter_query: 'NOT (id != 3)' max_result_size: 2 }");
  ASSERT_TRUE(explained.ok()) << explained.status();
  EXPECT_EQ(explained->filter(), "(id = 3)");
  EXPECT_EQ(explained->order(), "by id, ascending");
  EXPECT_EQ(explained->source(), "look-ups of 1 execution");
  EXPECT_EQ(explained->estimated_rows(), 1);
  EXPECT_TRUE(explained->is_estimate_exact());
  EXPECT_EQ(explained->candidates(), 1);
  EXPECT_EQ(explained->rows(), 1);
  EXPECT_EQ(explained->error(), "");
}

TEST_F(QueryService, ExplainsListsOfTypesAndContexts) {
  const auto of_type = Explain(
      "kind: EXECUTION type { name: 'step' } options { filter_query: 'id > 0' max_result_size: 2 "
      "order_by_field { field: LAST_UPDATE_TIME is_asc: false } }");
  ASSERT_TRUE(of_type.ok()) << of_type.status();
  EXPECT_EQ(of_type->order(), "by last_update_time, descending");
  EXPECT_EQ(of_type->rows(), 3) << "two and one that says that there are more";
  EXPECT_EQ(Explain("kind: EXECUTION type { name: 'none' } options { filter_query: 'id > 0' }")
                ->candidates(),
            0);
  EXPECT_EQ(Explain("kind: EXECUTION context_id: 1 options { filter_query: 'id > 0' }")->rows(), 0);
}

TEST_F(QueryService, RefusesWhatIsNoQuestion) {
  for (const char* text :
       {"", "kind: EXECUTION", "options { filter_query: 'id = 1' }",
        "kind: EXECUTION options { filter_query: 'id = ' }",
        "kind: EXECUTION options { filter_query: 'id = 1' max_result_size: 0 }"}) {
    EXPECT_EQ(Explain(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
  for (const char* text : {"", "name: 'p'", "kind: CONTEXT"}) {
    EXPECT_EQ(Add(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
  EXPECT_EQ(Drop("kind: EXECUTION is_custom: true name: 'cache_fingerprint'").code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(Drop("kind: EXECUTION name: 'cache_fingerprint'").code(), StatusCode::kNotFound);
}

TEST_F(QueryService, AddsAndDropsIndexes) {
  EXPECT_EQ(List().indexes_size(), 2);
  const std::string filter =
      "kind: EXECUTION options { filter_query: \"custom_properties.run_id.string_value = 'r0'\" }";
  const auto before = Explain(filter);
  EXPECT_EQ(before->missing_index(), "execution custom_properties.run_id");
  EXPECT_EQ(before->candidates(), 5);
  EXPECT_EQ(before->rows(), 2);

  const std::string index = "kind: EXECUTION is_custom: true name: 'run_id'";
  const auto added = Add(index);
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_EQ(added->index().state(), v1::PropertyIndex::BUILDING);
  EXPECT_EQ(added->index().nodes_in_all(), 5);
  EXPECT_EQ(added->index().nodes_done(), 0);
  EXPECT_EQ(WaitFor(v1::PropertyIndex::READY), v1::PropertyIndex::READY);
  EXPECT_EQ(List().indexes_size(), 3);
  const auto after = Explain(filter);
  EXPECT_EQ(after->missing_index(), "");
  EXPECT_EQ(after->candidates(), 2);
  EXPECT_EQ(after->rows(), 2);

  store_.Reopen();
  EXPECT_EQ(Add(index)->index().state(), v1::PropertyIndex::READY);
  EXPECT_EQ(Explain(filter)->candidates(), 2);

  EXPECT_TRUE(Drop(index).ok());
  EXPECT_EQ(Explain(filter)->candidates(), 5);
  for (int i = 0; i < 500 && List().indexes_size() > 2; ++i) {
    absl::SleepFor(absl::Milliseconds(20));
  }
  EXPECT_EQ(List().indexes_size(), 2);
  EXPECT_EQ(Drop(index).code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace pedigree
