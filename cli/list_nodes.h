// Lists of nodes, as `ls` and `query` show them.
//
// Threads: as the connection.
//
//   ListOptions options = {.kind = NodeKind::kExecution, .type = "system.ContainerExecution"};
//   absl::Status status = PrintNodes(connection, options, OutputFormat::kTable);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/connection.h"
#include "cli/output.h"
#include "ml_metadata/proto/metadata_store.pb.h"
#include "store/traits.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace pedigree::cli {

enum class Order : uint8_t { kId, kCreated, kUpdated };

struct ListOptions {
  NodeKind kind = NodeKind::kArtifact;
  std::string type;     // Of any version; empty: all.
  std::string context;  // A reference; empty: all.
  std::string where;    // As filter_query.
  int64_t limit = 20;   // 0: none.
  Order order = Order::kId;
  bool descending = false;
};

// --type, --context, --limit, --order, --desc
void AddListOptions(CLI::App* app, ListOptions* options);

// The kind that "artifacts" or "artifact" names, for options.
CLI::Option* AddKindOption(CLI::App* app, const std::string& name, NodeKind* kind,
                           const std::string& description);

// The options as a server takes them, for a page of `page_size`. Errors as Resolve().
absl::StatusOr<ml_metadata::ListOperationOptions> ToOperationOptions(Connection* connection,
                                                                     const ListOptions& options,
                                                                     int32_t page_size);

// Prints them: in CSV and JSON page by page, so that memory does not grow with their number. Errors
// as Connection::Call(); after one, what is printed is a part.
absl::Status PrintNodes(Connection* connection, const ListOptions& options, OutputFormat format);

}  // namespace pedigree::cli
