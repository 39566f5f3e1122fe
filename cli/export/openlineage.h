// A step as events of OpenLineage 2-0-2: one START, and one for the state it is in. A large step,
// which comes in several records, has RUNNING events between them with the uses of all records but
// the last: backends add up what the events of a run tell.
//
// Threads: one for each OpenLineageMapper; steps come in the order of ids.
//
//   OpenLineageMapper mapper(&types, {.store = "prod"});
//   for (const LineageEvent& event : mapper.EventsOf(step)) Write(event.json);
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "cli/export/json_values.h"
#include "cli/export/step_facts.h"
#include "cli/export/type_names.h"
#include "pedigree/v1/audit.pb.h"

namespace pedigree::cli {

inline constexpr char kOpenLineageSchema[] =
    "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
// The schema of the facets that are only ours: cli/export/mlmd_facets.schema.json.
inline constexpr char kMlmdFacets[] = "urn:pedigree:openlineage:mlmd-facets:1-0-0";

struct OpenLineageOptions {
  // What this store is called in names of data sets that have no uri.
  std::string store = "default";
};

// Events are ordered by (time_ms, execution_id, order).
struct LineageEvent {
  int64_t time_ms = 0;
  int64_t execution_id = 0;
  int64_t order = 0;  // 0: START.
  std::string json;
};

// Where OpenLineage looks for a data set: "s3://bucket" and "train/data.csv".
struct DatasetName {
  std::string name_space;
  std::string name;
};
DatasetName DatasetNameOf(const ml_metadata::Artifact& artifact, absl::string_view store);

// The id of an execution's run.
std::string RunIdOf(int64_t execution_id);

class OpenLineageMapper {
 public:
  // `types` is not owned; it outlives the mapper.
  OpenLineageMapper(const TypeNames* types, OpenLineageOptions options);

  std::vector<LineageEvent> EventsOf(const v1::ExportedStep& step);

  // What it knows of the steps so far. DataLoss if the bytes are not of Save().
  std::string Save() const;
  absl::Status Load(absl::string_view saved);

 private:
  // A run that others name as their parent.
  struct Parent {
    std::string job;
    int64_t parent_id = 0;
  };
  // Everything that two events of one step share.
  struct Common {
    StepFacts facts;
    Json run;
    Json job;
    Json inputs;
    Json outputs;
  };

  void Remember(const v1::ExportedStep& step, const StepFacts& facts);
  void AddParent(int64_t id, Parent parent);
  Common CommonOf(const v1::ExportedStep& step);
  Json Facet(absl::string_view schema) const;
  Json RunFacets(const v1::ExportedStep& step, const StepFacts& facts) const;
  Json JobFacets(const v1::ExportedStep& step) const;
  absl::optional<Json> ParentFacet(const StepFacts& facts) const;
  Json ExecutionFacet(const v1::ExportedStep& step) const;
  Json Datasets(const v1::ExportedStep& step, bool (*is_wanted)(const ml_metadata::Event&)) const;
  Json DatasetFacets(const v1::ExportedStep& step, const ml_metadata::Artifact& artifact,
                     const std::vector<const ml_metadata::Event*>& events) const;
  LineageEvent EventOf(const Common& common, const ml_metadata::Execution& execution,
                       absl::string_view type, int64_t time_ms, int64_t order) const;

  const TypeNames* const types_;
  const OpenLineageOptions options_;
  // Kubeflow's DAGs, the newest of them: a parent comes shortly before its children.
  absl::flat_hash_map<int64_t, Parent> parents_;
  std::deque<int64_t> parent_ids_;
  int64_t part_ = 0;  // Records of the step of the last record before that one.
};

}  // namespace pedigree::cli
