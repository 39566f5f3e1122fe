// api.TaskService through its table of methods.
#include "server/task_handlers.h"

#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "api/task.pb.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "server/methods.h"
#include "tests/server/test_store.h"

namespace pedigree {
namespace {

using absl::StatusCode;
using testing::FromText;
using testing::TestStore;

constexpr char kTask[] = R"(
  task { pipelineName: 'pipeline/p' namespace: 'ns' runId: 'run' mlmdExecutionID: '1'
         created_at { seconds: 5 nanos: 7 } finished_at { seconds: 6 nanos: 7 }
         fingerprint: 'f' })";

class TaskService : public ::testing::Test {
 protected:
  absl::StatusOr<std::string> CallBytes(absl::string_view rpc, const std::string& request) {
    const auto call = FindMethod(kTaskServiceName, rpc)->make();
    absl::Status status = call->Parse(request);
    if (status.ok() && rpc == "CreateTaskV1") {
      status =
          store_.store().Write([&](Transaction& transaction) { return call->Write(transaction); });
    } else if (status.ok()) {
      status = store_.store().Read(Blocking::kAllowed,
                                   [&](const Reader& reader) { return call->Read(reader); });
    }
    if (!status.ok()) return status;
    return call->ReleaseReply();
  }

  absl::StatusOr<api::Task> Create(const api::CreateTaskRequest& request) {
    auto bytes = CallBytes("CreateTaskV1", request.SerializeAsString());
    if (!bytes.ok()) return bytes.status();
    api::Task task;
    EXPECT_TRUE(task.ParseFromString(*bytes));
    return task;
  }

  api::ListTasksResponse List(const api::ListTasksRequest& request) {
    const auto bytes = CallBytes("ListTasksV1", request.SerializeAsString());
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    api::ListTasksResponse response;
    EXPECT_TRUE(bytes.ok() && response.ParseFromString(*bytes));
    return response;
  }

  // The execution that a look-up of fingerprint 'f' finds; "" if none.
  std::string Hit() {
    api::ListTasksRequest request;
    request.set_page_size(1);
    request.set_sort_by("created_at desc");
    request.set_filter(R"({"predicates":[{"op":"EQUALS","key":"fingerprint","stringValue":"f"},)"
                       R"({"op":"EQUALS","key":"pipelineName","stringValue":"pipeline/p"},)"
                       R"({"op":"EQUALS","key":"namespace","stringValue":"ns"}]})");
    const api::ListTasksResponse response = List(request);
    return response.tasks().empty() ? "" : response.tasks(0).mlmdexecutionid();
  }

  TestStore store_;
};

TEST_F(TaskService, AnswersTheTaskWithItsId) {
  const auto task = Create(FromText<api::CreateTaskRequest>(kTask));
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_EQ(task->id().size(), 36u);
  api::Task expected = FromText<api::CreateTaskRequest>(kTask).task();
  expected.set_id(task->id());
  expected.mutable_created_at()->clear_nanos();
  expected.mutable_finished_at()->clear_nanos();
  testing::ExpectEqual(*task, expected);
  const auto all = List({});
  ASSERT_EQ(all.tasks_size(), 1);
  testing::ExpectEqual(all.tasks(0), expected);
  EXPECT_EQ(all.total_size(), 1);
  EXPECT_NE(Create(FromText<api::CreateTaskRequest>(kTask))->id(), task->id());
  store_.ExpectSound();
}

TEST_F(TaskService, RefusesWhatKubeflowRefuses) {
  struct Case {
    std::string edit;  // A field and its new value.
    std::string part;
  };
  const std::vector<Case> cases = {
      {"id: 'x'", "id must not be given"},
      {"pipelineName: ''", "pipelineName is missing"},
      {"runId: ''", "runId is missing"},
      {"mlmdExecutionID: ''", "mlmdExecutionID is missing"},
      {"fingerprint: ''", "fingerprint is missing"},
      {"pipelineName: 'namespace/other/pipeline/p'", "of namespace 'other', the task of 'ns'"},
      {"pipelineName: 'namespace/ns/p'", "is not namespace/<namespace>/pipeline/<name>"},
      {"pipelineName: 'namespace/'", "is not namespace/<namespace>/pipeline/<name>"},
  };
  for (const Case& one : cases) {
    auto request = FromText<api::CreateTaskRequest>(kTask);
    if (absl::EndsWith(one.edit, "''")) {
      const std::string field = one.edit.substr(0, one.edit.find(':'));
      const auto* task = api::Task::descriptor();
      api::Task::GetReflection()->ClearField(request.mutable_task(), task->FindFieldByName(field));
    } else {
      request.mutable_task()->MergeFrom(FromText<api::Task>(one.edit));
    }
    const auto status = Create(request).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << one.edit;
    EXPECT_TRUE(absl::StrContains(status.message(), one.part)) << status;
  }
  auto request = FromText<api::CreateTaskRequest>(kTask);
  request.mutable_task()->clear_created_at();
  EXPECT_EQ(Create(request).status().message(), "task: created_at is missing");
  EXPECT_EQ(Create({}).status().code(), StatusCode::kInvalidArgument);
  for (const char* field : {"namespace", "fingerprint", "runId"}) {
    request = FromText<api::CreateTaskRequest>(kTask);
    api::Task::GetReflection()->SetString(request.mutable_task(),
                                          api::Task::descriptor()->FindFieldByName(field),
                                          std::string(kMaxTaskTextBytes + 1, 'x'));
    EXPECT_EQ(Create(request).status().code(), StatusCode::kInvalidArgument) << field;
  }
  EXPECT_EQ(List({}).total_size(), 0);
  store_.ExpectSound();
}

TEST_F(TaskService, TakesNamespacedPipelineNames) {
  auto request = FromText<api::CreateTaskRequest>(kTask);
  request.mutable_task()->set_pipelinename("namespace/ns/pipeline/p/and/more");
  EXPECT_TRUE(Create(request).ok());
  request.mutable_task()->clear_namespace_();
  EXPECT_TRUE(Create(request).ok());
}

TEST_F(TaskService, FindsATaskOnlyOnceItsExecutionIsDone) {
  store_.Must<ml_metadata::PutExecutionTypeResponse>("execution_type { name: 'step' }");
  store_.Must<ml_metadata::PutExecutionsResponse>("executions { type_id: 10 }");
  ASSERT_TRUE(Create(FromText<api::CreateTaskRequest>(kTask)).ok());
  for (const auto& [state, is_hit] :
       std::vector<std::pair<std::string, bool>>{{"UNKNOWN", false},
                                                 {"NEW", false},
                                                 {"RUNNING", false},
                                                 {"COMPLETE", true},
                                                 {"FAILED", false},
                                                 {"CACHED", true},
                                                 {"CANCELED", false}}) {
    store_.Must<ml_metadata::PutExecutionsResponse>(
        absl::StrCat("executions { id: 1 type_id: 10 last_known_state: ", state, " }"));
    EXPECT_EQ(Hit(), is_hit ? "1" : "") << state;
  }
  EXPECT_EQ(List({}).tasks_size(), 1) << "a list that is no look-up has all tasks";
}

TEST_F(TaskService, LeavesOutWhatHasBeenInvalidated) {
  store_.Must<ml_metadata::PutExecutionTypeResponse>("execution_type { name: 'step' }");
  store_.Must<ml_metadata::PutExecutionsResponse>(R"(
      executions { type_id: 10 last_known_state: COMPLETE
                   custom_properties { key: 'cache_fingerprint' value { string_value: 'f' } } })");
  ASSERT_TRUE(Create(FromText<api::CreateTaskRequest>(kTask)).ok());
  EXPECT_EQ(Hit(), "1");
  ASSERT_TRUE(store_.store()
                  .Write([](Transaction& transaction) {
                    return transaction.InvalidateCacheEntry(1).status();
                  })
                  .ok());
  EXPECT_EQ(Hit(), "");
}

TEST_F(TaskService, LeavesOutWhatIsOlderThanTheServerAllows) {
  ASSERT_TRUE(Create(FromText<api::CreateTaskRequest>(kTask)).ok());
  const int64_t age_ms = store_.clock_ms() - 5000;  // The task was created in second 5.
  for (const int64_t most_ms : {age_ms, age_ms - 1, int64_t{0}}) {
    store_.SetCachePolicy({.default_staleness_ms = std::nullopt, .max_staleness_ms = most_ms});
    EXPECT_EQ(Hit(), most_ms == age_ms ? "1" : "") << most_ms;
  }
}

TEST_F(TaskService, TakesExecutionsOfAnotherStoreForDone) {
  ASSERT_TRUE(Create(FromText<api::CreateTaskRequest>(kTask)).ok());
  EXPECT_EQ(Hit(), "1");
  auto request = FromText<api::CreateTaskRequest>(kTask);
  request.mutable_task()->set_mlmdexecutionid("no number");
  ASSERT_TRUE(Create(request).ok());
  EXPECT_EQ(Hit(), "1") << "the newer one would fail the driver";
}

TEST_F(TaskService, ChangesNothingThroughRefusedOrRandomRequests) {
  std::mt19937 random(testing::RandomSeed());
  const google::protobuf::LogSilencer silencer;  // It tells of each text that is not UTF-8.
  const std::string whole = FromText<api::CreateTaskRequest>(kTask).SerializeAsString();
  api::ListTasksRequest list;
  list.set_filter(R"({"predicates":[{"op":1,"key":"fingerprint","stringValue":"f"}]})");
  list.set_sort_by("created_at desc");
  list.set_page_token("AQUB");
  const std::string listing = list.SerializeAsString();
  const auto expect_proper = [&](absl::string_view rpc, const std::string& bytes) {
    const auto reply = CallBytes(rpc, bytes);
    EXPECT_TRUE(reply.ok() || reply.status().code() == StatusCode::kInvalidArgument)
        << reply.status();
  };
  for (int i = 0; i < 3'000; ++i) {
    std::string bytes(random() % 100, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    for (const char* rpc : {"CreateTaskV1", "ListTasksV1"}) expect_proper(rpc, bytes);
    for (const auto& [rpc, good] : {std::pair("CreateTaskV1", whole), {"ListTasksV1", listing}}) {
      expect_proper(rpc, good.substr(0, random() % good.size()));
      std::string damaged = good;
      for (int flips = 0; flips < 3; ++flips) {
        damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
      }
      expect_proper(rpc, damaged);
    }
  }
  for (const std::string& filter :
       {std::string(1 << 20, '{'), std::string(1 << 20, 'x'), std::string(1 << 20, '%')}) {
    list.set_filter(filter);
    expect_proper("ListTasksV1", list.SerializeAsString());
  }
  store_.ExpectSound();
}

TEST_F(TaskService, IsAServiceOfTwoCalls) {
  EXPECT_EQ(kTaskServiceName, "api.TaskService");
  const auto* service = api::Task::descriptor()->file()->FindServiceByName("TaskService");
  ASSERT_NE(service, nullptr);
  EXPECT_EQ(service->full_name(), kTaskServiceName);
  for (int i = 0; i < service->method_count(); ++i) {
    EXPECT_NE(FindMethod(kTaskServiceName, service->method(i)->name()), nullptr);
  }
  EXPECT_FALSE(FindMethod(kTaskServiceName, "ListTasksV1")->writes);
  EXPECT_TRUE(FindMethod(kTaskServiceName, "CreateTaskV1")->writes);
}

}  // namespace
}  // namespace pedigree
