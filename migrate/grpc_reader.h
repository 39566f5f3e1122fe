// What MLMD's public calls tell of a server's history, page by page.
//
// Threads: one. Errors of all: the server's; Unavailable; those of `visit`.
//
//   GrpcReader reader(client.get());
//   reader.VisitNodes<Artifact>(Order::kById, 100, [](Artifact& artifact) { ... });
#pragma once

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "migrate/grpc_client.h"
#include "migrate/rows.h"
#include "ml_metadata/proto/metadata_store.pb.h"
#include "store/traits.h"

namespace pedigree::migrate {

class GrpcReader {
 public:
  // The most that a page has.
  static constexpr int kNodesPerPage = 100;

  enum class Order : uint8_t { kById, kNewestIdFirst, kLastUpdatedFirst };

  // `client` is not owned and outlives this.
  explicit GrpcReader(GrpcClient* client) : client_(client) {}

  // All types of a kind, also those that lists leave out, in no order. A parent type is one of
  // these, as far as the server says it.
  template <class Node>
  absl::StatusOr<std::vector<TypeRow>> Types();

  // The nodes in this order, until `visit` answers false.
  template <class Node>
  absl::Status VisitNodes(Order order, int page_size,
                          absl::FunctionRef<absl::StatusOr<bool>(Node& node)> visit);

  // The members of a context; a node may come twice where members come meanwhile.
  template <class Node>
  absl::StatusOr<std::vector<int64_t>> MembersOf(int64_t context);
  // The contexts of an artifact or execution; of a context, its parents.
  template <class Node>
  absl::StatusOr<std::vector<int64_t>> ContextsOf(int64_t node);

  // REQUIRES: few enough ids for one call. By execution, and in the order in which they were added
  // within each.
  absl::StatusOr<std::vector<ml_metadata::Event>> EventsOfExecutions(
      absl::Span<const int64_t> executions);
  absl::StatusOr<std::vector<ml_metadata::Event>> EventsOfArtifacts(
      absl::Span<const int64_t> artifacts);

 private:
  GrpcClient* const client_;
};

}  // namespace pedigree::migrate
