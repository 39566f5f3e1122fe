// Replays a transcript against a server and compares every answer with the recorded one.
//
// The rules are those of the reference replayer, mlmd_conformance.py: the status code (never its
// text, but its length), and the answer as compare.h and ids.h have it. Ids and page tokens are
// carried from answers into later requests. When a Put goes wrong, what follows means nothing: the
// rest of the transcript is skipped, which is a failure too.
//
// Threading: a free function; `call` is called on the caller's thread, one call after the other.
//
// Example:
//   RawClient client(server->address());
//   ReplayResult result = Replay(transcript, CallsOf(client), {.not_built_yet = kNotBuiltYet});
//   for (const std::string& failure : result.failures) ADD_FAILURE() << failure;
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/conformance/capabilities.h"
#include "tests/conformance/transcript.h"
#include "tests/support/raw_client.h"

namespace pedigree::conformance {

// Performs one call. The messages have the types of the step's RPC.
using CallFunction =
    std::function<grpc::Status(const Step& step, const google::protobuf::Message& request,
                               google::protobuf::Message* response)>;

// Returns a CallFunction that calls a server. `client` is not owned; it outlives the result.
CallFunction CallsOf(testing::RawClient& client);

// What to expect of a call that needs a capability which is not built yet. Such a call is made all
// the same; if it is answered, and may be, its answer is compared like any other.
enum class NotBuilt { kMustBeUnimplemented, kMayBeUnimplemented };

struct ReplayOptions {
  CapabilitySet not_built_yet = {};
  NotBuilt not_built = NotBuilt::kMustBeUnimplemented;
  // Keeps a server's millisecond times distinct, as they were when the transcripts were recorded:
  // orders by LAST_UPDATE_TIME depend on it.
  absl::Duration pause_after_put = absl::Milliseconds(2);
  size_t max_error_bytes = 1024;
};

struct ReplayResult {
  int steps = 0;          // Calls made.
  int unimplemented = 0;  // Calls answered UNIMPLEMENTED because of ReplayOptions::not_built_yet.
  absl::Duration time_in_calls;
  std::vector<std::string> failures;  // "events.jsonl:12 PutEvents: code OK, want ..."
};

ReplayResult Replay(const Transcript& transcript, const CallFunction& call,
                    const ReplayOptions& options = {});

}  // namespace pedigree::conformance
