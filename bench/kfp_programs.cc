#include "bench/kfp_programs.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/kfp_messages.h"
#include "bench/kfp_pod.h"

namespace pedigree::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Where a task runs.
struct Place {
  int64_t dag = 0;
  std::optional<int> iteration = std::nullopt;  // Of the DAG, if it is one of a loop.
};

// What the driver has made of a container.
struct Driven {
  int64_t execution = 0;
  std::string fingerprint;  // "" if its result is not cached.
  bool must_run = false;    // Or else it was cached or skipped.
};

std::string TaskFingerprint(const KfpTask& task, const PlayedRun& run) {
  switch (task.caching) {
    case KfpCaching::kOff:
      return "";
    case KfpCaching::kOwnKey:
      return FingerprintOf(absl::StrCat(run.identity.run_id, "/", task.name));
    case KfpCaching::kSharedKey:
      return FingerprintOf(absl::StrCat(run.identity.pipeline, "/", task.name));
  }
  return "";
}

Coroutine<int64_t> PlayRootDriver(PlayedRun& run) {
  Pod pod(run, PodKind::kRootDriver);
  co_await pod.GetPipeline();
  const mlmd::Execution root = NewRootExecution(run.identity);
  const std::vector<NamedArtifact> no_inputs;
  const absl::StatusOr<mlmd::Execution> created =
      co_await pod.CreateExecution(kDagType, root, no_inputs);
  if (created.ok()) co_return created->id();
  // Argo has started it again: the execution is there.
  const mlmd::Execution found = co_await pod.GetExecutionByName(kDagType, root.name());
  co_return found.id();
}

// All executions of a DAG and of the DAGs in it, which is how KFP looks for a producer.
Coroutine<std::vector<mlmd::Execution>> ListDagDeeply(Pod& pod, int64_t dag) {
  std::vector<mlmd::Execution> all = co_await pod.ListDag(dag);
  const size_t children = all.size();
  for (size_t i = 0; i < children; ++i) {
    if (all[i].type() != kDagType) continue;
    const int64_t child = all[i].id();
    (void)co_await pod.GetExecution(child);
    const std::vector<mlmd::Execution> below = co_await ListDagDeeply(pod, child);
    all.insert(all.end(), below.begin(), below.end());
  }
  co_return all;
}

// The artifacts that the task reads, each looked for on its own.
Coroutine<std::vector<NamedArtifact>> ResolveInputs(Pod& pod, const KfpTask& task, int64_t dag) {
  std::vector<NamedArtifact> inputs;
  for (const KfpInput& input : task.inputs) {
    const std::vector<mlmd::Execution> executions = co_await ListDagDeeply(pod, dag);
    const auto producer =
        std::find_if(executions.begin(), executions.end(), [&](const mlmd::Execution& execution) {
          return StringProperty(execution, "task_name") == input.task;
        });
    if (producer == executions.end()) {
      co_await GiveUp(pod.run().activity, absl::InternalError(absl::StrCat("the task ", input.task,
                                                                           " is not in its DAG")));
    }
    const int64_t producer_id = producer->id();
    const std::vector<NamedArtifact> artifacts = co_await pod.GetArtifactsOf(producer_id);
    const auto output =
        std::find_if(artifacts.begin(), artifacts.end(), [&](const NamedArtifact& artifact) {
          return artifact.event_type == mlmd::Event::OUTPUT && artifact.name == input.output;
        });
    if (output == artifacts.end()) {
      co_await GiveUp(pod.run().activity,
                      absl::InternalError(
                          absl::StrCat("the task ", input.task, " has no output ", input.output)));
    }
    inputs.push_back({input.name, output->artifact, mlmd::Event::INPUT});
  }
  co_return inputs;
}

// What every driver but the root's begins with.
Coroutine<void> EnterDag(Pod& pod, const Place& place) {
  co_await pod.GetPipeline();
  (void)co_await pod.GetExecution(place.dag);
  (void)co_await pod.GetArtifactsOf(place.dag);  // The inputs of the DAG.
}

Coroutine<int64_t> PlayDagDriver(PlayedRun& run, const KfpTask& task, const Place& place) {
  Pod pod(run, PodKind::kDagDriver);
  co_await EnterDag(pod, place);
  // An iteration looks into the inputs of its loop a second time, for its item.
  if (place.iteration) (void)co_await pod.GetArtifactsOf(place.dag);
  const std::vector<NamedArtifact> inputs = co_await ResolveInputs(pod, task, place.dag);
  const mlmd::Execution dag = NewDagExecution(task, place.dag, place.iteration);
  const absl::StatusOr<mlmd::Execution> created =
      co_await pod.CreateExecution(kDagType, dag, inputs);
  if (!created.ok()) co_await GiveUp(run.activity, created.status());
  ++run.tally.dags;
  co_return created->id();
}

// Publishes `execution` with the outputs of the execution that had the same fingerprint before.
Coroutine<void> ReuseCached(Pod& pod, mlmd::Execution execution, int64_t cached) {
  const ReadExecution read = co_await pod.GetExecution(cached);
  const std::vector<NamedArtifact> artifacts = co_await pod.GetArtifactsOf(cached);
  mlmd::PutExecutionRequest put;
  execution.set_last_known_state(mlmd::Execution::CACHED);
  auto& properties = *execution.mutable_custom_properties();
  properties["cached_execution_id"].set_string_value(absl::StrCat(cached));
  const auto outputs = read.execution.custom_properties().find("outputs");
  if (outputs != read.execution.custom_properties().end()) properties["outputs"] = outputs->second;
  *put.mutable_execution() = std::move(execution);
  for (const NamedArtifact& artifact : artifacts) {
    if (artifact.event_type != mlmd::Event::OUTPUT) continue;
    AddEvent(mlmd::Event::OUTPUT, artifact.name, artifact.artifact, &put);
  }
  for (const mlmd::Context& context : pod.contexts()) *put.add_contexts() = context;
  co_await pod.PutExecution(put);
}

Coroutine<Driven> PlayContainerDriver(PlayedRun& run, const KfpTask& task, const Place& place) {
  Pod pod(run, PodKind::kContainerDriver);
  co_await EnterDag(pod, place);
  const std::vector<NamedArtifact> inputs = co_await ResolveInputs(pod, task, place.dag);
  Driven driven{.fingerprint = TaskFingerprint(task, run)};
  int64_t cached = 0;
  if (!driven.fingerprint.empty()) cached = co_await pod.FindCached(driven.fingerprint);
  const mlmd::Execution container =
      NewContainerExecution(task, place.dag, place.iteration, driven.fingerprint);
  const absl::StatusOr<mlmd::Execution> created =
      co_await pod.CreateExecution(kContainerType, container, inputs);
  if (!created.ok()) co_await GiveUp(run.activity, created.status());
  driven.execution = created->id();
  if (task.outcome == KfpOutcome::kSkipped) {
    ++run.tally.skipped;
  } else if (cached != 0) {
    co_await ReuseCached(pod, *created, cached);
    ++run.tally.cached;
  } else {
    driven.must_run = true;
  }
  co_return driven;
}

// Records what the container has written; the events of it, for the execution's publication.
Coroutine<void> RecordOutputs(Pod& pod, const KfpTask& task, int64_t execution,
                              mlmd::PutExecutionRequest& publication) {
  std::vector<KfpOutput> outputs;
  if (task.outcome == KfpOutcome::kSucceeds) outputs = task.outputs;
  if (task.publishes_logs) outputs.push_back({kLogsOutput, "system.Artifact"});
  for (const KfpOutput& output : outputs) {
    const mlmd::Artifact artifact = NewArtifact(pod.run().identity, task, execution, output.name);
    const int64_t id = co_await pod.RecordArtifact(output.type, artifact);
    AddEvent(mlmd::Event::OUTPUT, output.name, id, &publication);
  }
}

Coroutine<void> PlayLauncher(PlayedRun& run, const KfpTask& task, const Place& place,
                             const Driven& driven) {
  Pod pod(run, PodKind::kLauncher);
  ReadExecution read = co_await pod.GetExecution(driven.execution);
  SetPod(task, run.identity, &read.execution);
  mlmd::PutExecutionRequest pod_info;
  *pod_info.mutable_execution() = read.execution;
  co_await pod.PutExecution(pod_info);

  mlmd::PutExecutionRequest publication;
  co_await RecordOutputs(pod, task, driven.execution, publication);
  const bool succeeds = task.outcome == KfpOutcome::kSucceeds;
  if (succeeds && !driven.fingerprint.empty()) {
    co_await pod.PutIntoCache(driven.fingerprint, driven.execution);
  }
  read.execution.set_last_known_state(succeeds ? mlmd::Execution::COMPLETE
                                               : mlmd::Execution::FAILED);
  if (succeeds) SetOutputParameters(task, &read.execution);
  *publication.mutable_execution() = read.execution;
  for (const mlmd::Context& context : pod.contexts()) *publication.add_contexts() = context;
  co_await pod.PutExecution(publication);

  ReadExecution dag = co_await pod.GetExecution(place.dag);
  (void)co_await pod.GetContextsOf(driven.execution);
  co_await pod.UpdateDagStates(std::move(dag));
}

Coroutine<void> PlayImporter(PlayedRun& run, const KfpTask& task, const Place& place) {
  Pod pod(run, PodKind::kImporter);
  co_await pod.GetPipeline();
  const mlmd::Execution importer = NewImporterExecution(task, place.dag);
  const std::vector<NamedArtifact> no_inputs;
  const absl::StatusOr<mlmd::Execution> created =
      co_await pod.CreateExecution(kImporterType, importer, no_inputs);
  if (!created.ok()) co_await GiveUp(run.activity, created.status());
  const std::string type = task.outputs.empty() ? "system.Dataset" : task.outputs[0].type;
  mlmd::Artifact artifact = ImportedArtifact(task);
  const int64_t type_id = co_await pod.GetOrPutArtifactType(type);
  artifact.set_type_id(type_id);
  int64_t known = 0;
  if (task.import == KfpImport::kReuse) known = co_await pod.FindEqualArtifact(artifact);
  mlmd::PutExecutionRequest put;
  *put.mutable_execution() = *created;
  put.mutable_execution()->set_last_known_state(mlmd::Execution::COMPLETE);
  AddEvent(mlmd::Event::OUTPUT, kImportedOutput, known, &put);
  if (known == 0) {
    put.mutable_artifact_event_pairs(0)->mutable_event()->clear_artifact_id();
    *put.mutable_artifact_event_pairs(0)->mutable_artifact() = artifact;
  }
  for (const mlmd::Context& context : pod.contexts()) *put.add_contexts() = context;
  co_await pod.PutExecution(put);
  ++run.tally.imported;
}

// Driver and launcher of a container; whether it has outputs.
Coroutine<bool> PlayContainer(PlayedRun& run, const KfpTask& task, const Place& place) {
  const auto begin = Clock::now();
  const Driven driven = co_await PlayContainerDriver(run, task, place);
  if (!driven.must_run) co_return task.outcome == KfpOutcome::kSucceeds;
  co_await PlayLauncher(run, task, place, driven);
  ++run.tally.launched;
  run.tally.failed += task.outcome == KfpOutcome::kFails ? 1 : 0;
  run.tally.task_times.Record(Clock::now() - begin);
  co_return task.outcome == KfpOutcome::kSucceeds;
}

Coroutine<void> PlayTasks(PlayedRun& run, const std::vector<KfpTask>& tasks, const Place& place);

Coroutine<void> PlayIteration(PlayedRun& run, const KfpTask& loop, int64_t loop_dag,
                              int iteration) {
  const Place in_loop{.dag = loop_dag, .iteration = iteration};
  const int64_t dag = co_await PlayDagDriver(run, loop, in_loop);
  const Place in_iteration{.dag = dag, .iteration = iteration};
  co_await PlayTasks(run, loop.body, in_iteration);
}

// One of those who take iterations in turn.
Coroutine<void> TakeIterations(PlayedRun& run, const KfpTask& loop, int64_t loop_dag, int& next) {
  while (next < loop.iterations) {
    const int iteration = next++;
    co_await PlayIteration(run, loop, loop_dag, iteration);
  }
}

Coroutine<void> PlayLoop(PlayedRun& run, const KfpTask& loop, const Place& place) {
  const Place outside{.dag = place.dag};
  const int64_t dag = co_await PlayDagDriver(run, loop, outside);
  int next = 0;
  std::vector<Coroutine<void>> takers;
  for (int i = 0; i < run.width; ++i) takers.push_back(TakeIterations(run, loop, dag, next));
  co_await All(std::move(takers));
}

Coroutine<void> PlayDag(PlayedRun& run, const KfpTask& task, const Place& place) {
  const Place outside{.dag = place.dag};
  const int64_t dag = co_await PlayDagDriver(run, task, outside);
  const Place inside{.dag = dag};
  co_await PlayTasks(run, task.body, inside);
}

// Whether the task has outputs that others can read.
Coroutine<bool> PlayTask(PlayedRun& run, const KfpTask& task, const Place& place) {
  switch (task.kind) {
    case KfpTaskKind::kContainer:
      co_return co_await PlayContainer(run, task, place);
    case KfpTaskKind::kImporter:
      co_await PlayImporter(run, task, place);
      co_return true;
    case KfpTaskKind::kDag:
      co_await PlayDag(run, task, place);
      co_return true;
    case KfpTaskKind::kLoop:
      co_await PlayLoop(run, task, place);
      co_return true;
  }
  co_return true;
}

// The tasks of a DAG while they run.
struct Schedule {
  std::vector<const KfpTask*> waiting;  // In the pipeline's order.
  std::set<std::string> succeeded;

  // The next task of `wave` tasks at the front of `waiting` that has all its inputs; nullptr if
  // there is none left.
  const KfpTask* Take(size_t& wave) {
    while (wave > 0) {
      const KfpTask* task = waiting.front();
      waiting.erase(waiting.begin());
      --wave;
      const bool can_run =
          std::all_of(task->inputs.begin(), task->inputs.end(),
                      [this](const KfpInput& input) { return succeeded.count(input.task) > 0; });
      if (can_run) return task;
    }
    return nullptr;
  }

  // How many of the tasks at the front need none of each other.
  size_t NextWave() const {
    std::set<std::string> in_wave;
    size_t wave = 0;
    for (const KfpTask* task : waiting) {
      for (const KfpInput& input : task->inputs) {
        if (in_wave.count(input.task) > 0) return wave;
      }
      in_wave.insert(task->name);
      ++wave;
    }
    return wave;
  }
};

Coroutine<void> TakeTasks(PlayedRun& run, const Place& place, Schedule& schedule, size_t& wave) {
  while (const KfpTask* task = schedule.Take(wave)) {
    const bool succeeded = co_await PlayTask(run, *task, place);
    if (succeeded) schedule.succeeded.insert(task->name);
  }
}

Coroutine<void> PlayTasks(PlayedRun& run, const std::vector<KfpTask>& tasks, const Place& place) {
  Schedule schedule;
  for (const KfpTask& task : tasks) schedule.waiting.push_back(&task);
  while (!schedule.waiting.empty()) {
    size_t wave = schedule.NextWave();
    std::vector<Coroutine<void>> takers;
    for (int i = 0; i < run.width; ++i) takers.push_back(TakeTasks(run, place, schedule, wave));
    co_await All(std::move(takers));
  }
}

}  // namespace

Coroutine<void> PlayPipeline(const KfpPipeline& pipeline, PlayedRun& run) {
  int64_t root = co_await PlayRootDriver(run);
  ++run.tally.dags;
  for (int i = 0; i < pipeline.root_driver_retries; ++i) root = co_await PlayRootDriver(run);
  const Place place{.dag = root};
  co_await PlayTasks(run, pipeline.tasks, place);
  ++run.tally.runs;
}

}  // namespace pedigree::bench
