// A store in a temporary directory, called through the method table: the protocol without a
// transport. Time stands still until a test moves it.
//
// Requests are messages or their text format; a call's name is taken from the message's type.
//
// Threading: Call*() and Dump() may be called from any thread, the rest from one.
//
// Example:
//   TestStore store;
//   auto type = store.Must<PutArtifactTypeResponse>("artifact_type { name: 't' }");
//   absl::Status status = store.Try("PutArtifacts", "artifacts { type_id: 10 }");
//   ExpectRefused(store, "PutArtifacts", bytes, absl::StatusCode::kInvalidArgument);
#pragma once

#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/methods.h"
#include "store/store.h"

namespace pedigree::testing {

// Everything a store holds, counters included, but for the clock: "family key" in hexadecimal ->
// value.
using StoreDump = std::map<std::string, std::string>;

class TestStore {
 public:
  TestStore();
  ~TestStore();
  TestStore(const TestStore&) = delete;
  TestStore& operator=(const TestStore&) = delete;

  Store& store() { return *store_; }
  // Closes the store and opens it again.
  void Reopen();

  // Opens the store again with this policy.
  void SetCachePolicy(const CachePolicy& policy);

  int64_t clock_ms() const { return clock_ms_; }
  void MoveClock(int64_t ms) { clock_ms_ += ms; }

  // One call of the method table: bytes in, bytes out. REQUIRES: there is a method `rpc`.
  absl::StatusOr<std::string> CallBytes(absl::string_view rpc, absl::string_view request);

  // The status alone, for a request as text.
  absl::Status Try(absl::string_view rpc, const std::string& request_text);
  // The same for a message, whose type names the call.
  absl::Status Try(const google::protobuf::Message& request);

  // The answer, which must be OK: otherwise the test fails and the answer is empty.
  template <class Response>
  Response Must(const std::string& request_text) {
    return Parsed<Response>(
        CallBytes(RpcOfResponse<Response>(), TextRequest(RpcOfResponse<Response>(), request_text)));
  }
  template <class Response>
  Response Must(const google::protobuf::Message& request) {
    return Parsed<Response>(CallBytes(RpcOfResponse<Response>(), request.SerializeAsString()));
  }

  // The answer to a request, in the type that the call has. It must be OK.
  std::unique_ptr<google::protobuf::Message> Answer(const google::protobuf::Message& request);

  // The nodes that answer a request: field 1 of the answer, one or many. The answer must be OK.
  template <class Node>
  std::vector<Node> Nodes(const google::protobuf::Message& request) {
    std::vector<Node> nodes;
    const auto answer = Answer(request);
    const auto* field = answer->GetDescriptor()->FindFieldByNumber(1);
    const auto* reflection = answer->GetReflection();
    if (field->is_repeated()) {
      for (int i = 0; i < reflection->FieldSize(*answer, field); ++i) {
        nodes.push_back(
            static_cast<const Node&>(reflection->GetRepeatedMessage(*answer, field, i)));
      }
    } else if (reflection->HasField(*answer, field)) {
      nodes.push_back(static_cast<const Node&>(reflection->GetMessage(*answer, field)));
    }
    return nodes;
  }

  StoreDump Dump();
  // Fails the test unless Store::Verify finds nothing.
  void ExpectSound();

  // The bytes of a request given as text.
  static std::string TextRequest(absl::string_view rpc, const std::string& text);

 private:
  template <class Response>
  static std::string RpcOfResponse() {
    const std::string& name = Response::descriptor()->name();
    return name.substr(0, name.size() - std::string("Response").size());
  }
  template <class Response>
  static Response Parsed(const absl::StatusOr<std::string>& bytes) {
    Response response;
    EXPECT_TRUE(bytes.ok()) << Response::descriptor()->name() << ": " << bytes.status();
    EXPECT_TRUE(!bytes.ok() || response.ParseFromString(*bytes));
    return response;
  }
  void Open();
  // Whether a call says that all it would write is there; its reply then.
  bool IsWritten(Call& call, std::string* reply);

  std::string directory_;
  std::atomic<int64_t> clock_ms_;
  CachePolicy cache_policy_;
  std::unique_ptr<Store> store_;
};

// Reads any message from its text format; a bad text is a mistake of the test and ends it.
void ReadText(const std::string& text, google::protobuf::Message* message);
template <class Message>
Message FromText(const std::string& text) {
  Message message;
  ReadText(text, &message);
  return message;
}

bool IsUtf8(absl::string_view text);

// Returns what differs, key by key, at most a few lines; "" if nothing does.
std::string Difference(const StoreDump& before, const StoreDump& after);

// Makes the call and expects that it is refused with `code`, with a text that is valid UTF-8 and at
// most 1 KiB long, and that the store holds to the byte what it held before. Returns the text.
std::string ExpectRefused(TestStore& store, absl::string_view rpc, absl::string_view request,
                          absl::StatusCode code);
// The same for requests as text and as messages.
std::string ExpectTextRefused(TestStore& store, absl::string_view rpc, const std::string& text,
                              absl::StatusCode code);
std::string ExpectRefused(TestStore& store, const google::protobuf::Message& request,
                          absl::StatusCode code);

// Fails the test unless the two are equal, to the bit of every double.
void ExpectEqual(const google::protobuf::Message& actual,
                 const google::protobuf::Message& expected);

// The seed of this run's random tests: $PEDIGREE_TEST_SEED, else a new one. Printed once.
uint32_t RandomSeed();

}  // namespace pedigree::testing
