#include "cli/export/lineage_closure.h"

#include <algorithm>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/export/step_facts.h"

namespace pedigree::cli {
namespace {

using Edges = std::vector<std::pair<int64_t, int64_t>>;

void Sort(Edges& edges) {
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
}

std::set<int64_t> SecondsOf(const Edges& edges, int64_t first) {
  std::set<int64_t> seconds;
  auto edge = std::lower_bound(edges.begin(), edges.end(),
                               std::make_pair(first, std::numeric_limits<int64_t>::min()));
  for (; edge != edges.end() && edge->first == first; ++edge) seconds.insert(edge->second);
  return seconds;
}

}  // namespace

LineageClosure::LineageClosure(std::string reference) : reference_(std::move(reference)) {
  absl::string_view id = reference_;
  absl::ConsumePrefix(&id, "artifact:");
  if (!absl::SimpleAtoi(id, &reference_id_)) reference_id_ = 0;
}

bool LineageClosure::IsMeant(int64_t id, const ml_metadata::Artifact& artifact) const {
  if (reference_id_ != 0) return id == reference_id_;
  return artifact.name() == reference_ || artifact.uri() == reference_;
}

void LineageClosure::AddEvents(const v1::ExportedStep& step) {
  for (const auto& use : step.uses()) {
    const int64_t artifact = use.event().artifact_id();
    if (IsMeant(artifact, use.artifact())) meant_.insert(artifact);
    if (ReadsArtifact(use.event())) inputs_.emplace_back(step.execution().id(), artifact);
    if (WritesArtifact(use.event())) writers_.emplace_back(artifact, step.execution().id());
  }
}

absl::Status LineageClosure::Find() {
  if (meant_.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "no step of this export has read or written the artifact ", reference_.substr(0, 200)));
  }
  if (meant_.size() > 1) {
    return absl::FailedPreconditionError(
        absl::StrCat(meant_.size(), " artifacts are called ", reference_.substr(0, 200),
                     ": name one by its id, ", "e.g. artifact:", *meant_.rbegin()));
  }
  artifact_id_ = *meant_.begin();
  Sort(inputs_);
  Sort(writers_);
  Walk();
  return absl::OkStatus();
}

// There may be cycles: what has been seen is not walked again.
void LineageClosure::Walk() {
  std::vector<int64_t> to_do = {artifact_id_};
  artifact_ids_.insert(artifact_id_);
  while (!to_do.empty()) {
    const int64_t artifact = to_do.back();
    to_do.pop_back();
    for (const int64_t execution : SecondsOf(writers_, artifact)) {
      if (!execution_ids_.insert(execution).second) continue;
      for (const int64_t input : SecondsOf(inputs_, execution)) {
        if (artifact_ids_.insert(input).second) to_do.push_back(input);
      }
    }
  }
}

void LineageClosure::AddBodies(const v1::ExportedStep& step) {
  const bool is_wanted = execution_ids_.count(step.execution().id()) > 0;
  // A large step comes in several records.
  v1::ExportedStep* kept = is_wanted ? &steps_[step.execution().id()] : nullptr;
  for (const auto& use : step.uses()) {
    const int64_t id = use.event().artifact_id();
    if (artifact_ids_.count(id) == 0) continue;
    const auto [artifact, is_new] = artifacts_.emplace(id, use.artifact());
    if (is_new) artifact->second.set_id(id);
    if (is_wanted && (ReadsArtifact(use.event()) || WritesArtifact(use.event()))) {
      *kept->add_uses()->mutable_event() = use.event();
    }
  }
  if (!is_wanted) return;
  *kept->mutable_execution() = step.execution();
  *kept->mutable_contexts() = step.contexts();
}

std::set<int64_t> LineageClosure::InputsOf(int64_t execution_id) const {
  return SecondsOf(inputs_, execution_id);
}

std::set<int64_t> LineageClosure::WritersOf(int64_t artifact_id) const {
  return SecondsOf(writers_, artifact_id);
}

}  // namespace pedigree::cli
