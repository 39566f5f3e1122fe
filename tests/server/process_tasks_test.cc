// The real program as the cache of Kubeflow Pipelines: the calls that its driver and launcher make,
// over gRPC, on both ports.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "api/task.pb.h"
#include "tests/server/bytes_client.h"
#include "tests/server/process_fixture.h"
#include "tests/server/refused_start.h"
#include "tests/support/loopback_port.h"

namespace pedigree::testing {
namespace {

namespace mlmd = ml_metadata;

constexpr char kCreate[] = "/api.TaskService/CreateTaskV1";
constexpr char kList[] = "/api.TaskService/ListTasksV1";

// What the driver sends for a step, but for blanks, which its JSON library varies.
std::string FilterOf(const std::string& fingerprint, const std::string& pipeline,
                     const std::string& name_space) {
  return absl::StrCat(R"({"predicates":[{"op":"EQUALS","key":"fingerprint","stringValue":")",
                      fingerprint, R"("},{"op":"EQUALS","key":"pipelineName","stringValue":")",
                      pipeline, R"("},{"op":"EQUALS","key":"namespace","stringValue":")",
                      name_space, R"("}]})");
}

// As KFP's cacheutils: the driver looks up, the launcher creates.
class CacheClient {
 public:
  explicit CacheClient(const std::string& address) : client_(NewChannel(address)) {}

  // The execution of a hit, "" for a miss; the driver fails the task on any error.
  std::string Lookup(const std::string& filter) {
    api::ListTasksRequest request;
    request.set_page_size(1);
    request.set_sort_by("created_at desc");
    request.set_filter(filter);
    const BytesReply reply = client_.Call(kList, request.SerializeAsString());
    EXPECT_TRUE(reply.status.ok()) << reply.status.error_message();
    api::ListTasksResponse response;
    EXPECT_TRUE(response.ParseFromString(reply.bytes));
    EXPECT_LE(response.tasks_size(), 1);
    return response.tasks().empty() ? "" : response.tasks(0).mlmdexecutionid();
  }

  void Create(const std::string& fingerprint, const std::string& execution, int64_t second) {
    api::CreateTaskRequest request;
    api::Task* task = request.mutable_task();
    task->set_pipelinename("pipeline/training");
    task->set_namespace_("team");
    task->set_runid("9f3f2d33-1f0d-4bd0-a9d5-0f6b6a0a7d2e");
    task->set_mlmdexecutionid(execution);
    task->mutable_created_at()->set_seconds(second);
    task->mutable_finished_at()->set_seconds(second + 60);
    task->set_fingerprint(fingerprint);
    const BytesReply reply = client_.Call(kCreate, request.SerializeAsString());
    EXPECT_TRUE(reply.status.ok()) << reply.status.error_message();
    api::Task created;
    EXPECT_TRUE(created.ParseFromString(reply.bytes));
    EXPECT_EQ(created.id().size(), 36u);
  }

  BytesReply Call(const char* path, const std::string& bytes) { return client_.Call(path, bytes); }

 private:
  BytesClient client_;
};

class TaskCache : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto port = FreeLoopbackPort();
    ASSERT_TRUE(port.ok());
    second_address_ = absl::StrCat("127.0.0.1:", *port);
    server_ = StartServer({absl::StrCat("--task_port=", *port)});
    ASSERT_NE(server_, nullptr);
    client_ = std::make_unique<CacheClient>(server_->address());
  }

  // Stores an execution, new or old, in a state.
  int64_t PutExecution(int64_t id, mlmd::Execution::State state) {
    RawClient client(server_->address());
    mlmd::PutExecutionTypeRequest type;
    type.mutable_execution_type()->set_name("system.ContainerExecution");
    mlmd::PutExecutionTypeResponse type_id;
    EXPECT_TRUE(client.Call("PutExecutionType", type, &type_id).ok());
    mlmd::PutExecutionsRequest put;
    mlmd::Execution* execution = put.add_executions();
    if (id != 0) execution->set_id(id);
    execution->set_type_id(type_id.type_id());
    execution->set_last_known_state(state);
    mlmd::PutExecutionsResponse response;
    EXPECT_TRUE(client.Call("PutExecutions", put, &response).ok());
    return response.execution_ids_size() == 1 ? response.execution_ids(0) : 0;
  }

  std::string second_address_;
  std::unique_ptr<ServerProcess> server_;
  std::unique_ptr<CacheClient> client_;
};

TEST_F(TaskCache, MissesCreatesAndHits) {
  const std::string filter = FilterOf("c0ffee", "pipeline/training", "team");
  EXPECT_EQ(client_->Lookup(filter), "");
  client_->Create("c0ffee", "900", 1'700'000'000);
  EXPECT_EQ(client_->Lookup(filter), "900");
  EXPECT_EQ(client_->Lookup(FilterOf("c0ffee", "pipeline/training", "other")), "");
  EXPECT_EQ(client_->Lookup(FilterOf("c0ffee", "pipeline/serving", "team")), "");
  EXPECT_EQ(client_->Lookup(FilterOf("decaf", "pipeline/training", "team")), "");
}

TEST_F(TaskCache, HitsInEverySpellingOfTheFilter) {
  client_->Create("c0ffee", "900", 1'700'000'000);
  const std::string filter = FilterOf("c0ffee", "pipeline/training", "team");
  std::string spaced;
  std::string escaped;
  for (char c : filter) {
    spaced.append(c == ':' || c == ',' ? std::string(1, c) + " " : std::string(1, c));
    const bool is_plain = absl::ascii_isalnum(static_cast<unsigned char>(c));
    absl::StrAppend(
        &escaped, is_plain ? std::string(1, c) : absl::StrCat("%", absl::Hex(c, absl::kZeroPad2)));
  }
  std::string snake = absl::StrReplaceAll(filter, {{"stringValue", "string_value"}});
  snake = absl::StrReplaceAll(snake, {{"\"EQUALS\"", "1"}});
  for (const std::string& spelling : {spaced, escaped, snake}) {
    EXPECT_EQ(client_->Lookup(spelling), "900") << spelling;
  }
}

TEST_F(TaskCache, HitsTheNewestAndOfOneSecondTheLastCreated) {
  const std::string filter = FilterOf("c0ffee", "pipeline/training", "team");
  client_->Create("c0ffee", "901", 1'700'000'000);
  client_->Create("c0ffee", "902", 1'700'000'100);
  client_->Create("c0ffee", "903", 1'600'000'000);
  EXPECT_EQ(client_->Lookup(filter), "902");
  client_->Create("c0ffee", "904", 1'700'000'100);
  EXPECT_EQ(client_->Lookup(filter), "904");
}

TEST_F(TaskCache, HitsOnceTheExecutionIsComplete) {
  const std::string filter = FilterOf("c0ffee", "pipeline/training", "team");
  const int64_t execution = PutExecution(0, mlmd::Execution::RUNNING);
  client_->Create("c0ffee", std::to_string(execution), 1'700'000'000);
  EXPECT_EQ(client_->Lookup(filter), "");
  PutExecution(execution, mlmd::Execution::COMPLETE);
  EXPECT_EQ(client_->Lookup(filter), std::to_string(execution));
}

TEST_F(TaskCache, IsOnBothPortsAndOutlivesARestart) {
  const std::string filter = FilterOf("c0ffee", "pipeline/training", "team");
  CacheClient second(second_address_);
  second.Create("c0ffee", "900", 1'700'000'000);
  EXPECT_EQ(client_->Lookup(filter), "900");
  EXPECT_EQ(second.Lookup(filter), "900");
  EXPECT_TRUE(second.Call(kGetArtifacts, "").status.ok()) << "every service is on both ports";
  ASSERT_TRUE(server_->Kill9().ok());
  ASSERT_TRUE(server_->Restart().ok());
  EXPECT_EQ(CacheClient(second_address_).Lookup(filter), "900");
}

TEST_F(TaskCache, IsInHealthAndReflection) {
  BytesClient client(NewChannel(server_->address()));
  const auto health = client.Call("/grpc.health.v1.Health/Check", OneText(1, "api.TaskService"));
  EXPECT_TRUE(health.status.ok());
  EXPECT_EQ(NumberIn(health.bytes, 1), 1U);
  const auto services = client.CallStream(
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", OneText(7, ""));
  EXPECT_TRUE(absl::StrContains(services.bytes, "api.TaskService")) << services.bytes;
}

TEST_F(TaskCache, AnswersBadRequestsAndServesOn) {
  api::ListTasksRequest request;
  for (const std::string& filter :
       {std::string("no json"), std::string(1 << 20, '{'), std::string(1 << 20, '%')}) {
    request.set_filter(filter);
    const auto reply = client_->Call(kList, request.SerializeAsString());
    EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_LE(reply.status.error_message().size(), 1024U);
  }
  EXPECT_EQ(client_->Call(kCreate, "").status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(client_->Call(kList, "\xff\xff").status.error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(client_->Call("/api.DummyFilterService/GetFilter", "").status.error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
  ExpectServes(*server_);
}

TEST(TaskPort, InUseIsRefusedByItsName) {
  const auto other = StartServer();
  ASSERT_NE(other, nullptr);
  const std::string port = other->address().substr(other->address().find(':') + 1);
  const TempDirectory directory;
  ExpectRefuses(Flags(directory.Below("data"), {"--task_port=" + port}),
                {"cannot listen on 127.0.0.1:" + port, "in use"});
}

}  // namespace
}  // namespace pedigree::testing
