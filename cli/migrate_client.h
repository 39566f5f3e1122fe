// A client of migrate/ that calls over a connection of this program's, with its TLS and principal.
//
// Threads: as Connection.
//
//   auto connection = Connection::Open(options);
//   migrate::GrpcClient client = ClientOver(connection->get());
#pragma once

#include <string>

#include "cli/connection.h"
#include "migrate/grpc_client.h"

namespace pedigree::cli {

// `connection` is not owned and outlives the client.
inline migrate::GrpcClient ClientOver(Connection* connection) {
  return migrate::GrpcClient(
      connection->where(),
      [connection](const std::string& path, const google::protobuf::MessageLite& request,
                   google::protobuf::MessageLite* response) {
        return connection->Call(path.c_str(), request, response);
      });
}

}  // namespace pedigree::cli
