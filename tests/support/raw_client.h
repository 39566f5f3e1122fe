// Calls the RPCs of ml_metadata.MetadataStoreService by name, with plain protobuf messages.
//
// No generated stub is involved: the request travels as bytes through grpc::GenericStub, so one
// function serves all 52 methods, whose types come from the generated descriptor pool.
//
// Threading: a RawClient may be used by any number of threads at once.
//
// Example:
//   RawClient client(server->address());
//   GetArtifactsResponse response;
//   grpc::Status status = client.Call("GetArtifacts", GetArtifactsRequest(), &response);
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace pedigree::testing {

// Returns the method of MetadataStoreService that is called `rpc`, or nullptr. Not owned; lives
// as long as the process.
const google::protobuf::MethodDescriptor* FindMethod(absl::string_view rpc);

// Returns an empty message of a type of the generated pool.
std::unique_ptr<google::protobuf::Message> NewMessage(const google::protobuf::Descriptor* type);

// Returns an unencrypted channel with messages of any size, its own connection (channels of one
// process to one address would otherwise share a connection and its back-off) and the shortest
// back-off, so that a restarted server is found within 100 ms.
std::shared_ptr<grpc::Channel> NewChannel(const std::string& address);

class RawClient {
 public:
  explicit RawClient(const std::string& address, absl::Duration call_timeout = absl::Seconds(30));

  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // Calls `rpc` and waits for the answer. The status is the server's; besides, UNIMPLEMENTED for a
  // name that the contract does not have, DEADLINE_EXCEEDED after the time limit of the
  // constructor, and INTERNAL when the answer's bytes do not parse.
  // REQUIRES: `request` and `response` have the types of that method.
  grpc::Status Call(absl::string_view rpc, const google::protobuf::Message& request,
                    google::protobuf::Message* response);

  // Waits until the server accepts connections; false if it does not in time. After a restart:
  // until the channel has tried again, calls fail with the error of its last attempt.
  bool WaitForConnection(absl::Duration timeout);

 private:
  const absl::Duration call_timeout_;
  const std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
};

}  // namespace pedigree::testing
