// What PROV-JSON, CycloneDX and SLSA documents say.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/export/cyclonedx.h"
#include "cli/export/prov.h"
#include "cli/export/slsa.h"
#include "cli/export/step_facts.h"
#include "tests/cli/formats/writing.h"
#include "tests/cli/key_file.h"
#include "tests/store/scratch_directory.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Event;
using ml_metadata::Execution;

// raw 1 -> step 1 -> data 2 -> step 2 -> model 3, and metrics 4 beside it; model 3 -> step 3 -> 5.
History Chain() {
  History history;
  history.header.set_sequence(4);
  history.header.set_time_ms(1'795'416'200'000);
  for (int64_t id = 1; id <= 5; ++id) {
    auto* artifact = history.artifacts[id].mutable_artifact();
    artifact->set_id(id);
    artifact->set_name(absl::StrCat("a", id));
    artifact->set_uri(absl::StrCat("s3://bucket/a", id));
    artifact->set_type(id == 3 ? "system.Model" : "system.Dataset");
  }
  for (int64_t id = 1; id <= 3; ++id) {
    auto* execution = history.executions[id].mutable_execution();
    execution->set_id(id);
    execution->set_type(absl::StrCat("Step", id));
    execution->set_last_known_state(Execution::COMPLETE);
    execution->set_create_time_since_epoch(1000 * id);
    execution->set_last_update_time_since_epoch(1000 * id + 500);
  }
  history.AddEvent(1, 1, Event::INPUT);
  history.AddEvent(1, 2, Event::OUTPUT);
  history.AddEvent(2, 2, Event::DECLARED_INPUT);
  history.AddEvent(2, 3, Event::OUTPUT);
  history.AddEvent(2, 4, Event::OUTPUT);
  history.AddEvent(3, 3, Event::INPUT);
  history.AddEvent(3, 5, Event::OUTPUT);
  history.AddEvent(3, 1, Event::INTERNAL_INPUT);
  return history;
}

Json Bom(const History& history, const std::string& model) {
  const Written written =
      WriteAll(&MakeCycloneDxWriter, {.selection = {}, .options = {{"model", model}}}, history);
  return Json::parse(written.files.at("bom.cdx.json"));
}

std::vector<std::string> Refs(const Json& list) {
  std::vector<std::string> refs;
  for (const Json& json : list) refs.push_back(json.value("bom-ref", json.value("ref", "")));
  return refs;
}

std::set<std::string> RefsOf(const char* prefix, const std::set<int64_t>& ids) {
  std::set<std::string> refs;
  for (const int64_t id : ids) refs.insert(absl::StrCat(prefix, id));
  return refs;
}

TEST(CycloneDx, HasTheModelWhatItWasMadeOfAndNothingElse) {
  const Json bom = Bom(Chain(), "artifact:3");
  const Json& model = bom["metadata"]["component"];
  EXPECT_EQ(model["type"], "machine-learning-model");
  EXPECT_EQ(model["bom-ref"], "artifact-3");
  EXPECT_EQ(Refs(model["modelCard"]["modelParameters"]["datasets"]),
            std::vector<std::string>{"artifact-2"});
  EXPECT_EQ(Refs(bom["components"]), (std::vector<std::string>{"artifact-1", "artifact-2"}));
  EXPECT_EQ(Print(bom["dependencies"]),
            R"([{"ref":"artifact-1"},{"ref":"artifact-2","dependsOn":["artifact-1"]},)"
            R"({"ref":"artifact-3","dependsOn":["artifact-2"]}])");
  const Json& workflow = bom["formulation"][0]["workflows"][0];
  EXPECT_EQ(Refs(workflow["tasks"]), (std::vector<std::string>{"execution-1", "execution-2"}));
  EXPECT_EQ(Print(workflow["taskDependencies"]),
            R"([{"ref":"execution-2","dependsOn":["execution-1"]}])");
  EXPECT_EQ(Print(workflow["taskTypes"]), R"(["build","other"])");
  EXPECT_EQ(workflow["tasks"][1]["outputs"].size(), 1u);  // Metrics are not of the lineage.
}

TEST(CycloneDx, FindsAModelByNameAndByUri) {
  const Json by_id = Bom(Chain(), "3");
  EXPECT_EQ(Bom(Chain(), "a3"), by_id);
  EXPECT_EQ(Bom(Chain(), "s3://bucket/a3"), by_id);
}

absl::Status BomError(const History& history, const std::string& model) {
  auto writer = *MakeCycloneDxWriter({.selection = {}, .options = {{"model", model}}});
  MemoryTarget target;
  EXPECT_TRUE(IsOk(writer->Begin(history.header, &target)));
  for (const auto& record : history.Records(v1::STEPS)) EXPECT_TRUE(IsOk(writer->Add(record)));
  return writer->End();
}

TEST(CycloneDx, SaysWhichModelIsNotThereOrNotTheOnlyOne) {
  History history = Chain();
  EXPECT_TRUE(Fails(BomError(history, "artifact:99"), absl::StatusCode::kNotFound, "99"));
  EXPECT_TRUE(Fails(BomError(history, "a99"), absl::StatusCode::kNotFound, "a99"));
  history.artifacts[5].mutable_artifact()->set_name("a3");
  EXPECT_TRUE(Fails(BomError(history, "a3"), absl::StatusCode::kFailedPrecondition, "artifact:5"));
}

// Against the plainest walk: until nothing is added.
TEST(CycloneDx, HasAllThatIsUpstreamOfAnyArtifact) {
  Random random;
  for (int round = 0; round < 30; ++round) {
    History history = RandomHistory(random, 12);
    history.AddEvent(1, 1, Event::OUTPUT);
    std::set<int64_t> artifacts = {1};
    std::set<int64_t> executions;
    for (size_t before = 0; before != artifacts.size() + executions.size();) {
      before = artifacts.size() + executions.size();
      for (const auto& exported : history.events) {
        const Event& event = exported.event();
        if (WritesArtifact(event) && artifacts.count(event.artifact_id()) > 0) {
          executions.insert(event.execution_id());
        }
        if (ReadsArtifact(event) && executions.count(event.execution_id()) > 0) {
          artifacts.insert(event.artifact_id());
        }
      }
    }
    const Json bom = Bom(history, "1");
    std::set<std::string> components = {"artifact-1"};
    for (const std::string& ref : Refs(bom["components"])) components.insert(ref);
    std::set<std::string> tasks;
    for (const Json& workflow : bom["formulation"][0]["workflows"]) {
      for (const std::string& ref : Refs(workflow["tasks"])) tasks.insert(ref);
    }
    EXPECT_EQ(components, RefsOf("artifact-", artifacts));
    EXPECT_EQ(tasks, RefsOf("execution-", executions));
  }
}

TEST(CycloneDx, EndsWhereAStepUpdatesItsInput) {
  History history = Chain();
  history.AddEvent(1, 2, Event::INPUT);
  const Json bom = Bom(history, "3");
  EXPECT_EQ(Print(bom["dependencies"][1]), R"({"ref":"artifact-2","dependsOn":["artifact-1"]})");
}

// However many records a step comes in.
TEST(Documents, AreTheSameOfStepsInParts) {
  History history = Chain();
  for (auto& [id, exported] : history.artifacts) {
    (*exported.mutable_artifact()->mutable_properties())["sha256"].set_string_value(
        std::string(64, '0'));
  }
  const ScratchDirectory scratch;
  const SigningKey key = NewKey(scratch.path() + "/key.pem");
  const ExportWriterOptions slsa = {.selection = {}, .key = &key, .options = {}};
  const Json bom = Bom(history, "3");
  const Written statements = WriteAll(&MakeSlsaWriter, slsa, history);
  history.most_uses = 1;
  EXPECT_EQ(Bom(history, "3"), bom);
  EXPECT_EQ(WriteAll(&MakeSlsaWriter, slsa, history).files, statements.files);
}

TEST(ReferenceOf, IsAReferenceOrNothing) {
  EXPECT_EQ(ReferenceOf("s3://bucket/a b/\xC3\xA9#1"), "s3://bucket/a%20b/%C3%A9%231");
  EXPECT_EQ(ReferenceOf("hdfs://name-node:8020/data"), "hdfs://name-node:8020/data");
  EXPECT_EQ(ReferenceOf("http://host:80"), "http://host:80");
  EXPECT_EQ(ReferenceOf("http://host:8x/"), "");
  EXPECT_EQ(ReferenceOf("http://a:1:2/"), "");
  EXPECT_EQ(ReferenceOf("/data"), "");
  EXPECT_EQ(ReferenceOf("://x"), "");
  EXPECT_EQ(ReferenceOf("1s://x"), "");
  EXPECT_EQ(ReferenceOf("s3://buc ket/a"), "");
  EXPECT_EQ(ReferenceOf(""), "");
}

Json Prov(const History& history, const ExportWriterOptions& options) {
  return Json::parse(WriteAll(&MakeProvJsonWriter, options, history).files.at("prov.json"));
}

TEST(ProvJson, SaysWhatWasUsedAndWhatWasGenerated) {
  History history = Chain();
  history.contexts[1].mutable_context()->set_id(1);
  history.contexts[2].mutable_context()->set_id(2);
  history.contexts[2].add_parent_ids(1);
  history.artifacts[3].add_context_ids(2);
  history.executions[2].add_context_ids(2);
  const Json prov = Prov(history, {});
  EXPECT_EQ(prov["entity"].size(), 7u);
  EXPECT_EQ(prov["activity"]["exec:2"]["prov:startTime"], "1970-01-01T00:00:02.000Z");
  EXPECT_EQ(prov["activity"]["exec:2"]["prov:endTime"], "1970-01-01T00:00:02.500Z");
  EXPECT_EQ(prov["used"].size(), 3u);
  EXPECT_EQ(prov["used"]["ev:3"]["prov:activity"], "exec:2");
  EXPECT_EQ(prov["used"]["ev:3"]["prov:entity"], "art:2");
  EXPECT_EQ(prov["wasGeneratedBy"].size(), 4u);
  EXPECT_EQ(prov["hadMember"].size(), 2u);
  EXPECT_EQ(prov["wasInfluencedBy"].begin().value()["prov:influencee"], "exec:2");
  EXPECT_TRUE(prov["wasDerivedFrom"].empty());
}

TEST(ProvJson, DerivesOutputsFromInputsWhereAsked) {
  const Json derived = Prov(Chain(), {.selection = {}, .options = {{"derived", "true"}}});
  ASSERT_EQ(derived["wasDerivedFrom"].size(), 4u);  // 2 from 1; 3 and 4 from 2; 5 from 3.
  const Json& of_model = derived["wasDerivedFrom"]["_:ev4ev3"];
  EXPECT_EQ(of_model["prov:generatedEntity"], "art:3");
  EXPECT_EQ(of_model["prov:usedEntity"], "art:2");
  EXPECT_EQ(of_model["prov:generation"], "ev:4");
}

TEST(ProvLocalName, HoldsAnyText) {
  EXPECT_EQ(ProvLocalName("learning rate:1"), "learning%20rate%3A1");
  EXPECT_EQ(ProvLocalName(""), "%00");
  EXPECT_EQ(ProvLocalName("\xFF"), "%FF");
}

v1::ExportedStep StepWithDigest(const std::string& digest) {
  History history = Chain();
  if (!digest.empty()) {
    (*history.artifacts[3].mutable_artifact()->mutable_custom_properties())["sha256"]
        .set_string_value(digest);
  }
  return history.Records(v1::STEPS)[1].step();
}

TEST(Slsa, NamesWhatAStepMadeByDigestsOnly) {
  const Provenance provenance = ProvenanceOf(StepWithDigest(std::string(64, 'A')), {}, "prod");
  ASSERT_TRUE(provenance.statement.has_value());
  EXPECT_EQ(provenance.subjects, 1);
  EXPECT_EQ(provenance.without_digest, 1);
  const Json& statement = *provenance.statement;
  ASSERT_EQ(statement["subject"].size(), 1u);
  EXPECT_EQ(statement["subject"][0]["name"], "a3");
  EXPECT_EQ(statement["subject"][0]["digest"]["sha256"], std::string(64, 'a'));
  const Json& predicate = statement["predicate"];
  EXPECT_EQ(predicate["buildDefinition"]["resolvedDependencies"][0]["uri"], "s3://bucket/a2");
  EXPECT_EQ(predicate["runDetails"]["metadata"]["invocationId"], "urn:pedigree:prod:execution:2");
  EXPECT_EQ(predicate["runDetails"]["metadata"]["finishedOn"], "1970-01-01T00:00:02.500Z");
}

TEST(Slsa, InventsNothingWhereThereIsNoDigest) {
  for (const char* digest : {"", "abc"}) {
    const Provenance provenance = ProvenanceOf(StepWithDigest(digest), {}, "prod");
    EXPECT_FALSE(provenance.statement.has_value());
    EXPECT_EQ(provenance.without_digest, 2);
  }
}

TEST(Slsa, IsNotOfStepsThatDidNotMakeTheirOutputs) {
  for (const auto state :
       {Execution::CACHED, Execution::FAILED, Execution::RUNNING, Execution::CANCELED}) {
    Execution execution;
    execution.set_last_known_state(state);
    EXPECT_FALSE(MadeItsOutputs(execution));
  }
  EXPECT_TRUE(MadeItsOutputs(Execution()));
}

}  // namespace
}  // namespace pedigree::cli
