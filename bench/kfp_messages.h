// What KFP writes: contexts, executions, artifacts and events with the properties that its driver
// and launcher give them.
//
// Threading: pure functions.
//
//   mlmd::Execution execution = NewContainerExecution(task, dag_id, fingerprint);
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "bench/kfp_pipeline.h"
#include "bench/kfp_run.h"
#include "ml_metadata/proto/metadata_store.pb.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"

namespace pedigree::bench {

namespace mlmd = ml_metadata;

inline constexpr char kPipelineType[] = "system.Pipeline";
inline constexpr char kRunType[] = "system.PipelineRun";
inline constexpr char kDagType[] = "system.DAGExecution";
inline constexpr char kContainerType[] = "system.ContainerExecution";
inline constexpr char kImporterType[] = "system.ImporterExecution";
inline constexpr char kLogsOutput[] = "executor-logs";
inline constexpr char kImportedOutput[] = "artifact";

// Who the `number`th run of `pipeline` is. Runs with different nonces are different.
KfpIdentity IdentityOf(const std::string& pipeline, uint64_t nonce, int64_t number);

// 64 hexadecimal digits that follow from `text`.
std::string FingerprintOf(absl::string_view text);

// The properties of a run's context.
mlmd::Context RunContext(const KfpIdentity& run);

// An execution as its driver creates it, without type. Its parent's id is 0 only of the root.
mlmd::Execution NewRootExecution(const KfpIdentity& run);
mlmd::Execution NewContainerExecution(const KfpTask& task, int64_t parent_dag,
                                      std::optional<int> iteration, const std::string& fingerprint);
mlmd::Execution NewImporterExecution(const KfpTask& task, int64_t parent_dag);
// The DAG of `task`, or that of one of its iterations.
mlmd::Execution NewDagExecution(const KfpTask& task, int64_t parent_dag,
                                std::optional<int> iteration);

// What the launcher adds when its pod runs, and when it has ended.
void SetPod(const KfpTask& task, const KfpIdentity& run, mlmd::Execution* execution);
void SetOutputParameters(const KfpTask& task, mlmd::Execution* execution);

// An artifact that the launcher of `execution` has written, without type.
mlmd::Artifact NewArtifact(const KfpIdentity& run, const KfpTask& task, int64_t execution,
                           const std::string& output);
mlmd::Artifact ImportedArtifact(const KfpTask& task);

// Adds an event of an artifact that is in the store.
void AddEvent(mlmd::Event::Type type, const std::string& name, int64_t artifact,
              mlmd::PutExecutionRequest* request);

// A custom property's number; nullopt if it has none.
std::optional<int64_t> IntProperty(const mlmd::Execution& execution, const std::string& name);
// A custom property's text; "" if it has none.
std::string StringProperty(const mlmd::Execution& execution, const std::string& name);

}  // namespace pedigree::bench
