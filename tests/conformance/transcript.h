// Recorded histories of an ML Metadata server: a file of calls with their answers, one per line.
//
//   {"rpc": NAME, "request": {...}, "code": "OK" or ["OK", "NOT_FOUND"], "response": {...},
//    "ordered": true}
//
// Requests and responses use protobuf's JSON with original field names. Blank lines and lines that
// begin with # are skipped. `reference_code` tells what the recorded server answered where that
// was a defect; it is not compared. Every transcript starts on an empty store.
//
// Threading: values and free functions without state.
//
// Example:
//   absl::StatusOr<Transcript> transcript = ReadTranscript("tests/data/transcripts/events.jsonl");
//   for (const Step& step : transcript->steps) ...
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/conformance/capabilities.h"

namespace pedigree::conformance {

struct Step {
  int line = 0;                                             // From 1.
  const google::protobuf::MethodDescriptor* rpc = nullptr;  // Not owned; of the generated pool.
  std::string request_json = "{}";                          // May hold ${kind:id} templates.
  std::string response_json = "{}";
  std::vector<grpc::StatusCode> codes;  // One of these is right.
  bool ordered = false;                 // Repeated messages of the answer keep their order.
  CapabilitySet needs;

  bool IsPut() const;
  bool Allows(grpc::StatusCode code) const;
};

struct Transcript {
  std::string name;       // "fuzz_0001"
  std::string file_name;  // "fuzz_0001.jsonl"
  std::vector<Step> steps;
  CapabilitySet needs;  // Of all steps.
};

// NotFound: the file cannot be read. InvalidArgument, with file and line: a line is not a step (a
// member that is not known included, which might be a mistyped one), or there is no step.
absl::StatusOr<Transcript> ReadTranscript(const std::string& path);

// Reads all *.jsonl files below a folder, sorted by path. NotFound: there is none. Otherwise as
// ReadTranscript; besides, AlreadyExists if two files have the same name.
absl::StatusOr<std::vector<Transcript>> ReadTranscripts(const std::string& folder);

// Reads one line. InvalidArgument as for ReadTranscript.
absl::StatusOr<Step> ParseStep(absl::string_view text);

// Reads a message from protobuf's JSON. InvalidArgument: it is none.
absl::Status FromJson(absl::string_view json, google::protobuf::Message* message);

// "NOT_FOUND"
std::string CodeName(grpc::StatusCode code);

}  // namespace pedigree::conformance
