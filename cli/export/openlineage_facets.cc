// The facets of OpenLineage's events: what is said of a run, a job and a data set.
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/export/formats.h"
#include "cli/export/openlineage.h"
#include "cli/export/uuid.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Event;
using ml_metadata::Execution;

std::string FacetSchema(absl::string_view version, absl::string_view name) {
  return absl::StrCat("https://openlineage.io/spec/facets/", version, "/", name, ".json#/$defs/",
                      name);
}

void AddParameter(absl::string_view key, std::string value, Json& parameters) {
  Json parameter = Json::object();
  Append(parameter, "key", std::string(key));
  Append(parameter, "name", std::string(key));
  Append(parameter, "value", std::move(value));
  parameters.push_back(std::move(parameter));
}

// What the step was called with: Kubeflow's `inputs` (v2) and `input:NAME` (v1), else the declared
// properties.
Json ParametersOf(const Execution& execution) {
  Json parameters = Json::array();
  const auto& custom = execution.custom_properties();
  if (const auto inputs = custom.find("inputs");
      inputs != custom.end() && inputs->second.has_struct_value()) {
    for (const auto& [key, value] : Sorted(inputs->second.struct_value().fields())) {
      AddParameter(key, ToText(*value), parameters);
    }
    return parameters;
  }
  for (const auto& [key, value] : Sorted(custom)) {
    absl::string_view name = key;
    if (absl::ConsumePrefix(&name, "input:")) AddParameter(name, ToText(*value), parameters);
  }
  if (!parameters.empty()) return parameters;
  for (const auto& [key, value] : Sorted(execution.properties())) {
    AddParameter(key, ToText(*value), parameters);
  }
  return parameters;
}

absl::optional<std::string> ErrorOf(const Execution& execution) {
  if (execution.last_known_state() != Execution::FAILED) return absl::nullopt;
  for (absl::string_view name : {"error_message", "errorMessage", "error_msg", "error"}) {
    if (auto text = AnyTextProperty(execution, name)) return text;
  }
  return absl::nullopt;
}

// MODEL, or FILE if there is a place; what has none is only what the step said of itself.
absl::string_view DatasetTypeOf(const Artifact& artifact, const TypeNames& types) {
  if (types.IsModel(artifact)) return "MODEL";
  return artifact.uri().empty() ? "JOB_OUTPUT" : "FILE";
}

// What the step did to an artifact that it wrote, as far as the store tells: that it is there.
absl::string_view LifecycleOf(const Artifact& artifact, const Execution& execution) {
  if (artifact.state() == Artifact::DELETED) return "DROP";
  const bool is_new = execution.last_known_state() == Execution::COMPLETE;
  return is_new && artifact.state() == Artifact::LIVE ? "CREATE" : "";
}

// Members that nodes of all kinds have, as far as they are set.
template <typename Node>
void AddNode(const Node& node, absl::string_view type, Json& json) {
  Append(json, "id", node.id());
  if (!type.empty()) Append(json, "type", std::string(type));
  if (!node.name().empty()) Append(json, "name", node.name());
  if (!node.external_id().empty()) Append(json, "externalId", node.external_id());
}

template <typename Node>
void AddProperties(const Node& node, Json& json) {
  if (!node.properties().empty()) Append(json, "properties", ToJson(node.properties()));
  if (!node.custom_properties().empty()) {
    Append(json, "customProperties", ToJson(node.custom_properties()));
  }
}

Json EventJson(const Event& event) {
  Json json = Json::object();
  Append(json, "type", Event::Type_Name(event.type()));
  if (event.has_milliseconds_since_epoch()) {
    Append(json, "time", TimeText(event.milliseconds_since_epoch()));
  }
  if (event.path().steps_size() > 0) Append(json, "path", ToJson(event.path()));
  return json;
}

}  // namespace

Json OpenLineageMapper::Facet(absl::string_view schema) const {
  Json facet = Json::object();
  Append(facet, "_producer", kProducer);
  Append(facet, "_schemaURL", std::string(schema));
  return facet;
}

absl::optional<Json> OpenLineageMapper::ParentFacet(const StepFacts& facts) const {
  const auto run_of = [](std::string id) { return Json{{"runId", std::move(id)}}; };
  const auto job_of = [&facts](std::string name) {
    return Json{{"namespace", facts.JobNamespace()}, {"name", std::move(name)}};
  };
  const std::string pipeline = facts.pipeline.empty() ? "unnamed" : facts.pipeline;
  Json facet = Facet(FacetSchema("1-2-0", "ParentRunFacet"));
  if (facts.parent_execution_id == 0) {
    // Kubeflow's root is the run; a step of other tools has the run's context above it.
    if (facts.orchestrator == "kubeflow" && facts.task.empty()) return absl::nullopt;
    if (facts.run_context_id == 0) return absl::nullopt;
    const std::string id = UuidV5(kUuidOfDns, absl::StrCat("context:", facts.run_context_id));
    Append(facet, "run", run_of(id));
    Append(facet, "job", job_of(pipeline));
    return facet;
  }
  int64_t root = facts.parent_execution_id;
  const auto parent = parents_.find(root);
  Append(facet, "run", run_of(RunIdOf(root)));
  Append(facet, "job", job_of(parent == parents_.end() ? pipeline : parent->second.job));
  // Up to the root; ids of parents descend, so that this ends.
  auto above = parent;
  while (above != parents_.end() && above->second.parent_id != 0 &&
         above->second.parent_id < root) {
    root = above->second.parent_id;
    above = parents_.find(root);
  }
  if (above != parents_.end() && above->second.parent_id == 0) {
    Append(facet, "root", {{"run", run_of(RunIdOf(root))}, {"job", job_of(above->second.job)}});
  }
  return facet;
}

Json OpenLineageMapper::ExecutionFacet(const v1::ExportedStep& step) const {
  const Execution& execution = step.execution();
  Json facet = Facet(absl::StrCat(kMlmdFacets, "#/$defs/MlmdExecutionRunFacet"));
  AddNode(execution, types_->NameOf(execution), facet);
  Append(facet, "state", Execution::State_Name(execution.last_known_state()));
  AddProperties(execution, facet);
  Json contexts = Json::array();
  for (const auto& context : step.contexts()) {
    Json json = Json::object();
    AddNode(context, types_->NameOf(context), json);
    contexts.push_back(std::move(json));
  }
  if (!contexts.empty()) Append(facet, "contexts", std::move(contexts));
  Json others = Json::array();
  for (const auto& use : step.uses()) {
    if (ReadsArtifact(use.event()) || WritesArtifact(use.event())) continue;
    Json json = EventJson(use.event());
    Append(json, "artifactId", use.event().artifact_id());
    others.push_back(std::move(json));
  }
  if (!others.empty()) Append(facet, "otherEvents", std::move(others));
  return facet;
}

Json OpenLineageMapper::RunFacets(const v1::ExportedStep& step, const StepFacts& facts) const {
  Json facets = Json::object();
  if (auto parent = ParentFacet(facts)) Append(facets, "parent", *std::move(parent));
  if (Json parameters = ParametersOf(step.execution()); !parameters.empty()) {
    Json facet = Facet(FacetSchema("1-0-0", "ExecutionParametersRunFacet"));
    Append(facet, "parameters", std::move(parameters));
    Append(facets, "executionParameters", std::move(facet));
  }
  if (auto error = ErrorOf(step.execution())) {
    Json facet = Facet(FacetSchema("1-0-1", "ErrorMessageRunFacet"));
    Append(facet, "message", *std::move(error));
    Append(facet, "programmingLanguage", "UNKNOWN");
    Append(facets, "errorMessage", std::move(facet));
  }
  Append(facets, "mlmd_execution", ExecutionFacet(step));
  return facets;
}

Json OpenLineageMapper::JobFacets(const v1::ExportedStep& step) const {
  Json facet = Facet(FacetSchema("2-0-4", "JobTypeJobFacet"));
  Append(facet, "processingType", "BATCH");
  Append(facet, "integration", "MLMD");
  const bool is_dag = types_->NameOf(step.execution()) == "system.DAGExecution";
  Append(facet, "jobType", is_dag ? "DAG" : "TASK");
  Json facets = Json::object();
  Append(facets, "jobType", std::move(facet));
  return facets;
}

Json OpenLineageMapper::DatasetFacets(const v1::ExportedStep& step, const Artifact& artifact,
                                      const std::vector<const Event*>& events) const {
  Json facets = Json::object();
  Json type = Facet(FacetSchema("1-0-1", "DatasetTypeDatasetFacet"));
  Append(type, "datasetType", std::string(DatasetTypeOf(artifact, *types_)));
  if (const auto name = types_->NameOf(artifact); !name.empty()) {
    Append(type, "subType", std::string(name));
  }
  Append(facets, "datasetType", std::move(type));
  Json version = Facet(FacetSchema("1-0-1", "DatasetVersionDatasetFacet"));
  Append(version, "datasetVersion", absl::StrCat(artifact.id()));
  Append(facets, "version", std::move(version));
  const bool is_output = WritesArtifact(*events.front());
  if (const auto change = LifecycleOf(artifact, step.execution()); is_output && !change.empty()) {
    Json lifecycle = Facet(FacetSchema("1-0-1", "LifecycleStateChangeDatasetFacet"));
    Append(lifecycle, "lifecycleStateChange", std::string(change));
    Append(facets, "lifecycleStateChange", std::move(lifecycle));
  }
  Json facet = Facet(absl::StrCat(kMlmdFacets, "#/$defs/MlmdArtifactDatasetFacet"));
  AddNode(artifact, types_->NameOf(artifact), facet);
  if (!artifact.uri().empty()) Append(facet, "uri", artifact.uri());
  Append(facet, "state", Artifact::State_Name(artifact.state()));
  AddProperties(artifact, facet);
  Json all = Json::array();
  for (const Event* event : events) all.push_back(EventJson(*event));
  Append(facet, "events", std::move(all));
  Append(facets, "mlmd_artifact", std::move(facet));
  return facets;
}

// An artifact stands once, whatever the number of its events, in the order of the first of them.
Json OpenLineageMapper::Datasets(const v1::ExportedStep& step,
                                 bool (*is_wanted)(const Event&)) const {
  std::vector<const v1::ExportedStep::Use*> firsts;
  std::map<int64_t, std::vector<const Event*>> events;
  for (const auto& use : step.uses()) {
    if (!is_wanted(use.event())) continue;
    auto& of_artifact = events[use.event().artifact_id()];
    if (of_artifact.empty()) firsts.push_back(&use);
    of_artifact.push_back(&use.event());
  }
  Json datasets = Json::array();
  for (const auto* use : firsts) {
    Artifact artifact = use->artifact();
    artifact.set_id(use->event().artifact_id());
    DatasetName name = DatasetNameOf(artifact, options_.store);
    Json dataset = Json::object();
    Append(dataset, "namespace", std::move(name.name_space));
    Append(dataset, "name", std::move(name.name));
    Append(dataset, "facets", DatasetFacets(step, artifact, events[artifact.id()]));
    datasets.push_back(std::move(dataset));
  }
  return datasets;
}

}  // namespace pedigree::cli
