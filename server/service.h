// The gRPC service ml_metadata.MetadataStoreService over a Dispatcher.
//
// Every method is registered as a raw callback: requests and replies are bytes, parsed and built by
// the method table, so that replies can be spliced from stored bytes and no generated service code
// (12 to 19 s per file that includes it) is compiled. The service is registered under its name, so
// reflection lists it. Threads: as grpc::Service.
//
//   MetadataService service(&dispatcher);
//   builder.RegisterService(&service);
#pragma once

#include <grpcpp/impl/codegen/service_type.h>

#include <string>
#include <vector>

#include "server/dispatcher.h"

namespace pedigree {

class MetadataService final : public grpc::Service {
 public:
  // `dispatcher` is not owned and outlives the server that this is registered with.
  explicit MetadataService(Dispatcher* dispatcher);

 private:
  std::vector<std::string> paths_;  // "/package.Service/Method"; gRPC keeps pointers to them.
};

}  // namespace pedigree
