// What a step is a step of, found where the tools that write to a store put it: Kubeflow Pipelines
// (v2, and its writer for v1), TFX, and everybody else.
//
// Pure functions: any thread.
//
//   StepFacts facts = FactsOf(step, types);   // facts.pipeline == "iris", facts.task == "train"
#pragma once

#include <cstdint>
#include <string>

#include "cli/export/type_names.h"
#include "pedigree/v1/audit.pb.h"

namespace pedigree::cli {

struct StepFacts {
  std::string orchestrator;  // "kubeflow", "tfx" or "mlmd".
  std::string tenant;        // Kubeflow's namespace, else "default".
  std::string pipeline;      // Empty if nothing says so.
  std::string run;           // Of the run's context; empty if there is none.
  int64_t run_context_id = 0;
  std::string task;                 // Stable from run to run. Empty for Kubeflow's root of a run.
  int64_t parent_execution_id = 0;  // Kubeflow's parent_dag_id.

  // "<orchestrator>/<tenant>"
  std::string JobNamespace() const;
  // "<pipeline>.<task>", or the one of them that there is.
  std::string JobName() const;
};

StepFacts FactsOf(const v1::ExportedStep& step, const TypeNames& types);

// What an artifact is called: its name, Kubeflow's display_name, the end of its uri, its id.
std::string DisplayName(const ml_metadata::Artifact& artifact);

// Whether an event says that the execution read, or wrote, the artifact. What is internal to the
// store's tools is neither.
bool ReadsArtifact(const ml_metadata::Event& event);
bool WritesArtifact(const ml_metadata::Event& event);

}  // namespace pedigree::cli
