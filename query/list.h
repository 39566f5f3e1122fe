// Lists of nodes: order, pages and page tokens (ListOperationOptions).
//
// A page continues after the last node of the page before by its place in the order, not by a
// count: nodes that are added or updated meanwhile neither shift nor repeat others. Pure functions
// over a Reader; threads as the Reader.
//
//   ListQuery query = {"GetArtifacts", NodeKind::kArtifact, ListScope::All(), &options};
//   auto token = ListNodes(reader, query, [&](int64_t id, const RecordView& record) { ... });
#pragma once

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "store/reader.h"

namespace pedigree {

// Which nodes a list is over.
struct ListScope {
  enum class Of : uint8_t { kAll, kType, kContext };
  Of of = Of::kAll;
  int64_t id = 0;  // Of the type or context.

  static ListScope All() { return {}; }
  static ListScope Type(int64_t id) { return {Of::kType, id}; }
  static ListScope Context(int64_t id) { return {Of::kContext, id}; }
};

struct ListQuery {
  absl::string_view rpc;  // Page tokens are good for the call that made them only.
  NodeKind kind;
  ListScope scope;
  // Not owned; null asks for everything in id order.
  const ml_metadata::ListOperationOptions* options;
};

// A max_result_size up to this is a page size. A larger one answers at most one node more than
// this, and no token: so does google/ml-metadata's server (transcript list_more_than_cap), and its
// clients take a list without a token as whole.
inline constexpr int64_t kMaxPageSize = 100;

// Visits the nodes of one page in order and answers the token of the next page, "" after the last.
// Errors: InvalidArgument if the options or the filter are wrong or the token is not this list's;
// ResourceExhausted if a filter needs too much work (ReadLimits); as Reader.
absl::StatusOr<std::string> ListNodes(
    const Reader& reader, const ListQuery& query,
    absl::FunctionRef<void(int64_t id, const RecordView& record)> visit);

}  // namespace pedigree
