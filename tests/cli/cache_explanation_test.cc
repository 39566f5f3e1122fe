#include "cli/cache_explanation.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Execution;

Step NewStep(int64_t id, const std::string& properties) {
  Step step;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(properties, &step.execution));
  step.execution.set_id(id);
  step.execution.set_last_known_state(Execution::COMPLETE);
  step.execution.set_create_time_since_epoch(id * 1000);
  step.execution.set_last_update_time_since_epoch(id * 1000 + 500);
  step.fingerprint = std::string("fingerprint");
  step.name_space = "team";
  step.pipeline = "churn";
  return step;
}

void AddInput(Step* step, const std::string& key, int64_t artifact) {
  ml_metadata::Event& event = step->inputs.emplace_back();
  event.set_type(ml_metadata::Event::INPUT);
  event.set_artifact_id(artifact);
  event.mutable_path()->add_steps()->set_key(key);
}

TEST(WhyNoHit, NamesTheFirstThingInTheWay) {
  const Step step = NewStep(5, "");
  Step earlier = NewStep(3, "");
  EXPECT_TRUE(absl::StartsWith(WhyNoHit(earlier, step), "was not taken"));
  earlier.execution.set_last_update_time_since_epoch(5001);
  EXPECT_EQ(WhyNoHit(earlier, step), "completed only after this one had begun");
  earlier.execution.set_last_known_state(Execution::FAILED);
  EXPECT_EQ(WhyNoHit(earlier, step), "is FAILED, not COMPLETE");
  earlier.pipeline = "other";
  EXPECT_EQ(WhyNoHit(earlier, step), "is of pipeline other");
  earlier.name_space.clear();
  EXPECT_EQ(WhyNoHit(earlier, step), "is of namespace \"\"");
}

TEST(DifferencesOf, AreInWhatAStepWasToDo) {
  Step before = NewStep(3, R"(
    custom_properties { key: "image" value { string_value: "a:1" } }
    custom_properties { key: "pod_name" value { string_value: "p1" } }
    custom_properties { key: "inputs" value { struct_value {
      fields { key: "lr" value { number_value: 0.1 } }
      fields { key: "same" value { string_value: "s" } }
      fields { key: "gone" value { bool_value: true } } } } })");
  Step now = NewStep(5, R"(
    custom_properties { key: "image" value { string_value: "a:2" } }
    custom_properties { key: "pod_name" value { string_value: "p2" } }
    custom_properties { key: "inputs" value { struct_value {
      fields { key: "lr" value { number_value: 0.01 } }
      fields { key: "same" value { string_value: "s" } } } } })");
  AddInput(&before, "data", 7);
  AddInput(&now, "data", 7);
  AddInput(&now, "data", 8);
  std::string text;
  for (const Difference& d : DifferencesOf(before, now)) {
    absl::StrAppend(&text, d.field, ": ", d.before, " -> ", d.now, "\n");
  }
  EXPECT_EQ(text,
            "image: a:1 -> a:2\n"
            "input data: artifact:7 -> artifact:7, artifact:8\n"
            "inputs.gone: true -> \n"
            "inputs.lr: 0.1 -> 0.01\n");
}

TEST(ExplanationText, SaysThatNobodyAsked) {
  StepExplanation explanation;
  explanation.step = NewStep(5, "");
  explanation.step.fingerprint.clear();
  EXPECT_EQ(VerdictOf(explanation),
            "ran: it has no cache_fingerprint, so nobody asked the cache for it");
}

TEST(ExplanationText, ShowsEarlierOnesAndWhatDiffers) {
  StepExplanation explanation;
  explanation.step = NewStep(5, "name: 'train'");
  explanation.earlier.push_back({NewStep(4, ""), "is FAILED, not COMPLETE"});
  explanation.previous = NewStep(3, "");
  explanation.previous->run = "run-1";
  explanation.lookup.emplace().mutable_miss()->set_reason(v1::NEVER_SEEN);
  std::string text = ExplanationText(explanation, Screen::Plain());
  for (const char* part :
       {"execution:5 train COMPLETE: was not taken from the cache",
        "\n  execution:4 has it too, but is FAILED, not COMPLETE\n",
        "before, execution:3 of run-1, had another fingerprint\n",
        "nothing that is recorded differs", "a look-up now\n  no hit, NEVER_SEEN"}) {
    EXPECT_TRUE(absl::StrContains(text, part)) << part << "\n" << text;
  }
  explanation.differences = {{"inputs.lr", "", "0.1"}};
  text = ExplanationText(explanation, Screen::Plain());
  EXPECT_TRUE(absl::StrContains(text, "\n  inputs.lr  - → 0.1\n")) << text;
}

}  // namespace
}  // namespace pedigree::cli
