#include "cli/export/cyclonedx.h"

#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/export/digests.h"
#include "cli/export/step_facts.h"
#include "cli/export/uuid.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Execution;

std::string ArtifactRef(int64_t id) { return absl::StrCat("artifact-", id); }
std::string ExecutionRef(int64_t id) { return absl::StrCat("execution-", id); }

Json RefTo(std::string ref) {
  Json object = Json::object();
  Append(object, "ref", std::move(ref));
  return object;
}

void AddProperty(absl::string_view name, std::string value, Json& properties) {
  Json property = Json::object();
  Append(property, "name", absl::StrCat("pedigree:", name));
  Append(property, "value", std::move(value));
  properties.push_back(std::move(property));
}

// What the standard has no member for.
template <typename Node>
Json PropertiesOf(const Node& node, const TypeNames& types, std::string state) {
  Json properties = Json::array();
  AddProperty("id", absl::StrCat(node.id()), properties);
  if (const auto type = types.NameOf(node); !type.empty()) {
    AddProperty("type", std::string(type), properties);
  }
  AddProperty("state", std::move(state), properties);
  if (!node.external_id().empty()) AddProperty("external_id", node.external_id(), properties);
  for (const auto& [name, value] : Sorted(node.properties())) {
    AddProperty(absl::StrCat("property:", name), ToText(*value), properties);
  }
  for (const auto& [name, value] : Sorted(node.custom_properties())) {
    AddProperty(absl::StrCat("custom_property:", name), ToText(*value), properties);
  }
  return properties;
}

Json Hashes(const Artifact& artifact) {
  static const std::map<std::string, const char*> kNames = {{"md5", "MD5"},
                                                            {"sha1", "SHA-1"},
                                                            {"sha256", "SHA-256"},
                                                            {"sha384", "SHA-384"},
                                                            {"sha512", "SHA-512"}};
  Json hashes = Json::array();
  for (const auto& [algorithm, value] : DigestsOf(artifact).by_algorithm) {
    Json hash = Json::object();
    Append(hash, "alg", kNames.at(algorithm));
    Append(hash, "content", value);
    hashes.push_back(std::move(hash));
  }
  return hashes;
}

// What a component of type data holds.
Json DataOf(const Artifact& artifact, const TypeNames& types, const std::string& url) {
  Json data = Json::object();
  Append(data, "type", types.IsDataset(artifact) ? "dataset" : "other");
  Append(data, "name", DisplayName(artifact));
  if (!url.empty()) {
    Json contents = Json::object();
    Append(contents, "url", url);
    Append(data, "contents", std::move(contents));
  }
  return Json::array({std::move(data)});
}

Json Component(const Artifact& artifact, const TypeNames& types,
               bool (*is_model)(const Artifact&, const TypeNames&)) {
  const bool model = is_model(artifact, types);
  const std::string url = ReferenceOf(artifact.uri());
  Json component = Json::object();
  Append(component, "type", model ? "machine-learning-model" : "data");
  Append(component, "bom-ref", ArtifactRef(artifact.id()));
  Append(component, "name", DisplayName(artifact));
  if (auto version = AnyTextProperty(artifact, "version")) {
    Append(component, "version", version->substr(0, 1024));
  }
  if (Json hashes = Hashes(artifact); !hashes.empty()) {
    Append(component, "hashes", std::move(hashes));
  }
  if (model && !url.empty()) {
    Json reference = Json::object();
    Append(reference, "url", url);
    Append(reference, "type", "distribution");
    Append(component, "externalReferences", Json::array({std::move(reference)}));
  }
  if (!model) Append(component, "data", DataOf(artifact, types, url));
  Json properties = PropertiesOf(artifact, types, Artifact::State_Name(artifact.state()));
  if (!artifact.uri().empty()) AddProperty("uri", artifact.uri(), properties);
  Append(component, "properties", std::move(properties));
  return component;
}

// Artifacts that an artifact was made of, by one step.
std::set<int64_t> SourcesOf(int64_t artifact_id, const LineageClosure& closure) {
  std::set<int64_t> sources;
  for (const int64_t execution : closure.WritersOf(artifact_id)) {
    for (const int64_t input : closure.InputsOf(execution)) sources.insert(input);
  }
  sources.erase(artifact_id);
  return sources;
}

// The model itself: what it learnt from is on its card.
Json ModelComponent(const LineageClosure& closure, const TypeNames& types) {
  const Artifact& model = closure.artifacts().at(closure.artifact_id());
  Json component = Component(model, types, [](const Artifact&, const TypeNames&) { return true; });
  Json datasets = Json::array();
  for (const int64_t id : SourcesOf(model.id(), closure)) {
    if (!types.IsModel(closure.artifacts().at(id))) datasets.push_back(RefTo(ArtifactRef(id)));
  }
  if (datasets.empty()) return component;
  Json parameters = Json::object();
  Append(parameters, "datasets", std::move(datasets));
  Json card = Json::object();
  Append(card, "modelParameters", std::move(parameters));
  Append(component, "modelCard", std::move(card));
  return component;
}

Json Dependencies(const LineageClosure& closure) {
  Json dependencies = Json::array();
  for (const auto& [id, artifact] : closure.artifacts()) {
    Json dependency = RefTo(ArtifactRef(id));
    Json sources = Json::array();
    for (const int64_t source : SourcesOf(id, closure)) sources.push_back(ArtifactRef(source));
    if (!sources.empty()) Append(dependency, "dependsOn", std::move(sources));
    dependencies.push_back(std::move(dependency));
  }
  return dependencies;
}

// Of a step that made a model "build"; the standard has no words for what else steps do.
const char* TaskTypeOf(const v1::ExportedStep& step, const LineageClosure& closure,
                       const TypeNames& types) {
  for (const auto& use : step.uses()) {
    if (WritesArtifact(use.event()) &&
        (use.event().artifact_id() == closure.artifact_id() ||
         types.IsModel(closure.artifacts().at(use.event().artifact_id())))) {
      return "build";
    }
  }
  return "other";
}

Json Task(const v1::ExportedStep& step, const LineageClosure& closure, const TypeNames& types) {
  const Execution& execution = step.execution();
  std::set<int64_t> outputs;
  for (const auto& use : step.uses()) {
    if (WritesArtifact(use.event())) outputs.insert(use.event().artifact_id());
  }
  Json task = Json::object();
  Append(task, "bom-ref", ExecutionRef(execution.id()));
  Append(task, "uid", UuidV5(kUuidOfDns, absl::StrCat("execution:", execution.id())));
  Append(task, "name", FactsOf(step, types).JobName());
  Append(task, "taskTypes", Json::array({TaskTypeOf(step, closure, types)}));
  Json all = Json::array();
  for (const int64_t id : closure.InputsOf(execution.id())) {
    Json input = Json::object();
    Append(input, "resource", RefTo(ArtifactRef(id)));
    all.push_back(std::move(input));
  }
  if (!all.empty()) Append(task, "inputs", std::move(all));
  all = Json::array();
  for (const int64_t id : outputs) {
    Json output = Json::object();
    Append(output, "type", "artifact");
    Append(output, "resource", RefTo(ArtifactRef(id)));
    all.push_back(std::move(output));
  }
  if (!all.empty()) Append(task, "outputs", std::move(all));
  if (execution.create_time_since_epoch() != 0) {
    Append(task, "timeStart", TimeText(execution.create_time_since_epoch()));
  }
  const auto state = execution.last_known_state();
  if (state != Execution::RUNNING && state != Execution::NEW && state != Execution::UNKNOWN &&
      execution.last_update_time_since_epoch() != 0) {
    Append(task, "timeEnd", TimeText(execution.last_update_time_since_epoch()));
  }
  Append(task, "properties", PropertiesOf(execution, types, Execution::State_Name(state)));
  return task;
}

// Which step of the run waited for which.
Json TaskDependencies(const std::vector<const v1::ExportedStep*>& steps,
                      const LineageClosure& closure) {
  std::set<int64_t> in_run;
  for (const auto* step : steps) in_run.insert(step->execution().id());
  Json dependencies = Json::array();
  for (const int64_t id : in_run) {
    std::set<int64_t> before;
    for (const int64_t input : closure.InputsOf(id)) {
      for (const int64_t writer : closure.WritersOf(input)) {
        if (writer != id && in_run.count(writer) > 0) before.insert(writer);
      }
    }
    if (before.empty()) continue;
    Json dependency = RefTo(ExecutionRef(id));
    Json refs = Json::array();
    for (const int64_t writer : before) refs.push_back(ExecutionRef(writer));
    Append(dependency, "dependsOn", std::move(refs));
    dependencies.push_back(std::move(dependency));
  }
  return dependencies;
}

// A run of a pipeline; steps without one are together in a workflow of their own.
Json Workflow(int64_t run_id, const std::vector<const v1::ExportedStep*>& steps,
              const LineageClosure& closure, const TypeNames& types, const std::string& store) {
  const StepFacts facts = FactsOf(*steps.front(), types);
  const std::string run = run_id == 0 ? "without-a-run" : absl::StrCat("context-", run_id);
  std::set<std::string> task_types;
  Json tasks = Json::array();
  for (const auto* step : steps) {
    task_types.insert(TaskTypeOf(*step, closure, types));
    tasks.push_back(Task(*step, closure, types));
  }
  Json workflow = Json::object();
  Append(workflow, "bom-ref", run);
  Append(workflow, "uid",
         run_id == 0 ? UuidV5(kUuidOfDns, absl::StrCat("store:", store, ":", run))
                     : UuidV5(kUuidOfDns, absl::StrCat("context:", run_id)));
  if (!facts.run.empty()) Append(workflow, "name", facts.run);
  if (!facts.pipeline.empty()) {
    Append(workflow, "description", absl::StrCat("run of the pipeline ", facts.pipeline));
  }
  Append(workflow, "taskTypes",
         Json(std::vector<std::string>(task_types.begin(), task_types.end())));
  Append(workflow, "tasks", std::move(tasks));
  Json dependencies = TaskDependencies(steps, closure);
  if (!dependencies.empty()) Append(workflow, "taskDependencies", std::move(dependencies));
  return workflow;
}

Json Formulation(const LineageClosure& closure, const TypeNames& types, const std::string& store) {
  std::map<int64_t, std::vector<const v1::ExportedStep*>> runs;
  for (const auto& [id, step] : closure.steps()) {
    runs[FactsOf(step, types).run_context_id].push_back(&step);
  }
  Json workflows = Json::array();
  for (const auto& [run_id, steps] : runs) {
    workflows.push_back(Workflow(run_id, steps, closure, types, store));
  }
  Json formula = Json::object();
  Append(formula, "bom-ref", "formulation");
  Append(formula, "workflows", std::move(workflows));
  return Json::array({std::move(formula)});
}

Json Metadata(const LineageClosure& closure, const TypeNames& types, const BomOptions& options) {
  Json tool = Json::object();
  Append(tool, "type", "application");
  Append(tool, "name", "pedigree");
  Json tools = Json::object();
  Append(tools, "components", Json::array({std::move(tool)}));
  Json properties = Json::array();
  AddProperty("store", options.store, properties);
  AddProperty("journal_sequence", absl::StrCat(options.sequence), properties);
  Json metadata = Json::object();
  if (options.time_ms != 0) Append(metadata, "timestamp", TimeText(options.time_ms));
  Append(metadata, "tools", std::move(tools));
  Append(metadata, "component", ModelComponent(closure, types));
  Append(metadata, "properties", std::move(properties));
  return metadata;
}

}  // namespace

std::string ReferenceOf(const std::string& uri) {
  const size_t colon = uri.find("://");
  if (colon == std::string::npos || colon == 0) return "";
  for (size_t i = 0; i < colon; ++i) {
    const auto c = static_cast<unsigned char>(uri[i]);
    const bool is_legal = i == 0 ? absl::ascii_isalpha(c) != 0
                                 : absl::ascii_isalnum(c) != 0 || c == '+' || c == '-' || c == '.';
    if (!is_legal) return "";
  }
  const size_t path = std::min(uri.find('/', colon + 3), uri.size());
  const size_t port = std::min(uri.find(':', colon + 3), path);
  for (size_t i = colon + 3; i < port; ++i) {
    const auto c = static_cast<unsigned char>(uri[i]);
    if (!absl::ascii_isalnum(c) && !absl::StrContains("-._~", uri[i])) return "";
  }
  for (size_t i = port + 1; i < path; ++i) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(uri[i]))) return "";
  }
  std::string reference = uri.substr(0, path);
  for (size_t i = path; i < uri.size(); ++i) {
    const auto c = static_cast<unsigned char>(uri[i]);
    if (absl::ascii_isalnum(c) || absl::StrContains("-._~/?:@!$&'()*+,;=", uri[i])) {
      reference.push_back(uri[i]);
    } else {
      absl::StrAppendFormat(&reference, "%%%02X", c);
    }
  }
  return reference;
}

Json BomOf(const LineageClosure& closure, const TypeNames& types, const BomOptions& options) {
  Json components = Json::array();
  for (const auto& [id, artifact] : closure.artifacts()) {
    if (id == closure.artifact_id()) continue;
    components.push_back(Component(
        artifact, types, [](const Artifact& a, const TypeNames& t) { return t.IsModel(a); }));
  }
  const std::string name =
      absl::StrCat("bom:", options.store, ":", closure.artifact_id(), ":", options.sequence);
  Json bom = Json::object();
  Append(bom, "$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json");
  Append(bom, "bomFormat", "CycloneDX");
  Append(bom, "specVersion", "1.6");
  Append(bom, "serialNumber", absl::StrCat("urn:uuid:", UuidV5(kUuidOfDns, name)));
  Append(bom, "version", 1);
  Append(bom, "metadata", Metadata(closure, types, options));
  Append(bom, "components", std::move(components));
  Append(bom, "dependencies", Dependencies(closure));
  if (!closure.steps().empty()) {
    Append(bom, "formulation", Formulation(closure, types, options.store));
  }
  return bom;
}

}  // namespace pedigree::cli
