#include "cli/run_tree.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Event;
using ml_metadata::Execution;

// A step of 20 ms; `parent` 0 means none.
Execution& AddStep(RunPicture& picture, int64_t id, const std::string& name, int64_t parent) {
  Execution& execution = picture.executions.emplace_back();
  execution.set_id(id);
  execution.set_type("system.ContainerExecution");
  execution.set_last_known_state(Execution::COMPLETE);
  execution.set_create_time_since_epoch(1000);
  execution.set_last_update_time_since_epoch(1020);
  (*execution.mutable_custom_properties())["display_name"].set_string_value("");
  (*execution.mutable_custom_properties())["task_name"].set_string_value(name);
  if (parent != 0) {
    (*execution.mutable_custom_properties())["parent_dag_id"].set_int_value(parent);
  }
  return execution;
}

void AddArtifact(RunPicture& picture, int64_t id, const std::string& name, int64_t execution_id,
                 Event::Type type) {
  ml_metadata::Artifact& artifact = picture.artifacts[id];
  artifact.set_id(id);
  artifact.set_type("system.Dataset");
  artifact.set_uri("gs://bucket/" + name);
  (*artifact.mutable_custom_properties())["display_name"].set_string_value(name);
  Event& event = picture.events.emplace_back();
  event.set_artifact_id(id);
  event.set_execution_id(execution_id);
  event.set_type(type);
}

// The lines of the tree alone.
std::string TreeOf(const RunPicture& picture) {
  const std::string drawing = DrawRun(picture, Screen::Plain());
  const size_t begin = drawing.find("\n\n") + 2;
  return drawing.substr(begin, drawing.find("\n\n", begin) + 1 - begin);
}

TEST(DrawRun, NestsStepsAndShowsInputsBeforeOutputs) {
  RunPicture picture;
  AddStep(picture, 1, "root", 0).set_last_known_state(Execution::RUNNING);
  AddStep(picture, 2, "loop", 1);
  AddStep(picture, 3, "work", 2);
  AddStep(picture, 4, "train", 1).set_last_known_state(Execution::CACHED);
  AddArtifact(picture, 7, "model", 4, Event::OUTPUT);
  AddArtifact(picture, 8, "data", 4, Event::INPUT);
  picture.cached_from[4] = "execution 3 of run-0";
  EXPECT_EQ(
      TreeOf(picture),
      "  root           execution:1  ContainerExecution  RUNNING\n"
      "  ├─ loop        execution:2  ContainerExecution  COMPLETE  20 ms\n"
      "  │  └─ work     execution:3  ContainerExecution  COMPLETE  20 ms\n"
      "  └─ train       execution:4  ContainerExecution  CACHED    20 ms, from execution 3 of "
      "run-0\n"
      "     ├─ ← data   artifact:8   Dataset             gs://bucket/data\n"
      "     └─ → model  artifact:7   Dataset             gs://bucket/model\n");
  const std::string drawing = DrawRun(picture, Screen::Plain());
  EXPECT_TRUE(absl::StrContains(drawing, "4 executions, 1 of them from the cache"));
  EXPECT_TRUE(absl::StrContains(drawing, "stays RUNNING"));
}

TEST(DrawRun, NumbersIterations) {
  RunPicture picture;
  Execution& loop = AddStep(picture, 1, "loop", 0);
  (*loop.mutable_custom_properties())["iteration_count"].set_int_value(2);
  Execution& first = AddStep(picture, 2, "loop", 1);
  (*first.mutable_custom_properties())["iteration_index"].set_int_value(0);
  EXPECT_EQ(TreeOf(picture),
            "  loop         execution:1  ContainerExecution  COMPLETE  20 ms, 2 iterations\n"
            "  └─ loop [0]  execution:2  ContainerExecution  COMPLETE  20 ms\n");
}

TEST(DrawRun, DrawsEveryStepOnceWhateverItsParentIs) {
  RunPicture picture;
  AddStep(picture, 1, "elsewhere", 99);
  AddStep(picture, 2, "itself", 2);
  AddStep(picture, 3, "circle", 4);
  AddStep(picture, 4, "and back", 3);
  EXPECT_EQ(TreeOf(picture),
            "  elsewhere    execution:1  ContainerExecution  COMPLETE  20 ms\n"
            "  itself       execution:2  ContainerExecution  COMPLETE  20 ms\n"
            "  circle       execution:3  ContainerExecution  COMPLETE  20 ms\n"
            "  └─ and back  execution:4  ContainerExecution  COMPLETE  20 ms\n");
}

// Neither memory nor the stack grow with the depth: what is deep is drawn further down.
TEST(DrawRun, DrawsAChainOfAnyLength) {
  constexpr int64_t kSteps = 100'000;
  RunPicture picture;
  for (int64_t id = 1; id <= kSteps; ++id) AddStep(picture, id, "s", id - 1);
  const std::string drawing = TreeOf(picture);
  EXPECT_EQ(std::count(drawing.begin(), drawing.end(), '\n'), kSteps);
  EXPECT_LT(drawing.size(), kSteps * 200u);
  EXPECT_TRUE(absl::StrContains(drawing, "20 ms, steps below\n")) << drawing.substr(0, 3000);
}

TEST(DrawRun, NamesArtifactsAndStepsThatHaveNoName) {
  RunPicture picture;
  AddStep(picture, 1, "", 0);
  AddArtifact(picture, 5, "", 1, Event::OUTPUT);
  AddArtifact(picture, 6, "", 1, Event::OUTPUT);
  picture.events[0].mutable_path()->add_steps()->set_key("key");
  picture.artifacts[6].set_uri("");
  Event& dangling = picture.events.emplace_back();
  dangling.set_artifact_id(9);
  dangling.set_execution_id(1);
  const std::string tree = TreeOf(picture);
  for (const char* text :
       {"execution 1", "→ key", "→ artifact 6", "→ ?", "artifact:9", "not found"}) {
    EXPECT_TRUE(absl::StrContains(tree, text)) << text << " in\n" << tree;
  }
}

}  // namespace
}  // namespace pedigree::cli
