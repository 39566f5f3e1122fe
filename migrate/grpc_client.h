// Calls a metadata server by the names of its methods, with plain messages: no generated stub.
//
// Messages of any size. A call that finds the server away for a moment is repeated, so only what
// does no harm twice is called here. Threads: one.
//
//   auto client = GrpcClient::Open("127.0.0.1:8080");
//   GetArtifactsResponse response;
//   absl::Status status = (*client)->Call("GetArtifacts", request, &response);
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace google::protobuf {
class MessageLite;
}

namespace pedigree::migrate {

class GrpcClient {
 public:
  // Makes one call of the method "/SERVICE/METHOD".
  using CallOnce = std::function<absl::Status(const std::string& path,
                                              const google::protobuf::MessageLite& request,
                                              google::protobuf::MessageLite* response)>;

  // Connects, without encryption. Unavailable if no server answers at the address.
  static absl::StatusOr<std::unique_ptr<GrpcClient>> Open(const std::string& address);

  // One whose calls somebody else makes, to a server that messages call `address`.
  GrpcClient(std::string address, CallOnce call_once)
      : address_(std::move(address)), call_once_(std::move(call_once)) {}

  const std::string& address() const { return address_; }

  // A method of ml_metadata.MetadataStoreService, or of another service by its full name,
  // "/SERVICE/METHOD". The status is the server's, with the name of the method; Internal if the
  // answer does not parse.
  absl::Status Call(absl::string_view method, const google::protobuf::MessageLite& request,
                    google::protobuf::MessageLite* response);

  // The same without a second try.
  absl::Status TryOnce(absl::string_view method, const google::protobuf::MessageLite& request,
                       google::protobuf::MessageLite* response);

 private:
  const std::string address_;
  const CallOnce call_once_;
};

}  // namespace pedigree::migrate
