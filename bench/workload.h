// The requests of a Kubeflow Pipelines run, and the types and contexts they need. Only the public
// protocol is used: any ML Metadata server can be loaded with them.
//
// Threading: a KfpRun is a value; a PatchedRequest belongs to one thread.
//
//   KfpRun run = *SetUpKfpRun(server.client());
//   PatchedRequest requests(PutExecutionTemplate(run));
//   server.client().Run({.method = kPutExecution, .in_flight = 64},
//                       [&requests] { return requests.Next(); });
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/load_generator.h"
#include "ml_metadata/proto/metadata_store.pb.h"

namespace pedigree::bench {

inline constexpr char kPutArtifacts[] = "/ml_metadata.MetadataStoreService/PutArtifacts";
inline constexpr char kPutExecution[] = "/ml_metadata.MetadataStoreService/PutExecution";
inline constexpr char kGetArtifactsById[] = "/ml_metadata.MetadataStoreService/GetArtifactsByID";
inline constexpr char kGetContextByTypeAndName[] =
    "/ml_metadata.MetadataStoreService/GetContextByTypeAndName";

// What a run finds in the store: the types, its pipeline's context and its own.
struct KfpRun {
  int64_t artifact_type_id = 0;
  int64_t execution_type_id = 0;
  ml_metadata::Context pipeline_context;
  ml_metadata::Context run_context;
};

// Puts the types and both contexts as KFP's driver does. The status of the RPC that failed.
absl::StatusOr<KfpRun> SetUpKfpRun(LoadClient& client);

// Stands in a template for twelve digits that differ in every request.
inline constexpr char kVaryingDigits[] = "############";

// An artifact as KFP's launcher writes it, about 300 bytes: uri, state, and five custom properties
// of two kinds.
ml_metadata::Artifact KfpArtifact(int64_t type_id, const std::string& uri);

// An execution as KFP's driver writes it: eight custom properties, one of them a struct.
ml_metadata::Execution KfpExecution(int64_t type_id);

// PutExecution of an execution, 3 new artifacts (uri, 2 custom properties each) with an event each
// (1 INPUT, 2 OUTPUT, a path of one key), and both contexts whole, 530-600 bytes serialised. Every
// uri has varying digits.
std::string PutExecutionTemplate(const KfpRun& run);

// PutArtifacts of `count` KFP artifacts whose uris have varying digits.
std::string PutArtifactsTemplate(const KfpRun& run, int count);

// Serialised requests that differ from each other only in the varying digits: each costs one copy
// of the template, for every server the same.
class PatchedRequest {
 public:
  explicit PatchedRequest(std::string request_template);

  grpc::ByteBuffer Next();
  size_t bytes() const { return template_.size(); }

 private:
  std::string template_;
  std::vector<size_t> patches_;  // offsets of the digits
  uint64_t made_ = 0;
};

// Requests that are made beforehand and sent in turn, again and again.
class RequestPool {
 public:
  explicit RequestPool(const std::vector<std::string>& requests);

  grpc::ByteBuffer Next();

 private:
  std::vector<grpc::ByteBuffer> requests_;
  size_t next_ = 0;
};

// GetArtifactsByID of `ids_per_request` random ids from 1 to `max_id`, `count` of them. `seed`
// makes them repeatable.
std::vector<std::string> GetArtifactsByIdRequests(size_t count, size_t ids_per_request,
                                                  int64_t max_id, uint32_t seed);

// GetContextByTypeAndName of the run's run.
std::string GetContextRequest(const KfpRun& run);

}  // namespace pedigree::bench
