// What the demo asks a server, all of it through ml_metadata.MetadataStoreService.
//
// Threading: free functions; one thread at a time per client.
//
// Example:
//   absl::StatusOr<StoredThings> stored = ReadStore(client);
//   absl::StatusOr<RunPicture> picture = ReadRun(client, *NewestRun(*stored));
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
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

// One run of a Kubeflow pipeline: its steps and what went in and out of them.
struct RunPicture {
  ml_metadata::Context run;
  std::string pipeline;  // Empty if the run has no parent context.
  std::vector<ml_metadata::Execution> executions;
  std::vector<ml_metadata::Event> events;
  std::map<int64_t, ml_metadata::Artifact> artifacts;  // By id.
  // By the id of a step that was answered from the cache: where from, in words.
  std::map<int64_t, std::string> cached_from;
};

// Both fail with Unavailable, naming the call and the server's answer, if a call fails.
absl::StatusOr<StoredThings> ReadStore(testing::RawClient& client);
absl::StatusOr<RunPicture> ReadRun(testing::RawClient& client, const ml_metadata::Context& run);

// The newest context of the type system.PipelineRun; nullptr if there is none.
const ml_metadata::Context* NewestRun(const StoredThings& stored);

// A custom property as text: strings as they are, integers in decimal; "" if there is none.
template <typename Node>
std::string CustomProperty(const Node& node, const std::string& name) {
  const auto found = node.custom_properties().find(name);
  if (found == node.custom_properties().end()) return "";
  const ml_metadata::Value& value = found->second;
  return value.has_int_value() ? std::to_string(value.int_value()) : value.string_value();
}

// What a person calls a step or an artifact: display_name, else task_name, else its own name.
// Empty if it has none of them.
template <typename Node>
std::string NameOf(const Node& node) {
  for (const char* property : {"display_name", "task_name"}) {
    std::string name = CustomProperty(node, property);
    if (!name.empty()) return name;
  }
  return node.name();
}

}  // namespace pedigree::conformance
