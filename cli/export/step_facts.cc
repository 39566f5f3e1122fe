#include "cli/export/step_facts.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/export/json_values.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Event;

void AddRun(const ml_metadata::Context& context, StepFacts& facts) {
  facts.run = context.name();
  facts.run_context_id = context.id();
}

void AddContext(const ml_metadata::Context& context, absl::string_view type, StepFacts& facts) {
  if (type == "system.Pipeline") {
    facts.orchestrator = "kubeflow";
    facts.pipeline = context.name();
  } else if (type == "system.PipelineRun") {
    facts.orchestrator = "kubeflow";
    AddRun(context, facts);
    if (auto tenant = AnyTextProperty(context, "namespace")) facts.tenant = *tenant;
  } else if (type == "KfpRun") {
    facts.orchestrator = "kubeflow";
    AddRun(context, facts);
    if (auto pipeline = AnyTextProperty(context, "pipeline_name")) facts.pipeline = *pipeline;
  } else if (type == "pipeline") {
    facts.orchestrator = "tfx";
    facts.pipeline = context.name();
  } else if (type == "pipeline_run" || type == "run") {
    facts.orchestrator = "tfx";
    AddRun(context, facts);
  } else if (type == "node") {
    facts.orchestrator = "tfx";
    facts.task = context.name();
  }
}

// Names that change from run to run would make every run a job of its own, so an execution's own
// name is not asked.
void AddTask(const ml_metadata::Execution& execution, absl::string_view type, StepFacts& facts) {
  if (!facts.task.empty()) {
    // TFX calls its nodes "<pipeline>.<node>".
    const std::string prefix = facts.pipeline + ".";
    facts.task = std::string(absl::StripPrefix(facts.task, prefix));
    return;
  }
  const auto& custom = execution.custom_properties();
  if (const auto found = custom.find("task_name");
      found != custom.end() && found->second.has_string_value()) {
    facts.task = found->second.string_value();  // Of the root of a run it is there, and empty.
    return;
  }
  facts.task = type.empty() ? absl::StrCat("type/", execution.type_id()) : std::string(type);
}

}  // namespace

std::string StepFacts::JobNamespace() const { return absl::StrCat(orchestrator, "/", tenant); }

std::string StepFacts::JobName() const {
  if (pipeline.empty()) return task.empty() ? "unnamed" : task;
  return task.empty() ? pipeline : absl::StrCat(pipeline, ".", task);
}

StepFacts FactsOf(const v1::ExportedStep& step, const TypeNames& types) {
  const ml_metadata::Execution& execution = step.execution();
  const absl::string_view type = types.NameOf(execution);
  StepFacts facts;
  facts.orchestrator = absl::StartsWith(type, "system.") ? "kubeflow" : "mlmd";
  facts.tenant = "default";
  for (const auto& context : step.contexts()) AddContext(context, types.NameOf(context), facts);
  if (auto tenant = TextProperty(execution.custom_properties(), "namespace")) {
    facts.tenant = *tenant;
  }
  const auto& custom = execution.custom_properties();
  if (const auto found = custom.find("parent_dag_id"); found != custom.end()) {
    facts.parent_execution_id = found->second.int_value();
  }
  AddTask(execution, type, facts);
  return facts;
}

std::string DisplayName(const ml_metadata::Artifact& artifact) {
  if (!artifact.name().empty()) return artifact.name();
  if (auto name = TextProperty(artifact.custom_properties(), "display_name")) return *name;
  const absl::string_view uri = absl::StripSuffix(artifact.uri(), "/");
  const absl::string_view end = uri.substr(uri.rfind('/') + 1);
  return end.empty() ? absl::StrCat("artifact/", artifact.id()) : std::string(end);
}

bool ReadsArtifact(const Event& event) {
  return event.type() == Event::INPUT || event.type() == Event::DECLARED_INPUT;
}

bool WritesArtifact(const Event& event) {
  return event.type() == Event::OUTPUT || event.type() == Event::DECLARED_OUTPUT;
}

}  // namespace pedigree::cli
