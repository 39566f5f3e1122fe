// Calls the service's methods on a store in this process: what a client sees, without a transport.
//
// Threads: any; each call waits for its answer.
//
//   ml_metadata::GetArtifactsResponse response;
//   absl::Status status = Invoke(*store, "GetArtifacts", request, &response);
#pragma once

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "google/protobuf/message.h"
#include "store/store.h"

namespace pedigree::model {

// One request to a method, and how it went.
struct Call {
  std::string rpc;
  std::unique_ptr<google::protobuf::Message> request;
  std::unique_ptr<google::protobuf::Message> response;
  absl::Status status;
};

// A call of the method whose request message this is, e.g. PutArtifacts for PutArtifactsRequest.
template <class Request>
Call MakeCall(Request request);
Call MakeCallOf(std::unique_ptr<google::protobuf::Message> request);

// Runs one method. A read is first tried without waiting for the disk, as the server does it.
// Internal if there is no such method or the reply does not parse.
absl::Status Invoke(Store& store, absl::string_view rpc, const google::protobuf::Message& request,
                    google::protobuf::Message* response);

// Hands a write to the committer and does not wait. The call's response is filled in by then; its
// status stays as it is.
// REQUIRES: `call` outlives the future's becoming ready.
std::future<absl::Status> Enqueue(Store& store, Call* call);

// Runs writes in the order given, as one commit group: the committer is held until all of them
// wait. Sets the status of each, and the response of those that succeed.
// REQUIRES: nobody else writes meanwhile.
void InvokeGroup(Store& store, absl::Span<Call> calls);

template <class Request>
Call MakeCall(Request request) {
  return MakeCallOf(std::make_unique<Request>(std::move(request)));
}

}  // namespace pedigree::model
