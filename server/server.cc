#include "server/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "server/credentials.h"
#include "server/metrics.h"
#include "server/process_statistics.h"

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

// Within this, a client that reads gets the message under way and the word that the server stops.
constexpr std::chrono::milliseconds kStreamGrace{1000};

// Defines those that are not there yet.
absl::Status AddIndexes(const std::vector<IndexedProperty>& properties, Store* store) {
  if (properties.empty()) return absl::OkStatus();
  return store->Write([&](Transaction& transaction) {
    absl::Status status;
    for (const IndexedProperty& property : properties) {
      status.Update(
          transaction.AddPropertyIndex(property.kind, property.is_custom, property.name).status());
    }
    return status;
  });
}

}  // namespace

StoreOptions StoreOptionsOf(const ServerOptions& options) {
  StoreOptions store;
  store.data_dir = options.data_dir;
  store.sync = options.sync;
  store.journal = options.journal;
  store.block_cache_bytes = options.block_cache_bytes;
  store.write_buffer_bytes = options.write_buffer_bytes;
  store.record_cache_bytes = options.record_cache_bytes;
  store.log = options.log;
  store.max_queued_bytes = options.max_queued_bytes;
  store.max_query_visits = options.max_query_visits;
  store.max_query_time = options.max_query_time;
  store.cache_policy = options.cache_policy;
  return store;
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const ServerOptions& options) {
  auto credentials = MakeServerCredentials(options.ssl);
  if (!credentials.ok()) return credentials.status();
  std::unique_ptr<Server> server(new Server());
  auto store = Store::Open(StoreOptionsOf(options));
  if (!store.ok()) return store.status();
  server->store_ = *std::move(store);
  absl::Status indexed = AddIndexes(options.property_indexes, server->store_.get());
  if (!indexed.ok()) return indexed;
  server->dispatcher_ = std::make_unique<Dispatcher>(
      server->store_.get(),
      AdminOptions{options.version, options.backup_root, options.allow_import});
  for (const ServiceTable& table : AllServices()) {
    server->services_.push_back(std::make_unique<TableService>(server->dispatcher_.get(), table));
  }

  absl::Status status = server->ListenForGrpc(options, *credentials);
  if (status.ok() && options.http.has_value()) status = server->ListenForHttp(options);
  if (!status.ok()) return status;
  return server;
}

absl::Status Server::ListenForGrpc(const ServerOptions& options,
                                   std::shared_ptr<grpc::ServerCredentials> credentials) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  AddArguments(options, &builder);
  builder.AddListeningPort(options.listen_address, credentials, &port_);
  if (!options.task_listen_address.empty()) {
    builder.AddListeningPort(options.task_listen_address, credentials, &task_port_);
  }
  for (const auto& service : services_) builder.RegisterService(service.get());
  grpc_ = builder.BuildAndStart();
  if (grpc_ == nullptr) {
    // Ports are bound in order, and those after one that cannot be bound keep their zero.
    const bool is_first = options.task_listen_address.empty() || port_ <= 0;
    return absl::UnavailableError(absl::StrCat(
        "cannot listen on ", is_first ? options.listen_address : options.task_listen_address,
        ": is the port in use, or the address not ours?"));
  }
  for (const auto& service : services_) {
    grpc_->GetHealthCheckService()->SetServingStatus(service->name(), true);
  }
  return absl::OkStatus();
}

absl::Status Server::ListenForHttp(const ServerOptions& options) {
  HttpOptions http;
  http.host = options.http->host;
  http.port = options.http->port;
  http.allowed_origins = options.http->allowed_origins;
  http.ssl = options.ssl;
  http.max_message_bytes = static_cast<size_t>(options.max_message_bytes);
  HttpPages pages;
  pages.readiness = [this] { return store_->WriteStatus(); };
  pages.metrics = [this, version = options.version](const HttpStatistics& statistics) {
    return Metrics(version, statistics);
  };
  auto started = HttpServer::Start(http, dispatcher_.get(), std::move(pages));
  if (!started.ok()) return started.status();
  http_ = *std::move(started);
  return absl::OkStatus();
}

std::string Server::Metrics(const std::string& version, const HttpStatistics& http) {
  MetricsSources sources;
  sources.version = version;
  sources.calls = &dispatcher_->metrics();
  sources.store = store_->Statistics();
  sources.backups = dispatcher_->admin().Backups();
  sources.accepts_writes = store_->WriteStatus().ok();
  sources.http = http;
  sources.process = ReadProcessStatistics();
  return MetricsText(sources);
}

void Server::Drain(std::chrono::milliseconds at_most) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  for (const auto& service : services_) {
    service->Drain(
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()));
  }
  if (http_ == nullptr) return;
  http_->Drain(
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()));
}

Server::~Server() {
  if (grpc_ != nullptr) {
    grpc_->GetHealthCheckService()->SetServingStatus(false);
    Drain(std::chrono::milliseconds(0));
    dispatcher_->EndWaits();
    Drain(std::chrono::seconds(kGraceSeconds));
    // Streams may take longer than that, and end in between two messages.
    dispatcher_->EndStreams();
    Drain(kStreamGrace);
    // Closes connections. Calls that are left are streams whose clients read nothing, or slow
    // handlers; they are cancelled.
    grpc_->Shutdown(std::chrono::system_clock::now());
    grpc_->Wait();
  }
  http_.reset();
  // All calls are answered now. The order matters: who uses what goes first.
  grpc_.reset();
  services_.clear();
  dispatcher_.reset();
  store_.reset();
}

}  // namespace pedigree
