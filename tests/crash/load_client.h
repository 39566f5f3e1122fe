// A client of pedigreed for the kill -9 test: it writes as fast as it is answered, remembers what
// was acknowledged and what was under way, and later checks that all of it is there.
//
// Every name is unique over all clients and rounds, so that a write can be found again whatever
// became of it, and what belongs to one write says so. Threads: Run() in one of its own, the rest
// after it has ended.
//
//   LoadClient client(3, seed, server->address());
//   std::thread thread([&] { client.Run(); });
//   ... kill and restart the server ...
//   thread.join();
//   EXPECT_EQ("", client.Settle());
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "grpcpp/support/status.h"
#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "tests/crash/own_lineage.h"
#include "tests/store/random.h"
#include "tests/support/raw_client.h"

namespace pedigree::crash {

// Types and one context that all clients share.
struct SharedNodes {
  int64_t artifact_type = 0;
  int64_t execution_type = 0;
  int64_t context_type = 0;
  int64_t pipeline = 0;  // A context.
};

absl::StatusOr<SharedNodes> PutSharedNodes(testing::RawClient* client);

// A PutExecution and what it has brought.
struct ExecutionWrite {
  ml_metadata::PutExecutionRequest request;
  ml_metadata::PutExecutionResponse response;
};

class LoadClient {
 public:
  LoadClient(int number, uint64_t seed, const std::string& address, const SharedNodes& shared);

  // Writes until the server does not answer any more. An answer that should not have come is kept
  // for Settle().
  void Run();

  // After the server is back: finds out what became of the write that was under way, and checks
  // that it is there whole or not at all; then checks all writes since the last time, and some of
  // those before. "" or what is wrong.
  std::string Settle();

  // Checks every write of all rounds.
  std::string CheckAll();

  // Ids of everything that this client has created, with the names.
  const std::map<int64_t, std::string>& executions() const { return execution_names_; }
  const std::map<int64_t, std::string>& artifacts() const { return artifact_names_; }
  int64_t acknowledged() const { return acknowledged_; }
  int64_t kept_unacknowledged() const { return kept_unacknowledged_; }
  int64_t lost_unacknowledged() const { return lost_unacknowledged_; }
  // Contexts that are this client's alone.
  int64_t context_count() const { return static_cast<int64_t>(writes_.size()) + 1; }

 private:
  // The one artifact that this client updates again and again, with its counter.
  struct Counter {
    int64_t artifact = 0;
    int64_t value = 0;
  };

  bool WriteExecution();
  bool WriteCounter();
  bool WriteWhatMustFail();
  // False if the server is gone. Anything else that is not OK becomes the complaint.
  bool Expect(const grpc::Status& status, grpc::StatusCode code, const std::string& what);

  std::string SettleExecution();
  std::string SettleCounter();
  std::string CheckAbsent(const ml_metadata::PutExecutionRequest& request);
  std::string Record(const ExecutionWrite& write);
  std::string CheckWrites(size_t begin, size_t end);
  std::string CheckNodes(const ExecutionWrite* begin, const ExecutionWrite* end);
  std::string CheckNeighbours(const ExecutionWrite& write);
  std::string CheckCounter();
  absl::StatusOr<bool> ArtifactExists(const std::string& name);
  absl::StatusOr<bool> ContextExists(const std::string& name);

  const std::string name_;
  const SharedNodes shared_;
  Random random_;
  testing::RawClient client_;
  int64_t next_number_ = 0;

  std::vector<ExecutionWrite> writes_;  // That are there.
  OwnLineage lineage_;                  // Of these.
  size_t checked_ = 0;                  // So many of them have been checked once.
  std::optional<ml_metadata::PutExecutionRequest> execution_under_way_;
  std::optional<int64_t> counter_under_way_;
  Counter counter_;
  std::vector<std::string> never_;  // Artifacts of requests that were refused.
  std::string complaint_;
  std::map<int64_t, std::string> execution_names_;
  std::map<int64_t, std::string> artifact_names_;
  int64_t acknowledged_ = 0;
  int64_t kept_unacknowledged_ = 0;
  int64_t lost_unacknowledged_ = 0;
};

}  // namespace pedigree::crash
