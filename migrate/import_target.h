// Where the rows of a round (round.h) go: a store that is open to follow its source, or a server
// whose store is being imported. Both take the messages of pedigree.v1.ImportService.
//
// Threads: one.
//
//   auto target = OpenServerTarget(client, "sqlite:metadata.db");
//   absl::StatusOr<v1::PutImportResponse> put = (*target)->Put(std::move(request));
//   absl::Status status = (*target)->End(last_ids);
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "migrate/grpc_client.h"
#include "migrate/source.h"
#include "pedigree/v1/import.pb.h"
#include "store/store.h"

namespace pedigree::migrate {

// What one Put() takes, at most.
inline constexpr int kRowsPerPut = 1000;

class ImportTarget {
 public:
  virtual ~ImportTarget() = default;

  // Puts all rows of the request but for those that the answer names as taken, durably. The same
  // again does no harm.
  virtual absl::StatusOr<v1::PutImportResponse> Put(v1::PutImportRequest request) = 0;
  // Everything has been put.
  virtual absl::Status End(const LastIds& last_ids) = 0;
  // Whether what has answered Unavailable may answer otherwise later.
  virtual bool MayComeBack() const = 0;
};

// `store` is not owned and outlives the target. Errors of the calls: as Store.
std::unique_ptr<ImportTarget> MakeStoreTarget(Store* store);

// Errors of these, and of the calls: the server's, as import.proto says. `client` is not owned and
// outlives the target.

// Whether the server could begin an import of `source`, or go on with it.
absl::Status CheckServerTarget(GrpcClient* client, const std::string& source);
// Begins one, or goes on with one that was interrupted.
absl::StatusOr<std::unique_ptr<ImportTarget>> OpenServerTarget(GrpcClient* client,
                                                               const std::string& source);

}  // namespace pedigree::migrate
