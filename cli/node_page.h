// All that is said about one node: `pedigree get`.
//
// Threads: as the connection.
//
//   absl::Status status = PrintNodePage(connection, {NodeKind::kArtifact, 42},
//   OutputFormat::kTable);
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/connection.h"
#include "cli/output.h"
#include "cli/reference.h"
#include "cli/text.h"
#include "ml_metadata/proto/metadata_store.pb.h"

namespace pedigree::cli {

// The node at the other end of an event.
struct EventEnd {
  ml_metadata::Event event;
  std::string ref;  // "artifact:7"
  std::string type;
  std::string name;
  std::string uri;  // Of artifacts.
};

// What stands around a node.
struct Surroundings {
  std::vector<ml_metadata::Context> contexts;  // Of a context: its parents.
  std::vector<ml_metadata::Context> children;  // Of a context.
  std::vector<EventEnd> events;
};

// As text. Node is Artifact, Execution or Context.
template <class Node>
std::string NodePage(const Node& node, const Surroundings& around, const Screen& screen);

// Reads the node and prints its page. NotFound if there is none; otherwise as Connection::Call().
absl::Status PrintNodePage(Connection* connection, const NodeRef& ref, OutputFormat format);

}  // namespace pedigree::cli
