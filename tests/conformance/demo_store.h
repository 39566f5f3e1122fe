// What the demo asks a server, all of it through ml_metadata.MetadataStoreService.
//
// Threading: free functions; one thread at a time per client.
//
// Example:
//   absl::StatusOr<StoredThings> stored = ReadStore(client);
//   const ml_metadata::Context* run = NewestRun(*stored);
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ml_metadata/proto/metadata_store.pb.h"
#include "tests/support/raw_client.h"

namespace pedigree::conformance {

// Everything in a store.
struct StoredThings {
  std::vector<ml_metadata::Context> contexts;
  std::vector<ml_metadata::Execution> executions;
  std::vector<ml_metadata::Artifact> artifacts;
  std::vector<ml_metadata::Event> events;
  std::map<std::string, int> types;  // How many of each kind: {"context", 2}.
};

// Fails with Unavailable, naming the call and the server's answer, if a call fails.
absl::StatusOr<StoredThings> ReadStore(testing::RawClient& client);

// The newest context of the type system.PipelineRun; nullptr if there is none.
const ml_metadata::Context* NewestRun(const StoredThings& stored);

}  // namespace pedigree::conformance
