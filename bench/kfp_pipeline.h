// What a Kubeflow pipeline does, as far as its metadata store sees it: a description that the
// player (kfp_player.h) plays, and some that are built in.
//
// Threading: values and pure functions.
//
//   KfpPipeline pipeline = *BuiltInPipeline("parallel-for:60");
//   pipeline.tasks.push_back({.name = "report", .outputs = {{"page", "system.HTML"}}});
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace pedigree::bench {

struct KfpOutput {
  std::string name;
  std::string type = "system.Dataset";
};

// An artifact that a task of the same DAG has written.
struct KfpInput {
  std::string name;
  std::string task;
  std::string output;
};

enum class KfpTaskKind {
  kContainer,  // Driver and launcher.
  kImporter,
  kDag,   // A DAG of `body`.
  kLoop,  // A DAG of `iterations` such DAGs.
};

enum class KfpOutcome {
  kSucceeds,
  kFails,    // Only its logs are recorded.
  kSkipped,  // Its condition is false: no launcher.
};

// Whether a container's result is looked up by its fingerprint, and who shares that.
enum class KfpCaching {
  kOff,
  kOwnKey,     // Another fingerprint in every run: looked up, never found.
  kSharedKey,  // The same in all runs: found once a run has put it there.
};

// What to do with an importer's artifact that is there already.
enum class KfpImport { kReuse, kFresh };

struct KfpTask {
  std::string name;
  KfpTaskKind kind = KfpTaskKind::kContainer;
  std::vector<std::string> parameters = {};  // Of numbers.
  std::vector<KfpInput> inputs = {};
  std::vector<KfpOutput> outputs = {};
  std::vector<std::string> output_parameters = {};
  KfpOutcome outcome = KfpOutcome::kSucceeds;
  KfpCaching caching = KfpCaching::kOff;
  bool publishes_logs = false;  // As the artifact executor-logs.
  std::string uri = {};         // Of an importer.
  KfpImport import = KfpImport::kReuse;
  int iterations = 0;              // Of a loop.
  std::vector<KfpTask> body = {};  // Of a DAG, or of each iteration.
};

struct KfpPipeline {
  std::string name;             // As KFP allows: [a-z0-9-]+
  std::vector<KfpTask> tasks;   // In an order in which they can run.
  int root_driver_retries = 0;  // How often Argo starts the root driver again.
};

// The pipeline called `shape`, which may end in ":" and a size:
//   linear:10        each task reads what the one before has written, and writes two artifacts
//   fan-out:10       tasks that read one artifact, and one that reads all of theirs
//   parallel-for:60  a loop with a container in each iteration
//   recorded         what tests/data/transcripts/kfp_two_runs.jsonl plays
//   mixed:3          everything: importers, cached steps, failures, conditions, retries, a loop
// InvalidArgument if it is none of these, or if the size is not from 1 to 10,000.
absl::StatusOr<KfpPipeline> BuiltInPipeline(const std::string& shape);

// The names of BuiltInPipeline, without sizes.
std::vector<std::string> BuiltInPipelines();

}  // namespace pedigree::bench
