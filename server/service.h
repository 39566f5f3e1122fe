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
#include <string>
#include <vector>

#include "server/calls_under_way.h"
#include "server/dispatcher.h"

namespace pedigree {

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
