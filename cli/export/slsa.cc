#include "cli/export/slsa.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/export/digests.h"
#include "cli/export/formats.h"
#include "cli/export/step_facts.h"

namespace pedigree::cli {
namespace {

using ml_metadata::Artifact;
using ml_metadata::Event;
using ml_metadata::Execution;

// A step of ML Metadata, as FORMATS.md describes it.
constexpr char kBuildType[] = "urn:pedigree:slsa:mlmd-execution:1";

std::string ArtifactUrn(absl::string_view store, int64_t id) {
  return absl::StrCat("urn:pedigree:", store, ":artifact:", id);
}

Json DigestSet(const Digests& digests) {
  Json set = Json::object();
  for (const auto& [algorithm, value] : digests.by_algorithm) Append(set, algorithm, value);
  return set;
}

// An in-toto ResourceDescriptor.
Json Resource(const Artifact& artifact, const Digests& digests, const TypeNames& types,
              absl::string_view store) {
  Json resource = Json::object();
  Append(resource, "name", DisplayName(artifact));
  Append(resource, "uri",
         artifact.uri().empty() ? ArtifactUrn(store, artifact.id()) : artifact.uri());
  if (!digests.by_algorithm.empty()) Append(resource, "digest", DigestSet(digests));
  Json annotations = Json::object();
  Append(annotations, "mlmd.id", artifact.id());
  Append(annotations, "mlmd.type", std::string(types.NameOf(artifact)));
  Append(resource, "annotations", std::move(annotations));
  return resource;
}

// The artifacts of the events that are wanted, each once, by id.
std::map<int64_t, Artifact> ArtifactsOf(const v1::ExportedStep& step,
                                        bool (*is_wanted)(const Event&)) {
  std::map<int64_t, Artifact> artifacts;
  for (const auto& use : step.uses()) {
    if (!is_wanted(use.event())) continue;
    Artifact artifact = use.artifact();
    artifact.set_id(use.event().artifact_id());
    artifacts.emplace(artifact.id(), std::move(artifact));
  }
  return artifacts;
}

Json Subjects(const v1::ExportedStep& step, const TypeNames& types, absl::string_view store,
              Provenance& provenance) {
  Json subjects = Json::array();
  for (const auto& [id, artifact] : ArtifactsOf(step, &WritesArtifact)) {
    const Digests digests = DigestsOf(artifact);
    if (digests.conflicting) {
      ++provenance.conflicting_digest;
    } else if (!digests.HasStrong()) {
      ++provenance.without_digest;
    } else {
      ++provenance.subjects;
      subjects.push_back(Resource(artifact, digests, types, store));
    }
  }
  return subjects;
}

Json BuildDefinition(const v1::ExportedStep& step, const TypeNames& types,
                     absl::string_view store) {
  const Execution& execution = step.execution();
  const StepFacts facts = FactsOf(step, types);
  Json external = Json::object();
  Append(external, "pipeline", facts.pipeline);
  Append(external, "task", facts.task);
  Append(external, "properties", ToJson(execution.properties()));
  Append(external, "customProperties", ToJson(execution.custom_properties()));
  Json internal = Json::object();
  Append(internal, "type", std::string(types.NameOf(execution)));
  Append(internal, "run", facts.run);
  Append(internal, "tenant", facts.tenant);
  Json dependencies = Json::array();
  for (const auto& [id, artifact] : ArtifactsOf(step, &ReadsArtifact)) {
    dependencies.push_back(Resource(artifact, DigestsOf(artifact), types, store));
  }
  Json definition = Json::object();
  Append(definition, "buildType", kBuildType);
  Append(definition, "externalParameters", std::move(external));
  Append(definition, "internalParameters", std::move(internal));
  Append(definition, "resolvedDependencies", std::move(dependencies));
  return definition;
}

Json RunDetails(const v1::ExportedStep& step, const TypeNames& types, absl::string_view store) {
  const Execution& execution = step.execution();
  Json builder = Json::object();
  Append(builder, "id",
         absl::StrCat("urn:pedigree:", store, ":builder:", FactsOf(step, types).orchestrator));
  Json metadata = Json::object();
  Append(metadata, "invocationId",
         absl::StrCat("urn:pedigree:", store, ":execution:", execution.id()));
  if (execution.create_time_since_epoch() != 0) {
    Append(metadata, "startedOn", TimeText(execution.create_time_since_epoch()));
  }
  if (execution.last_known_state() == Execution::COMPLETE &&
      execution.last_update_time_since_epoch() != 0) {
    Append(metadata, "finishedOn", TimeText(execution.last_update_time_since_epoch()));
  }
  Json details = Json::object();
  Append(details, "builder", std::move(builder));
  Append(details, "metadata", std::move(metadata));
  return details;
}

}  // namespace

bool MadeItsOutputs(const Execution& execution) {
  return execution.last_known_state() == Execution::COMPLETE ||
         execution.last_known_state() == Execution::UNKNOWN;
}

Provenance ProvenanceOf(const v1::ExportedStep& step, const TypeNames& types,
                        absl::string_view store) {
  Provenance provenance;
  Json subjects = Subjects(step, types, store, provenance);
  if (subjects.empty()) return provenance;
  Json predicate = Json::object();
  Append(predicate, "buildDefinition", BuildDefinition(step, types, store));
  Append(predicate, "runDetails", RunDetails(step, types, store));
  Json statement = Json::object();
  Append(statement, "_type", "https://in-toto.io/Statement/v1");
  Append(statement, "subject", std::move(subjects));
  Append(statement, "predicateType", "https://slsa.dev/provenance/v1");
  Append(statement, "predicate", std::move(predicate));
  provenance.statement = std::move(statement);
  return provenance;
}

}  // namespace pedigree::cli
