#include "tests/migrate/answers.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/migrate/mlmd_files.h"
#include "tests/support/raw_client.h"
#include "tests/support/server_process.h"

namespace pedigree::migrate {
namespace {

using google::protobuf::util::JsonStringToMessage;
using google::protobuf::util::MessageToJsonString;

// Values of the JSON have messages of Any in them: their types must be linked.
const google::protobuf::StringValue kLinked;

template <class Message>
Message Call(testing::RawClient& client, absl::string_view rpc,
             const google::protobuf::Message& request) {
  Message response;
  const grpc::Status status = client.Call(rpc, request, &response);
  EXPECT_TRUE(status.ok() || status.error_code() == grpc::StatusCode::NOT_FOUND)
      << rpc << ": " << status.error_message();
  return response;
}

template <class Rows>
void SortById(Rows* rows) {
  std::sort(rows->begin(), rows->end(),
            [](const auto& a, const auto& b) { return a.id() < b.id(); });
}

// The recorded server left out the external ids of types, which Pedigree answers on purpose.
template <class Types>
void SortAsRecorded(Types* types) {
  SortById(types);
  for (auto& type : *types) type.clear_external_id();
}

class Comparison {
 public:
  Comparison(const std::string& address, const std::string& json) : client_(address) {
    EXPECT_TRUE(JsonStringToMessage(ReadFile(json), &expected_).ok()) << json;
    EXPECT_EQ(expected_.fields_size(), 10) << json;
  }

  void Run() {
    CompareRows<ml_metadata::GetArtifactTypesResponse, ml_metadata::GetArtifactTypesRequest>(
        "GetArtifactTypes", [](auto& answer) { SortAsRecorded(answer.mutable_artifact_types()); });
    CompareRows<ml_metadata::GetExecutionTypesResponse, ml_metadata::GetExecutionTypesRequest>(
        "GetExecutionTypes",
        [](auto& answer) { SortAsRecorded(answer.mutable_execution_types()); });
    CompareRows<ml_metadata::GetContextTypesResponse, ml_metadata::GetContextTypesRequest>(
        "GetContextTypes", [](auto& answer) { SortAsRecorded(answer.mutable_context_types()); });
    CompareRows<ml_metadata::GetArtifactsResponse, ml_metadata::GetArtifactsRequest>(
        "GetArtifacts", [](auto& answer) { SortById(answer.mutable_artifacts()); });
    CompareRows<ml_metadata::GetExecutionsResponse, ml_metadata::GetExecutionsRequest>(
        "GetExecutions", [](auto& answer) { SortById(answer.mutable_executions()); });
    CompareRows<ml_metadata::GetContextsResponse, ml_metadata::GetContextsRequest>(
        "GetContexts", [](auto& answer) { SortById(answer.mutable_contexts()); });
    CompareEvents();
    CompareMembers<ml_metadata::GetArtifactsByContextResponse,
                   ml_metadata::GetArtifactsByContextRequest>(
        "attributions", "GetArtifactsByContext", [](auto& answer) { return answer.artifacts(); });
    CompareMembers<ml_metadata::GetExecutionsByContextResponse,
                   ml_metadata::GetExecutionsByContextRequest>(
        "associations", "GetExecutionsByContext", [](auto& answer) { return answer.executions(); });
    CompareMembers<ml_metadata::GetParentContextsByContextResponse,
                   ml_metadata::GetParentContextsByContextRequest>(
        "parents", "GetParentContextsByContext", [](auto& answer) { return answer.contexts(); });
  }

 private:
  // The part of the file as a message.
  template <class Message>
  Message Expected(const std::string& name) {
    Message message;
    std::string json;
    EXPECT_TRUE(MessageToJsonString(expected_.fields().at(name).struct_value(), &json).ok());
    const auto status = JsonStringToMessage(json, &message);
    EXPECT_TRUE(status.ok()) << name << ": " << status.ToString();
    return message;
  }

  static void ExpectSame(const std::string& what, const google::protobuf::Message& want,
                         const google::protobuf::Message& got) {
    google::protobuf::util::MessageDifferencer differencer;
    std::string difference;
    differencer.ReportDifferencesToString(&difference);
    EXPECT_TRUE(differencer.Compare(want, got)) << what << ":\n" << difference.substr(0, 2000);
  }

  template <class Response, class Request, class Sort>
  void CompareRows(const std::string& rpc, Sort sort) {
    Response want = Expected<Response>(rpc);
    auto got = Call<Response>(client_, rpc, Request());
    sort(want);
    sort(got);
    ExpectSame(rpc, want, got);
  }

  void CompareEvents() {
    using Response = ml_metadata::GetEventsByExecutionIDsResponse;
    Response want = Expected<Response>("GetEventsByExecutionIDs");
    // The recorded server answered in the order in which its database found them; Pedigree promises
    // one: by execution, then as inserted.
    std::stable_sort(
        want.mutable_events()->begin(), want.mutable_events()->end(),
        [](const auto& a, const auto& b) { return a.execution_id() < b.execution_id(); });
    ml_metadata::GetEventsByExecutionIDsRequest by_execution;
    ml_metadata::GetEventsByArtifactIDsRequest by_artifact;
    std::set<int64_t> artifacts;
    for (const auto& event : want.events()) artifacts.insert(event.artifact_id());
    const auto executions = Call<ml_metadata::GetExecutionsResponse>(
        client_, "GetExecutions", ml_metadata::GetExecutionsRequest());
    for (const auto& execution : executions.executions()) {
      by_execution.add_execution_ids(execution.id());
    }
    ExpectSame("GetEventsByExecutionIDs", want,
               Call<Response>(client_, "GetEventsByExecutionIDs", by_execution));
    // The other way they are the same events.
    for (int64_t id : artifacts) by_artifact.add_artifact_ids(id);
    EXPECT_EQ(Call<ml_metadata::GetEventsByArtifactIDsResponse>(client_, "GetEventsByArtifactIDs",
                                                                by_artifact)
                  .events_size(),
              want.events_size());
  }

  template <class Response, class Request, class Rows>
  void CompareMembers(const std::string& name, const std::string& rpc, Rows rows) {
    const auto& contexts = expected_.fields().at(name).struct_value().fields();
    for (const auto& [context, ids] : contexts) {
      std::set<std::string> want;
      for (const auto& id : ids.list_value().values()) want.insert(id.string_value());
      Request request;
      int64_t context_id = 0;
      EXPECT_TRUE(absl::SimpleAtoi(context, &context_id));
      request.set_context_id(context_id);
      const auto answer = Call<Response>(client_, rpc, request);
      std::set<std::string> got;
      for (const auto& row : rows(answer)) got.insert(absl::StrCat(row.id()));
      EXPECT_EQ(got, want) << rpc << " of context " << context;
    }
  }

  testing::RawClient client_;
  google::protobuf::Struct expected_;
};

}  // namespace

void ExpectAnswers(const std::string& address, const std::string& expected_json) {
  Comparison(address, expected_json).Run();
}

void ExpectServes(const std::string& url, const std::string& expected_json) {
  ScratchDirectory scratch;
  const std::string data_dir = scratch.path() + "/store";
  ASSERT_TRUE(IsOk(ImportUrl(url, data_dir)));
  const auto proof = ProveUrl(url, data_dir);
  ASSERT_TRUE(IsOk(proof));
  EXPECT_TRUE(proof->ok()) << proof->ToTable();
  // The last of two flags counts.
  auto server = testing::ServerProcess::Start(
      {.program = PEDIGREED, .extra_args = {"--data_dir=" + data_dir}});
  ASSERT_TRUE(IsOk(server));
  ExpectAnswers((*server)->address(), expected_json);
  EXPECT_TRUE(IsOk((*server)->Stop()));
}

}  // namespace pedigree::migrate
