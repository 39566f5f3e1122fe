// Calls a metadata server by the names of its methods, with plain messages: no generated stub.
//
// Messages of any size, no encryption. A call that finds the server away for a moment is repeated;
// all that is called here only reads. Threads: one.
//
//   auto client = GrpcClient::Open("127.0.0.1:8080");
//   GetArtifactsResponse response;
//   absl::Status status = (*client)->Call("GetArtifacts", request, &response);
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace google::protobuf {
class MessageLite;
}
namespace grpc {
class Channel;
}

namespace pedigree::migrate {

class GrpcClient {
 public:
  // Connects. Unavailable if no server answers at the address.
  static absl::StatusOr<std::unique_ptr<GrpcClient>> Open(const std::string& address);

  // A method of ml_metadata.MetadataStoreService. The status is the server's, with the name of the
  // method; Internal if the answer does not parse.
  absl::Status Call(absl::string_view method, const google::protobuf::MessageLite& request,
                    google::protobuf::MessageLite* response);

 private:
  GrpcClient(std::string address, std::shared_ptr<grpc::Channel> channel)
      : address_(std::move(address)), channel_(std::move(channel)) {}

  absl::Status CallOnce(const std::string& path, const google::protobuf::MessageLite& request,
                        google::protobuf::MessageLite* response);

  const std::string address_;
  const std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace pedigree::migrate
