#include "bench/kfp_pipeline.h"

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace pedigree::bench {
namespace {

constexpr int kMostTasks = 10'000;

KfpPipeline Linear(int tasks) {
  KfpPipeline pipeline{.name = "bench-linear", .tasks = {}};
  for (int i = 0; i < tasks; ++i) {
    KfpTask task{.name = absl::StrCat("step-", i),
                 .parameters = {"learning_rate"},
                 .outputs = {{"model", "system.Model"}, {"metrics", "system.Metrics"}},
                 .output_parameters = {"loss"},
                 .caching = KfpCaching::kOwnKey,
                 .publishes_logs = true};
    if (i > 0) task.inputs = {{"base", absl::StrCat("step-", i - 1), "model"}};
    pipeline.tasks.push_back(std::move(task));
  }
  return pipeline;
}

KfpPipeline FanOut(int width) {
  KfpPipeline pipeline{
      .name = "bench-fan-out",
      .tasks = {{.name = "split", .outputs = {{"data"}}, .caching = KfpCaching::kOwnKey}}};
  KfpTask join{
      .name = "join", .outputs = {{"model", "system.Model"}}, .caching = KfpCaching::kOwnKey};
  for (int i = 0; i < width; ++i) {
    const std::string name = absl::StrCat("part-", i);
    pipeline.tasks.push_back({.name = name,
                              .parameters = {"part"},
                              .inputs = {{"data", "split", "data"}},
                              .outputs = {{"piece"}},
                              .caching = KfpCaching::kOwnKey});
    join.inputs.push_back({absl::StrCat("piece-", i), name, "piece"});
  }
  pipeline.tasks.push_back(std::move(join));
  return pipeline;
}

KfpTask Loop(int iterations) {
  return {.name = "for-loop-1",
          .kind = KfpTaskKind::kLoop,
          .iterations = iterations,
          .body = {{.name = "work", .parameters = {"x"}, .outputs = {{"piece"}}}}};
}

KfpPipeline ParallelFor(int iterations) {
  return {.name = "bench-parallel-for", .tasks = {Loop(iterations)}};
}

KfpPipeline Recorded(int) {
  return {.name = "iris-training",
          .tasks = {{.name = "importer",
                     .kind = KfpTaskKind::kImporter,
                     .uri = "gs://bucket/iris-training/data.csv"},
                    {.name = "preprocess",
                     .parameters = {"rows"},
                     .outputs = {{"dataset"}},
                     .caching = KfpCaching::kSharedKey,
                     .publishes_logs = true},
                    {.name = "train",
                     .parameters = {"lr"},
                     .inputs = {{"data", "preprocess", "dataset"}},
                     .outputs = {{"metrics", "system.Metrics"}, {"model", "system.Model"}},
                     .output_parameters = {"loss"},
                     .caching = KfpCaching::kSharedKey},
                    {.name = "skipped", .outcome = KfpOutcome::kSkipped},
                    Loop(3)},
          .root_driver_retries = 1};
}

KfpPipeline Mixed(int iterations) {
  KfpPipeline pipeline = Recorded(0);
  pipeline.name = "bench-mixed";
  pipeline.root_driver_retries = 2;
  pipeline.tasks.back() = Loop(iterations);
  pipeline.tasks.push_back({.name = "import-again",
                            .kind = KfpTaskKind::kImporter,
                            .uri = "gs://bucket/iris-training/labels.csv",
                            .import = KfpImport::kFresh});
  pipeline.tasks.push_back(
      {.name = "evaluate",
       .parameters = {"threshold"},
       .inputs = {{"model", "train", "model"}, {"labels", "import-again", "artifact"}},
       .outputs = {{"report", "system.HTML"}},
       .caching = KfpCaching::kOwnKey,
       .publishes_logs = true});
  pipeline.tasks.push_back({.name = "condition-1",
                            .kind = KfpTaskKind::kDag,
                            .body = {{.name = "tune", .outputs = {{"model", "system.Model"}}},
                                     {.name = "compare",
                                      .inputs = {{"model", "tune", "model"}},
                                      .output_parameters = {"gain"}}}});
  pipeline.tasks.push_back({.name = "deploy",
                            .inputs = {{"model", "train", "model"}},
                            .outputs = {{"endpoint", "google.VertexEndpoint"}},
                            .outcome = KfpOutcome::kFails,
                            .publishes_logs = true});
  return pipeline;
}

struct Shape {
  std::string name;
  int size;
  std::function<KfpPipeline(int)> make;
};

const std::vector<Shape>& Shapes() {
  static const auto* const shapes = new std::vector<Shape>{{"linear", 10, Linear},
                                                           {"fan-out", 10, FanOut},
                                                           {"parallel-for", 60, ParallelFor},
                                                           {"recorded", 1, Recorded},
                                                           {"mixed", 3, Mixed}};
  return *shapes;
}

}  // namespace

absl::StatusOr<KfpPipeline> BuiltInPipeline(const std::string& shape) {
  const size_t colon = shape.find(':');
  for (const Shape& known : Shapes()) {
    if (shape.substr(0, colon) != known.name) continue;
    int size = known.size;
    if (colon != std::string::npos &&
        (!absl::SimpleAtoi(shape.substr(colon + 1), &size) || size < 1 || size > kMostTasks)) {
      return absl::InvalidArgumentError(
          absl::StrCat("the size in ", shape, " is not from 1 to ", kMostTasks));
    }
    return known.make(size);
  }
  return absl::InvalidArgumentError(absl::StrCat("no pipeline is called ", shape, "; there are ",
                                                 absl::StrJoin(BuiltInPipelines(), ", ")));
}

std::vector<std::string> BuiltInPipelines() {
  std::vector<std::string> names;
  for (const Shape& shape : Shapes()) names.push_back(shape.name);
  return names;
}

}  // namespace pedigree::bench
