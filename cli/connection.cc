#include "cli/connection.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <limits>

#include "absl/strings/str_cat.h"
#include "cli/connection_kinds.h"

namespace pedigree::cli {
namespace {

constexpr char kDefaultServer[] = "localhost:8080";

}  // namespace

void Connection::AddOptions(CLI::App* app, ConnectionOptions* options) {
  const std::string group = "Where to ask";
  app->add_option("--server", options->server,
                  "HOST:PORT or unix:PATH of pedigreed; or say it in PEDIGREE_SERVER "
                  "[localhost:8080]")
      ->type_name("ADDRESS")
      ->group(group);
  app->add_option("--data_dir", options->data_dir,
                  "the store of a pedigreed that does not run, instead of a server")
      ->type_name("DIR")
      ->group(group);
  app->add_flag("--tls", options->tls, "encrypted, with a server that the system's roots vouch for")
      ->group(group);
  app->add_option("--tls_ca", options->tls_ca, "encrypted; who vouches for the server, in PEM")
      ->type_name("FILE")
      ->group(group);
  app->add_option("--tls_cert", options->tls_cert, "the client's certificate, in PEM")
      ->type_name("FILE")
      ->group(group);
  app->add_option("--tls_key", options->tls_key, "and its key")->type_name("FILE")->group(group);
  app->add_option("--principal", options->principal,
                  "who asks, for the server's journal [the user's name]")
      ->type_name("NAME")
      ->group(group);
}

std::string Connection::WhereOf(const ConnectionOptions& options) {
  if (!options.data_dir.empty()) return options.data_dir;
  if (!options.server.empty()) return options.server;
  const char* const server = std::getenv("PEDIGREE_SERVER");
  return server != nullptr && *server != '\0' ? server : kDefaultServer;
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options) {
  if (options.data_dir.empty()) return OpenRemote(options);
  if (!options.server.empty()) {
    return absl::InvalidArgumentError(
        "say --server or --data_dir, not both (a store that is served is not open to others)");
  }
  return OpenLocal(options);
}

absl::Status Connection::Call(const char* method, const google::protobuf::MessageLite& request,
                              google::protobuf::MessageLite* response) {
  absl::Status parsed;
  absl::Status status = CallBytes(
      method, request, [&](absl::string_view bytes) { parsed = Parse(method, bytes, response); });
  return status.ok() ? parsed : status;
}

absl::Status Connection::Parse(const char* method, absl::string_view bytes,
                               google::protobuf::MessageLite* message) {
  if (bytes.size() <= std::numeric_limits<int>::max() &&
      message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::OkStatus();
  }
  return absl::InternalError(absl::StrCat("the answer to ", method, ", ", bytes.size(),
                                          " bytes, is no ", message->GetTypeName()));
}

}  // namespace pedigree::cli
