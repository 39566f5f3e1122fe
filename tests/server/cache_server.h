// pedigree.v1.CacheService over a real store and dispatcher, without a transport. The clocks stand
// still until a test moves them.
//
// Types: 10 artifact "a", 11 execution "e", 12 context "system.Pipeline", 13 context "run".
// Threads: Start() and Call() from any, the rest from one.
//
//   CacheServer server;
//   auto found = server.Call<v1::LookupResponse>("Lookup", LookupOf("f"));
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "pedigree/v1/cache.pb.h"
#include "server/dispatcher.h"
#include "tests/store/status_testing.h"
#include "tests/store/test_store.h"

namespace pedigree {

class CacheServer {
 public:
  static constexpr int64_t kArtifactType = 10;
  static constexpr int64_t kExecutionType = 11;
  static constexpr int64_t kPipelineType = 12;
  static constexpr int64_t kRunType = 13;

  CacheServer();

  TestStore& store() { return store_; }
  void EndWaits() { dispatcher_->EndWaits(); }
  // Ends the dispatcher, opens the store again, and begins anew.
  void Restart();

  using Reply = absl::StatusOr<std::string>;
  // A call of the cache, or of the metadata store if the cache has none of this name. A client that
  // sets `cancelled` does not wait any more.
  std::future<Reply> Start(const std::string& method, const google::protobuf::Message& request,
                           const std::atomic<bool>* cancelled = nullptr);
  template <class Response>
  absl::StatusOr<Response> Call(const std::string& method,
                                const google::protobuf::Message& request) {
    return Parse<Response>(Start(method, request).get());
  }
  template <class Response>
  static absl::StatusOr<Response> Parse(const Reply& reply) {
    if (!reply.ok()) return reply.status();
    Response response;
    EXPECT_TRUE(response.ParseFromString(*reply));
    return response;
  }

  // The id of a context with a custom property `namespace`, if it is not empty.
  int64_t PutContext(int64_t type, const std::string& name, const std::string& name_space = "");

 private:
  TestStore store_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

v1::CacheKey KeyOf(const std::string& fingerprint, const std::string& name_space = "",
                   const std::string& pipeline = "", v1::CacheScope scope = v1::PIPELINE);

// A PutExecution with so many new outputs.
ml_metadata::PutExecutionRequest PutOf(ml_metadata::Execution::State state, int outputs = 0);
void SetText(ml_metadata::Execution* execution, const std::string& name, const std::string& text);

}  // namespace pedigree
