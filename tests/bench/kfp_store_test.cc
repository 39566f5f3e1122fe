// What the player leaves in a store: the tree of a run, the states, the events of cached steps.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/kfp_messages.h"
#include "store/store.h"
#include "tests/bench/kfp_fixture.h"
#include "tests/support/raw_client.h"

namespace pedigree::bench {
namespace {

using testing::RawClient;

template <class Response, class Request>
Response Ask(RawClient& client, const std::string& rpc, const Request& request) {
  Response response;
  const grpc::Status status = client.Call(rpc, request, &response);
  EXPECT_TRUE(status.ok()) << rpc << ": " << status.error_message();
  return response;
}

// A run as the store has it.
struct StoredRun {
  mlmd::Context context;
  std::map<int64_t, mlmd::Execution> executions;
  std::map<int64_t, std::vector<mlmd::Event>> events;  // By execution.
  std::set<int64_t> artifacts;                         // In the run's context.

  // "TYPE STATE" -> how many.
  std::map<std::string, int> States() const {
    std::map<std::string, int> states;
    for (const auto& [id, execution] : executions) {
      ++states[absl::StrCat(execution.type(), " ",
                            mlmd::Execution::State_Name(execution.last_known_state()))];
    }
    return states;
  }
};

std::vector<StoredRun> StoredRuns(RawClient& client) {
  std::vector<StoredRun> runs;
  mlmd::GetContextsByTypeRequest by_type;
  by_type.set_type_name(kRunType);
  const auto contexts = Ask<mlmd::GetContextsByTypeResponse>(client, "GetContextsByType", by_type);
  for (const mlmd::Context& context : contexts.contexts()) {
    StoredRun run{.context = context, .executions = {}, .events = {}, .artifacts = {}};
    mlmd::GetExecutionsByContextRequest executions;
    executions.set_context_id(context.id());
    mlmd::GetEventsByExecutionIDsRequest events;
    const auto of_run =
        Ask<mlmd::GetExecutionsByContextResponse>(client, "GetExecutionsByContext", executions);
    for (const mlmd::Execution& execution : of_run.executions()) {
      run.executions[execution.id()] = execution;
      events.add_execution_ids(execution.id());
    }
    const auto of_executions =
        Ask<mlmd::GetEventsByExecutionIDsResponse>(client, "GetEventsByExecutionIDs", events);
    for (const mlmd::Event& event : of_executions.events()) {
      run.events[event.execution_id()].push_back(event);
    }
    mlmd::GetArtifactsByContextRequest artifacts;
    artifacts.set_context_id(context.id());
    const auto in_run =
        Ask<mlmd::GetArtifactsByContextResponse>(client, "GetArtifactsByContext", artifacts);
    for (const mlmd::Artifact& artifact : in_run.artifacts()) run.artifacts.insert(artifact.id());
    runs.push_back(std::move(run));
  }
  return runs;
}

// One root, and every other execution below a DAG of the same run.
void ExpectTree(const StoredRun& run) {
  int roots = 0;
  for (const auto& [id, execution] : run.executions) {
    const auto parent = IntProperty(execution, "parent_dag_id");
    if (!parent) {
      ++roots;
      EXPECT_EQ(execution.name(), absl::StrCat("run/", run.context.name()));
      const auto task_name = execution.custom_properties().find("task_name");
      ASSERT_NE(task_name, execution.custom_properties().end());
      EXPECT_TRUE(task_name->second.has_string_value());
      EXPECT_EQ(task_name->second.string_value(), "");
      continue;
    }
    const auto dag = run.executions.find(*parent);
    ASSERT_NE(dag, run.executions.end()) << "parent of " << execution.ShortDebugString();
    EXPECT_EQ(dag->second.type(), kDagType);
  }
  EXPECT_EQ(roots, 1);
}

std::set<std::pair<std::string, int64_t>> OutputsOf(const std::vector<mlmd::Event>& events) {
  std::set<std::pair<std::string, int64_t>> outputs;
  for (const mlmd::Event& event : events) {
    if (event.type() != mlmd::Event::OUTPUT) continue;
    outputs.emplace(event.path().steps(0).key(), event.artifact_id());
  }
  return outputs;
}

// Cached executions have the outputs of those that they name, and these are in the run's context.
void ExpectCachedOutputs(RawClient& client, const StoredRun& run) {
  for (const auto& [id, execution] : run.executions) {
    if (execution.last_known_state() != mlmd::Execution::CACHED) continue;
    const std::string cached = StringProperty(execution, "cached_execution_id");
    mlmd::GetEventsByExecutionIDsRequest get;
    get.add_execution_ids(std::stoll(cached));
    const auto events =
        Ask<mlmd::GetEventsByExecutionIDsResponse>(client, "GetEventsByExecutionIDs", get);
    const auto outputs = OutputsOf({events.events().begin(), events.events().end()});
    EXPECT_FALSE(outputs.empty());
    EXPECT_EQ(OutputsOf(run.events.at(id)), outputs);
    for (const auto& [name, artifact] : outputs) EXPECT_EQ(run.artifacts.count(artifact), 1u);
  }
}

void ExpectSound(const std::string& data_dir) {
  StoreOptions options;
  options.data_dir = data_dir;
  const auto store = Store::Open(options);
  ASSERT_TRUE(store.ok()) << store.status();
  const auto report = (*store)->Verify();
  ASSERT_TRUE(report.ok()) << report.status();
  for (const std::string& problem : report->problems) ADD_FAILURE() << "Verify: " << problem;
}

struct Expectation {
  std::string shape;
  std::map<std::string, int> first_run;
  std::map<std::string, int> second_run;
};

std::vector<Expectation> Expectations() {
  const std::map<std::string, int> linear = {{"system.DAGExecution RUNNING", 1},
                                             {"system.ContainerExecution COMPLETE", 3}};
  const std::map<std::string, int> fan_out = {{"system.DAGExecution RUNNING", 1},
                                              {"system.ContainerExecution COMPLETE", 6}};
  // More than two pages of iterations.
  const std::map<std::string, int> loop = {{"system.DAGExecution RUNNING", 1},
                                           {"system.DAGExecution COMPLETE", 1 + 45},
                                           {"system.ContainerExecution COMPLETE", 45}};
  std::map<std::string, int> recorded = {{"system.DAGExecution RUNNING", 1},
                                         {"system.DAGExecution COMPLETE", 1 + 3},
                                         {"system.ImporterExecution COMPLETE", 1},
                                         {"system.ContainerExecution COMPLETE", 2 + 3},
                                         {"system.ContainerExecution CANCELED", 1}};
  std::map<std::string, int> mixed = {{"system.DAGExecution RUNNING", 1},
                                      {"system.DAGExecution COMPLETE", 1 + 2 + 1},
                                      {"system.ImporterExecution COMPLETE", 2},
                                      {"system.ContainerExecution COMPLETE", 2 + 2 + 1 + 2},
                                      {"system.ContainerExecution CANCELED", 1},
                                      {"system.ContainerExecution FAILED", 1}};
  std::vector<Expectation> all = {{"linear:3", linear, linear},
                                  {"fan-out:4", fan_out, fan_out},
                                  {"parallel-for:45", loop, loop},
                                  {"recorded", recorded, recorded},
                                  {"mixed:2", mixed, mixed}};
  for (size_t i : {size_t{3}, size_t{4}}) {
    all[i].second_run["system.ContainerExecution COMPLETE"] -= 2;
    all[i].second_run["system.ContainerExecution CACHED"] = 2;
  }
  return all;
}

class KfpStoreTest : public ::testing::TestWithParam<int> {};

TEST_P(KfpStoreTest, HasTheRunsAsTheyWerePlayed) {
  for (const Expectation& expected : Expectations()) {
    SCOPED_TRACE(expected.shape);
    const auto server = StartServer();
    ASSERT_NE(server, nullptr);
    const auto player = ConnectTo(server->address(), KfpTaskService::kRequired);
    ASSERT_NE(player, nullptr);
    MustPlay(*player, expected.shape, {.runs = 2, .width = GetParam()});
    RawClient client(server->address());
    const std::vector<StoredRun> runs = StoredRuns(client);
    ASSERT_EQ(runs.size(), 2u);
    EXPECT_EQ(runs[0].States(), expected.first_run);
    EXPECT_EQ(runs[1].States(), expected.second_run);
    for (const StoredRun& run : runs) {
      ExpectTree(run);
      ExpectCachedOutputs(client, run);
    }
    ASSERT_TRUE(server->Stop().ok());
    ExpectSound(server->data_dir());
  }
}

INSTANTIATE_TEST_SUITE_P(PodsOfARunAtOnce, KfpStoreTest, ::testing::Values(1, 8),
                         [](const auto& width) { return absl::StrCat("Width", width.param); });

TEST(KfpStore, SixtyFourRunsAtOnceNeedNoRetry) {
  const auto server = StartServer();
  ASSERT_NE(server, nullptr);
  const auto player = ConnectTo(server->address(), KfpTaskService::kRequired);
  ASSERT_NE(player, nullptr);
  const KfpPlay play = MustPlay(*player, "mixed", {.clients = 64, .runs = 64, .width = 4});
  EXPECT_EQ(play.tally.runs, 64u);
  EXPECT_EQ(play.tally.skipped, 64u);
  EXPECT_EQ(play.tally.failed, 64u);
  // Of each run: two cacheable steps, and three in the loop, two in the DAG and two more.
  EXPECT_EQ(play.tally.launched + play.tally.cached, 64u * 9);
  for (const auto& [method, calls] : play.tally.calls) {
    const bool is_borne = method.second == absl::StatusCode::kOk ||
                          method.second == absl::StatusCode::kAlreadyExists ||
                          method.second == absl::StatusCode::kNotFound;
    EXPECT_TRUE(is_borne) << method.first << ": " << absl::StatusCodeToString(method.second);
  }
  RawClient client(server->address());
  const std::vector<StoredRun> runs = StoredRuns(client);
  EXPECT_EQ(runs.size(), 64u);
  for (const StoredRun& run : runs) {
    ExpectTree(run);
    ExpectCachedOutputs(client, run);
    EXPECT_EQ(run.States().at("system.DAGExecution COMPLETE"), 1 + 3 + 1);
  }
  ASSERT_TRUE(server->Stop().ok());
  ExpectSound(server->data_dir());
}

}  // namespace
}  // namespace pedigree::bench
