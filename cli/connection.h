// Where the answers of a command come from: a server, or the stopped store of one.
//
// With --server (or PEDIGREE_SERVER) calls go over gRPC. With --data_dir the store is opened in
// this process and the same method tables answer, so that every command has one way to ask, by the
// full name of a method. Calls say who asks (--principal) in the header `pedigree-principal`.
//
// Threads: one. Statuses are the server's; besides, Unavailable with a hint if it cannot be
// reached, and Unimplemented with one if it does not know the method.
//
//   ConnectionOptions options;
//   Connection::AddOptions(app, &options);
//   ...
//   auto connection = Connection::Open(options);
//   GetArtifactsResponse response;
//   auto status = (*connection)->Call("/ml_metadata.MetadataStoreService/GetArtifacts", request,
//                                     &response);
#pragma once

#include <google/protobuf/message_lite.h>

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace CLI {
class App;
}

namespace pedigree::cli {

struct ConnectionOptions {
  std::string server = {};  // HOST[:PORT] or unix:PATH. Empty: PEDIGREE_SERVER, or localhost:8080.
  std::string data_dir = {};  // Wins over PEDIGREE_SERVER.
  bool tls = false;           // Also if any of the three files is given.
  std::string tls_ca = {};    // Empty: the system's.
  std::string tls_cert = {};
  std::string tls_key = {};
  std::string principal = {};  // Empty: the user's name.
};

class Connection {
 public:
  // --server, --data_dir, --tls, --tls_ca, --tls_cert, --tls_key, --principal.
  static void AddOptions(CLI::App* app, ConnectionOptions* options);

  // What would be asked with these options, as where().
  static std::string WhereOf(const ConnectionOptions& options);

  // Opens the store, or makes ready to connect: the first call does. InvalidArgument: options that
  // do not fit together. NotFound: a file or store that is not there. Otherwise as Store::Open.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const ConnectionOptions& options);

  virtual ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // One call of a method by its full name, "/SERVICE/METHOD". Internal if the answer does not
  // parse.
  absl::Status Call(const char* method, const google::protobuf::MessageLite& request,
                    google::protobuf::MessageLite* response);

  // A call that answers with a stream of messages; `visit` answers false to end it.
  template <class Response>
  absl::Status Stream(const char* method, const google::protobuf::MessageLite& request,
                      absl::FunctionRef<bool(Response&)> visit) {
    Response response;
    absl::Status parsed;
    absl::Status status = StreamBytes(method, request, [&](absl::string_view bytes) {
      parsed = Parse(method, bytes, &response);
      return parsed.ok() && visit(response);
    });
    return parsed.ok() ? status : parsed;
  }

  // What is asked: "localhost:8080", or the directory of the store.
  virtual const std::string& where() const = 0;

 protected:
  Connection() = default;

  // Both visit the bytes of answers, which live until `visit` returns.
  virtual absl::Status CallBytes(const char* method, const google::protobuf::MessageLite& request,
                                 absl::FunctionRef<void(absl::string_view)> visit) = 0;
  virtual absl::Status StreamBytes(const char* method, const google::protobuf::MessageLite& request,
                                   absl::FunctionRef<bool(absl::string_view)> visit) = 0;

 private:
  static absl::Status Parse(const char* method, absl::string_view bytes,
                            google::protobuf::MessageLite* message);
};

}  // namespace pedigree::cli
