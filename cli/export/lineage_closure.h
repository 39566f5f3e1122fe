// What one artifact was made of: the steps and artifacts upstream of it, found among the steps of a
// whole export that pass by twice: first for their events only, then for the bodies that are
// wanted.
//
// Threads: one.
//
//   LineageClosure closure("artifact:42");
//   for (step : steps) closure.AddEvents(step);
//   status = closure.Find();
//   for (step : steps) closure.AddBodies(step);
//   closure.artifacts().at(closure.artifact_id())
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "pedigree/v1/audit.pb.h"

namespace pedigree::cli {

class LineageClosure {
 public:
  // artifact:ID or ID, else a name or a uri.
  explicit LineageClosure(std::string reference);

  void AddEvents(const v1::ExportedStep& step);
  // NotFound if no step has the artifact; FailedPrecondition if the reference is that of several.
  absl::Status Find();
  void AddBodies(const v1::ExportedStep& step);

  int64_t artifact_id() const { return artifact_id_; }
  // All that is upstream of the artifact, and the artifact.
  const std::map<int64_t, ml_metadata::Artifact>& artifacts() const { return artifacts_; }
  // The steps that wrote these, with those of their events that are inputs, or outputs of artifacts
  // in the closure.
  const std::map<int64_t, v1::ExportedStep>& steps() const { return steps_; }
  // The artifacts of a step, ascending; of an artifact the steps that wrote it.
  std::set<int64_t> InputsOf(int64_t execution_id) const;
  std::set<int64_t> WritersOf(int64_t artifact_id) const;

 private:
  using Edges = std::vector<std::pair<int64_t, int64_t>>;  // Sorted by Find().

  bool IsMeant(int64_t id, const ml_metadata::Artifact& artifact) const;
  void Walk();

  const std::string reference_;
  int64_t reference_id_ = 0;  // 0 unless the reference is an id.
  std::set<int64_t> meant_;
  Edges inputs_;   // (execution, artifact)
  Edges writers_;  // (artifact, execution)
  int64_t artifact_id_ = 0;
  std::set<int64_t> artifact_ids_;
  std::set<int64_t> execution_ids_;
  std::map<int64_t, ml_metadata::Artifact> artifacts_;
  std::map<int64_t, v1::ExportedStep> steps_;
};

}  // namespace pedigree::cli
