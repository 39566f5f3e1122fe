#include "cli/export/openlineage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_split.h"
#include "tests/cli/formats/writing.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Event;
using ml_metadata::Execution;

v1::ExportedStep StepInState(Execution::State state) {
  v1::ExportedStep step;
  step.mutable_execution()->set_id(7);
  step.mutable_execution()->set_type("Trainer");
  step.mutable_execution()->set_last_known_state(state);
  step.mutable_execution()->set_create_time_since_epoch(1000);
  step.mutable_execution()->set_last_update_time_since_epoch(2000);
  auto* use = step.add_uses();
  use->mutable_event()->set_artifact_id(3);
  use->mutable_event()->set_type(Event::INPUT);
  use->mutable_artifact()->set_uri("s3://bucket/in");
  use = step.add_uses();
  use->mutable_event()->set_artifact_id(4);
  use->mutable_event()->set_type(Event::OUTPUT);
  use->mutable_artifact()->set_state(ml_metadata::Artifact::LIVE);
  use->mutable_artifact()->set_type("system.Model");
  return step;
}

std::vector<Json> EventsOf(const v1::ExportedStep& step) {
  const TypeNames types;
  OpenLineageMapper mapper(&types, {});
  std::vector<Json> events;
  for (const LineageEvent& event : mapper.EventsOf(step)) events.push_back(Json::parse(event.json));
  return events;
}

TEST(OpenLineage, TellsOfAStepByItsState) {
  const std::vector<std::pair<Execution::State, const char*>> second = {
      {Execution::COMPLETE, "COMPLETE"}, {Execution::CACHED, "COMPLETE"},
      {Execution::FAILED, "FAIL"},       {Execution::CANCELED, "ABORT"},
      {Execution::RUNNING, "RUNNING"},   {Execution::UNKNOWN, "OTHER"},
      {Execution::NEW, "OTHER"}};
  for (const auto& [state, type] : second) {
    const std::vector<Json> events = EventsOf(StepInState(state));
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0]["eventType"], "START");
    EXPECT_EQ(events[0]["eventTime"], "1970-01-01T00:00:01.000Z");
    EXPECT_EQ(events[0]["outputs"].size(), 0u);
    EXPECT_EQ(events[1]["eventType"], type);
    EXPECT_EQ(events[1]["eventTime"], "1970-01-01T00:00:02.000Z");
    EXPECT_EQ(events[1]["outputs"].size(), 1u);
    EXPECT_EQ(events[1]["inputs"][0]["namespace"], "s3://bucket");
    EXPECT_EQ(events[1]["inputs"][0]["name"], "in");
    const bool created = state == Execution::COMPLETE;
    EXPECT_EQ(events[1]["outputs"][0]["facets"].contains("lifecycleStateChange"), created);
  }
  v1::ExportedStep fresh = StepInState(Execution::NEW);
  fresh.clear_uses();
  EXPECT_EQ(EventsOf(fresh).size(), 1u);
}

// python: uuid.uuid5(uuid.NAMESPACE_DNS, 'execution:7')
TEST(OpenLineage, CallsARunAsKubeflowsMigrationDoes) {
  EXPECT_EQ(EventsOf(StepInState(Execution::COMPLETE))[0]["run"]["runId"],
            "ddbc9b11-76ef-587d-b748-b489fd09fe90");
}

TEST(OpenLineage, PutsAnEndBeforeTheStartToTheStart) {
  v1::ExportedStep step = StepInState(Execution::COMPLETE);
  step.mutable_execution()->set_last_update_time_since_epoch(1);
  const std::vector<Json> events = EventsOf(step);
  EXPECT_EQ(events[1]["eventTime"], events[0]["eventTime"]);
  step.mutable_execution()->clear_create_time_since_epoch();
  EXPECT_EQ(EventsOf(step)[0]["eventTime"], "1970-01-01T00:00:00.001Z");
}

TEST(OpenLineage, NamesADatasetByItsUri) {
  const std::vector<std::pair<std::string, std::pair<std::string, std::string>>> names = {
      {"", {"mlmd://prod", "artifact/5"}},
      {"/data/a.csv", {"file", "/data/a.csv"}},
      {"file:///data/a.csv", {"file://", "/data/a.csv"}},
      {"s3://bucket/a/b", {"s3://bucket", "a/b"}},
      {"minio://bucket/a", {"minio://bucket", "a"}},
      {"gs://bucket", {"gs://bucket", "/"}},
      {"gs://bucket/", {"gs://bucket", "/"}},
      {"hdfs://name:8020/a", {"hdfs://name:8020", "/a"}},
      {"https://host/a?b=c", {"https://host", "/a?b=c"}},
      {"urn:x:y", {"urn", "x:y"}},
      {"relative/a", {"mlmd://prod", "uri/relative/a"}},
      {"1:2", {"mlmd://prod", "uri/1:2"}}};
  for (const auto& [uri, want] : names) {
    ml_metadata::Artifact artifact;
    artifact.set_id(5);
    artifact.set_uri(uri);
    const DatasetName name = DatasetNameOf(artifact, "prod");
    EXPECT_EQ(name.name_space, want.first) << uri;
    EXPECT_EQ(name.name, want.second) << uri;
  }
}

TEST(OpenLineage, SaysOfAnErrorOnlyWhatTheStoreSays) {
  v1::ExportedStep step = StepInState(Execution::FAILED);
  EXPECT_FALSE(EventsOf(step)[1]["run"]["facets"].contains("errorMessage"));
  (*step.mutable_execution()->mutable_custom_properties())["error_message"].set_string_value("oom");
  EXPECT_EQ(EventsOf(step)[1]["run"]["facets"]["errorMessage"]["message"], "oom");
  EXPECT_FALSE(EventsOf(step)[0]["run"]["facets"].contains("errorMessage"));
}

TEST(OpenLineage, NamesAnArtifactOnceAndLeavesInternalEventsToItsFacet) {
  v1::ExportedStep step = StepInState(Execution::COMPLETE);
  *step.add_uses() = step.uses(0);
  step.mutable_uses(2)->mutable_event()->mutable_path()->add_steps()->set_key("again");
  *step.add_uses() = step.uses(0);
  step.mutable_uses(3)->mutable_event()->set_type(Event::INTERNAL_INPUT);
  const Json event = EventsOf(step)[1];
  ASSERT_EQ(event["inputs"].size(), 1u);
  const Json& events = event["inputs"][0]["facets"]["mlmd_artifact"]["events"];
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1]["path"], Json::array({"again"}));
  const Json& others = event["run"]["facets"]["mlmd_execution"]["otherEvents"];
  ASSERT_EQ(others.size(), 1u);
  EXPECT_EQ(others[0]["type"], "INTERNAL_INPUT");
}

TEST(OpenLineage, TellsOfALargeStepInMoreEvents) {
  History history = RecordedHistory("kfp_two_runs");
  const auto run_and_type = [](const History& of) {
    std::map<std::string, std::vector<std::string>> types;
    std::map<std::string, size_t> outputs;
    const Written written = WriteAll(&MakeOpenLineageWriter, {}, of);
    for (const absl::string_view line :
         absl::StrSplit(written.files.at("openlineage.ndjson"), '\n', absl::SkipEmpty())) {
      const Json event = Json::parse(line.begin(), line.end());
      types[event["run"]["runId"]].push_back(event["eventType"]);
      outputs[event["run"]["runId"]] += event["outputs"].size();
    }
    return std::make_pair(types, outputs);
  };
  const auto [whole, whole_outputs] = run_and_type(history);
  history.most_uses = 1;
  const auto [parts, parts_outputs] = run_and_type(history);
  EXPECT_EQ(whole_outputs, parts_outputs);
  size_t longest = 0;
  for (const auto& [run, types] : parts) {
    longest = std::max(longest, types.size());
    ASSERT_GE(types.size(), 2u);
    EXPECT_EQ(types.front(), "START");
    EXPECT_EQ(types.back(), whole.at(run).back());
    for (size_t i = 1; i + 1 < types.size(); ++i) EXPECT_EQ(types[i], "RUNNING");
  }
  EXPECT_GT(longest, 2u);
}

std::vector<Json> Recorded(const char* name) {
  std::vector<Json> events;
  const Written written = WriteAll(&MakeOpenLineageWriter, {}, RecordedHistory(name));
  for (const absl::string_view line :
       absl::StrSplit(written.files.at("openlineage.ndjson"), '\n', absl::SkipEmpty())) {
    events.push_back(Json::parse(line.begin(), line.end()));
  }
  return events;
}

TEST(OpenLineage, OrdersEventsByTimeThenExecutionThenStartFirst) {
  const std::vector<Json> events = Recorded("random_history");
  ASSERT_GT(events.size(), 20u);
  const auto key = [](const Json& event) {
    return std::make_tuple(event["eventTime"].get<std::string>(),
                           event["run"]["facets"]["mlmd_execution"]["id"].get<int64_t>(),
                           event["eventType"] != "START");
  };
  for (size_t i = 1; i < events.size(); ++i) EXPECT_LT(key(events[i - 1]), key(events[i]));
}

TEST(OpenLineage, KnowsKubeflowsRunsTasksAndParents) {
  std::set<std::string> jobs;
  for (const Json& event : Recorded("kfp_two_runs")) {
    EXPECT_EQ(event["job"]["namespace"], "kubeflow/kubeflow");
    const std::string job = event["job"]["name"];
    jobs.insert(job);
    const Json& facets = event["run"]["facets"];
    EXPECT_EQ(facets.contains("parent"), job != "iris-training") << job;
    if (job == "iris-training") {
      EXPECT_EQ(facets["executionParameters"]["parameters"][0]["key"], "epochs");
      continue;
    }
    EXPECT_EQ(facets["parent"]["root"]["job"]["name"], "iris-training");
  }
  EXPECT_TRUE(jobs.count("iris-training.preprocess") == 1) << Json(jobs).dump();
}

}  // namespace
}  // namespace pedigree::cli
