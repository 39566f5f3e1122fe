// A gRPC service over a Dispatcher, from its table of methods.
//
// Every method is registered as a raw callback: requests and replies are bytes, parsed and built by
// the method table, so that replies can be spliced from stored bytes and no generated service code
// (12 to 19 s per file that includes it) is compiled. The service is registered under its name, so
// reflection lists it. Threads: as grpc::Service.
//
//   TableService service(&dispatcher, AllServices()[0]);
//   builder.RegisterService(&service);
#pragma once

#include <grpcpp/impl/codegen/service_type.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "server/dispatcher.h"

namespace pedigree {

// Counts the calls under way, so that a stop can wait for them and for nothing else: gRPC's own
// Shutdown also waits, up to its deadline, for idle clients to acknowledge that it says goodbye.
class CallsUnderWay {
 public:
  // False, and nothing counted, once Drain() has been called.
  bool Begin();
  void End();
  // Lets no call begin any more and waits for those under way, at most this long.
  void Drain(std::chrono::milliseconds at_most);

 private:
  std::mutex mutex_;
  std::condition_variable idle_;
  int64_t count_ = 0;      // Guarded by mutex_.
  bool draining_ = false;  // Guarded by mutex_.
};

class TableService final : public grpc::Service {
 public:
  // `dispatcher` is not owned and outlives the server that this is registered with.
  TableService(Dispatcher* dispatcher, const ServiceTable& table);

  const std::string& name() const { return name_; }

  // Answers new calls with Unavailable and waits until those under way are answered, at most this
  // long.
  void Drain(std::chrono::milliseconds at_most) { calls_.Drain(at_most); }

 private:
  std::string PathOf(absl::string_view method) const;
  // Registers the next method of paths_, and takes its handler.
  void Add(grpc::internal::RpcMethod::RpcType type, grpc::internal::MethodHandler* handler);

  const std::string name_;
  CallsUnderWay calls_;
  std::vector<std::string> paths_;  // "/package.Service/Method"; gRPC keeps pointers to them.
  size_t added_ = 0;                // Of paths_.
};

}  // namespace pedigree
