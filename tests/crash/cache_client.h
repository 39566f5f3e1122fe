// A client of the cache for the kill -9 test: it takes leases and publishes as fast as it is
// answered, remembers what was acknowledged and what was under way, and later checks it.
//
// Half of its keys are its own, half are those of all clients. Every execution says in its custom
// property `outputs` how many it has, so that any hit can be checked by itself. Threads: Run() in
// one of its own, the rest after it has ended.
//
//   CacheClient client(3, seed, server->address(), types);
//   std::thread thread([&] { client.Run(); });
//   ... kill and restart the server ...
//   thread.join();
//   EXPECT_EQ("", client.Settle());
#pragma once

#include <grpcpp/support/status.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "ml_metadata/proto/metadata_store_service.pb.h"
#include "pedigree/v1/cache.pb.h"
#include "tests/server/bytes_client.h"
#include "tests/store/random.h"

namespace pedigree::crash {

struct CacheTypes {
  int64_t artifact = 0;
  int64_t execution = 0;
};

// "" or why the hit is not whole.
std::string FaultOfHit(const v1::CacheHit& hit);

v1::CacheKey CacheKeyOf(const std::string& fingerprint);

// One call of pedigree.v1.CacheService.
grpc::Status CallCache(testing::BytesClient* client, const std::string& method,
                       const google::protobuf::Message& request,
                       google::protobuf::Message* response);

class CacheClient {
 public:
  CacheClient(int number, uint64_t seed, const std::string& address, CacheTypes types);

  // Until the server does not answer any more.
  void Run();
  // After the server is back: finds out what became of what was under way, and checks everything
  // that was acknowledged. "" or what is wrong.
  std::string Settle();

  int64_t published() const { return static_cast<int64_t>(acknowledged_.size()); }
  int64_t kept_unacknowledged() const { return kept_unacknowledged_; }
  int64_t lost_unacknowledged() const { return lost_unacknowledged_; }
  int64_t hits() const { return hits_; }

 private:
  struct Publication {
    std::string fingerprint;
    uint64_t token = 0;
  };

  // False if the server is gone. Anything else that is not OK becomes the complaint.
  bool Expect(const grpc::Status& status, const std::string& what);
  bool Step();
  bool Publish(const Publication& publication);
  v1::PublishRequest PublishOf(const Publication& publication);
  std::string CheckAcknowledged(const std::string& fingerprint, int64_t execution);
  std::string SettlePublication(const Publication& publication);

  const int number_;
  const CacheTypes types_;
  Random random_;
  testing::BytesClient client_;
  int64_t next_own_ = 0;
  int64_t next_shared_ = 0;
  std::map<std::string, int64_t> acknowledged_;  // Executions by fingerprint.
  std::optional<Publication> under_way_;
  std::string complaint_;
  int64_t kept_unacknowledged_ = 0;
  int64_t lost_unacknowledged_ = 0;
  int64_t hits_ = 0;
};

}  // namespace pedigree::crash
