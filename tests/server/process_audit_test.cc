// The real program: who is in the journal, by gRPC with and without TLS, and Watch through
// concurrent writes, a kill and a stop.
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "pedigree/v1/audit.pb.h"
#include "tests/server/bytes_client.h"
#include "tests/server/identity.h"
#include "tests/server/process_fixture.h"
#include "tests/server/refused_start.h"
#include "tests/support/loopback_port.h"

namespace pedigree::testing {
namespace {

constexpr char kWatch[] = "/pedigree.v1.AuditService/Watch";
constexpr char kPutMethod[] = "/ml_metadata.MetadataStoreService/PutArtifacts";

// A Watch as a client makes it, message by message.
class WatchCall {
 public:
  WatchCall(const std::shared_ptr<grpc::Channel>& channel, const v1::WatchRequest& request)
      : stub_(channel) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(120));
    stream_ = stub_.PrepareCall(&context_, kWatch, &queue_);
    stream_->StartCall(nullptr);
    if (!Wait()) return;
    stream_->WriteLast(ToBuffer(request.SerializeAsString()), grpc::WriteOptions(), nullptr);
    Wait();
  }
  ~WatchCall() {
    context_.TryCancel();
    if (!status_.has_value()) Finish();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }
  WatchCall(const WatchCall&) = delete;
  WatchCall& operator=(const WatchCall&) = delete;

  std::optional<v1::WatchResponse> Next() {
    grpc::ByteBuffer received;
    stream_->Read(&received, nullptr);
    if (!Wait()) return std::nullopt;
    v1::WatchResponse response;
    EXPECT_TRUE(response.ParseFromString(ToString(received)));
    return response;
  }
  // REQUIRES: Next() has answered null.
  grpc::Status Finish() {
    status_.emplace();
    stream_->Finish(&*status_, nullptr);
    Wait();
    return *status_;
  }

 private:
  bool Wait() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  std::optional<grpc::Status> status_;
};

v1::WatchRequest ToTheEnd() {
  v1::WatchRequest request;
  request.set_stop_at_end(true);
  return request;
}

std::vector<v1::JournalEntry> AllEntries(const std::shared_ptr<grpc::Channel>& channel) {
  WatchCall call(channel, ToTheEnd());
  std::vector<v1::JournalEntry> entries;
  while (const auto response = call.Next()) {
    entries.insert(entries.end(), response->entries().begin(), response->entries().end());
  }
  EXPECT_TRUE(call.Finish().ok());
  return entries;
}

// PutArtifacts by a client that says who it is.
grpc::Status PutAs(const std::shared_ptr<grpc::Channel>& channel, const std::string& principal) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  if (!principal.empty()) context.AddMetadata("pedigree-principal", principal);
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  auto call = stub.PrepareUnaryCall(&context, kPutMethod, ToBuffer(PutRequest(3)), &queue);
  call->StartCall();
  grpc::ByteBuffer reply;
  grpc::Status status;
  void* tag = nullptr;
  bool ok = false;
  call->Finish(&reply, &status, nullptr);
  queue.Next(&tag, &ok);
  return status;
}

TEST(ProcessAudit, EntriesSayWhoAskedOverGrpc) {
  const auto server = StartServer();
  ASSERT_NE(server, nullptr);
  const auto channel = NewChannel(server->address());
  ASSERT_TRUE(PutAs(channel, "job-7").ok());
  ASSERT_TRUE(PutAs(channel, "").ok());
  const auto entries = AllEntries(channel);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].declared_principal(), "job-7");
  EXPECT_EQ(entries[1].declared_principal(), "");
  for (const auto& entry : entries) {
    EXPECT_EQ(entry.tls_identity(), "");
    EXPECT_EQ(entry.method(), kPutMethod);
    EXPECT_TRUE(absl::StartsWith(entry.peer(), "ipv4:127.0.0.1:")) << entry.peer();
  }
  EXPECT_TRUE(server->Stop().ok());
}

TEST(ProcessAudit, EntriesNameTheClientThatTlsHasProved) {
  const TempDirectory directory;
  const Identity identity = MakeIdentity("pedigree.test");
  const Identity client = MakeIdentity("alice");
  WriteFile(
      directory.Below("config.pbtxt"),
      absl::StrCat("ssl_config { server_key: \"", absl::CEscape(identity.key), "\" server_cert: \"",
                   absl::CEscape(identity.certificate), "\" custom_ca: \"",
                   absl::CEscape(client.certificate), "\" client_verify: true }"));
  const auto port = FreeLoopbackPort();
  ASSERT_TRUE(port.ok());
  Program program({.path = kPedigreed,
                   .args = Flags(directory.Below("data"), {absl::StrCat("--grpc_port=", *port),
                                                           "--metadata_store_server_config_file=" +
                                                               directory.Below("config.pbtxt")})});
  ASSERT_TRUE(program.WaitForOutput(" serves ")) << program.Output();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = identity.certificate;
  options.pem_private_key = client.key;
  options.pem_cert_chain = client.certificate;
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride("pedigree.test");
  const auto channel = grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", *port),
                                                 grpc::SslCredentials(options), arguments);
  const grpc::Status status = PutAs(channel, "mallory");
  ASSERT_TRUE(status.ok()) << status.error_message();
  const auto entries = AllEntries(channel);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].tls_identity(), "alice");
  EXPECT_EQ(entries[0].declared_principal(), "mallory");
  program.Signal(SIGTERM);
  EXPECT_TRUE(program.WaitForEnd().value().ok()) << program.Output();
}

// Whatever is acknowledged is in the journal once, also after the server was killed: a client that
// goes on after the last entry it has dealt with misses nothing and sees nothing twice.
TEST(ProcessAudit, AWatchThatGoesOnAfterAKillMissesNothing) {
  const auto server = StartServer();
  ASSERT_NE(server, nullptr);
  constexpr int kWriters = 4;
  std::atomic<int> acknowledged = 0;
  int64_t last = 0;
  std::string hash(32, '\0');
  int artifacts = 0;
  const auto follow_to = [&](int64_t least) {
    v1::WatchRequest request;
    request.set_after_sequence(last);
    WatchCall call(NewChannel(server->address()), request);
    while (artifacts < least) {
      const auto response = call.Next();
      ASSERT_TRUE(response.has_value());
      for (const auto& entry : response->entries()) {
        ASSERT_EQ(entry.sequence(), last + 1);
        ASSERT_EQ(entry.previous_hash(), hash);
        last = entry.sequence();
        hash = entry.hash();
        artifacts += entry.changes_size();
      }
    }
  };
  for (int round = 0; round < 2; ++round) {
    std::atomic<bool> stop = false;
    std::vector<std::thread> writers;
    for (int i = 0; i < kWriters; ++i) {
      writers.emplace_back([&] {
        const auto channel = NewChannel(server->address());
        while (!stop) {
          if (PutAs(channel, "").ok()) ++acknowledged;
        }
      });
    }
    follow_to(100 * (round + 1));
    EXPECT_TRUE(server->Kill9().ok());
    stop = true;
    for (std::thread& writer : writers) writer.join();
    ASSERT_TRUE(server->Restart().ok()) << server->LogTail();
  }
  const int stored = ArtifactCount(*server);
  EXPECT_GE(stored, acknowledged);
  follow_to(stored);
  EXPECT_EQ(artifacts, stored);
  EXPECT_TRUE(server->Stop().ok());
}

TEST(ProcessAudit, AWatchEndsAtOnceWhenTheServerStops) {
  const auto server = StartServer();
  ASSERT_NE(server, nullptr);
  WatchCall call(NewChannel(server->address()), v1::WatchRequest());
  ASSERT_TRUE(call.Next().has_value());
  std::thread stopper([&] { EXPECT_TRUE(server->Stop().ok()); });
  EXPECT_FALSE(call.Next().has_value());
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  stopper.join();
}

TEST(ProcessAudit, TheFlagLeavesAGapThatSaysSo) {
  const auto server = StartServer({"--journal=off"});
  ASSERT_NE(server, nullptr);
  const auto channel = NewChannel(server->address());
  ASSERT_TRUE(PutAs(channel, "").ok());
  ASSERT_TRUE(PutAs(channel, "").ok());
  const auto entries = AllEntries(channel);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].method(), "journal=off");
  EXPECT_TRUE(server->Stop().ok());
}

}  // namespace
}  // namespace pedigree::testing
