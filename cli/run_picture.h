// One run of a Kubeflow pipeline, as a metadata server knows it.
//
// Threads: as the connection.
//
//   absl::StatusOr<RunPicture> picture = ReadRun(connection, run);
//   Print(DrawRun(*picture, Screen::OfStandardOutput()));
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/connection.h"
#include "ml_metadata/proto/metadata_store.pb.h"

namespace pedigree::cli {

inline constexpr char kRunType[] = "system.PipelineRun";
inline constexpr char kPipelineType[] = "system.Pipeline";

// Its steps and what went in and out of them.
struct RunPicture {
  ml_metadata::Context run;
  std::string pipeline;  // Empty if the run has no parent context.
  std::vector<ml_metadata::Execution> executions;
  std::vector<ml_metadata::Event> events;
  std::map<int64_t, ml_metadata::Artifact> artifacts;  // By id.
  // By the id of a step that was answered from the cache: where from, in words.
  std::map<int64_t, std::string> cached_from;
};

// Errors as Connection::Call().
absl::StatusOr<RunPicture> ReadRun(Connection* connection, const ml_metadata::Context& run);

}  // namespace pedigree::cli
