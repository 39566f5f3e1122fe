#include "server/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "server/credentials.h"

namespace pedigree {
namespace {

void AddArguments(const ServerOptions& options, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(options.max_message_bytes);
  builder->SetMaxSendMessageSize(-1);
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // Two servers on one port: an error.
  for (const ChannelArgument& argument : options.channel_arguments) {
    std::visit([&](const auto& value) { builder->AddChannelArgument(argument.name, value); },
               argument.value);
  }
}

}  // namespace

StoreOptions StoreOptionsOf(const ServerOptions& options) {
  StoreOptions store;
  store.data_dir = options.data_dir;
  store.sync = options.sync;
  store.block_cache_bytes = options.block_cache_bytes;
  store.write_buffer_bytes = options.write_buffer_bytes;
  store.max_queued_bytes = options.max_queued_bytes;
  return store;
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options) {
  auto credentials = MakeServerCredentials(options.ssl);
  if (!credentials.ok()) return credentials.status();
  std::unique_ptr<Server> server(new Server());
  auto store = Store::Open(StoreOptionsOf(options));
  if (!store.ok()) return store.status();
  server->store_ = *std::move(store);
  server->dispatcher_ = std::make_unique<Dispatcher>(server->store_.get());
  server->service_ = std::make_unique<MetadataService>(server->dispatcher_.get());

  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  AddArguments(options, &builder);
  builder.AddListeningPort(options.listen_address, *credentials, &server->port_);
  builder.RegisterService(server->service_.get());
  server->grpc_ = builder.BuildAndStart();
  if (server->grpc_ == nullptr) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", options.listen_address,
                                               ": is the port in use, or the address not ours?"));
  }
  server->grpc_->GetHealthCheckService()->SetServingStatus(std::string(kServiceName), true);
  return server;
}

Server::~Server() {
  if (grpc_ != nullptr) {
    grpc_->GetHealthCheckService()->SetServingStatus(false);
    service_->Drain(std::chrono::seconds(kGraceSeconds));
    grpc_->Shutdown(std::chrono::system_clock::now());  // Closes connections; no call is left.
    grpc_->Wait();
  }
  // All calls are answered now. The order matters: who uses what goes first.
  grpc_.reset();
  service_.reset();
  dispatcher_.reset();
  store_.reset();
}

}  // namespace pedigree
