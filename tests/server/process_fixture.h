// What the tests of the real program share: where it is, and a small call that shows that a server
// still serves.
//
// Threading: free functions without state.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/support/raw_client.h"
#include "tests/support/server_process.h"

namespace pedigree::testing {

inline constexpr char kPedigreed[] = PEDIGREED;

// A running server; the test ends here if it does not start.
inline std::unique_ptr<ServerProcess> StartServer(std::vector<std::string> extra_args = {}) {
  auto server = ServerProcess::Start({.program = kPedigreed, .extra_args = std::move(extra_args)});
  EXPECT_TRUE(server.ok()) << server.status();
  return server.ok() ? *std::move(server) : nullptr;
}

// Stores an artifact and reads it again, on a new connection.
inline void ExpectServes(ServerProcess& server) {
  ASSERT_TRUE(server.IsRunning()) << server.LogTail();
  RawClient client(server.address());
  ml_metadata::PutArtifactsRequest put;
  put.add_artifacts()->set_type_id(1);
  put.mutable_artifacts(0)->set_uri("still serving");
  ml_metadata::PutArtifactsResponse ids;
  grpc::Status status = client.Call("PutArtifacts", put, &ids);
  ASSERT_TRUE(status.ok()) << status.error_code() << ": " << status.error_message();
  ml_metadata::GetArtifactsByIDRequest get;
  get.add_artifact_ids(ids.artifact_ids(0));
  ml_metadata::GetArtifactsByIDResponse artifacts;
  status = client.Call("GetArtifactsByID", get, &artifacts);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(artifacts.artifacts_size(), 1);
  EXPECT_EQ(artifacts.artifacts(0).uri(), "still serving");
}

inline constexpr char kPutArtifacts[] = "/ml_metadata.MetadataStoreService/PutArtifacts";
inline constexpr char kGetArtifacts[] = "/ml_metadata.MetadataStoreService/GetArtifacts";

// The bytes of a PutArtifacts request of one artifact with a uri of this length.
inline std::string PutRequest(size_t uri_bytes) {
  ml_metadata::PutArtifactsRequest request;
  request.add_artifacts()->set_type_id(1);
  request.mutable_artifacts(0)->set_uri(std::string(uri_bytes, 'u'));
  return request.SerializeAsString();
}

// How many artifacts the server has.
inline int ArtifactCount(const ServerProcess& server) {
  RawClient client(server.address());
  ml_metadata::GetArtifactsResponse response;
  const grpc::Status status =
      client.Call("GetArtifacts", ml_metadata::GetArtifactsRequest(), &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.artifacts_size();
}

}  // namespace pedigree::testing
