// The second listener of the real program: its flags, what it counts, its end, and that no client
// of it harms those of gRPC.
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "store/store.h"
#include "tests/http/http_client.h"
#include "tests/server/identity.h"
#include "tests/server/process_fixture.h"
#include "tests/server/refused_start.h"
#include "tests/server/test_store.h"
#include "tests/support/loopback_port.h"

namespace pedigree::testing {
namespace {

namespace mlmd = ml_metadata;

constexpr absl::string_view kHttpPort = ", HTTP port ";

// The port in the line that the program prints when it serves; 0 if there is none yet.
int PortIn(const std::string& log) {
  const size_t at = log.rfind(std::string(kHttpPort));
  int port = 0;
  if (at == std::string::npos) return 0;
  const std::string rest = log.substr(at + kHttpPort.size());
  const size_t end = rest.find('\n');
  return end != std::string::npos && absl::SimpleAtoi(rest.substr(0, end), &port) ? port : 0;
}

// One whose HTTP listens on `port`, if it is not 0.
struct HttpServerProcess {
  std::unique_ptr<ServerProcess> server;
  int port = 0;
};

HttpServerProcess StartWithHttp(std::vector<std::string> flags = {}) {
  const auto port = FreeLoopbackPort();
  EXPECT_TRUE(port.ok());
  flags.push_back(absl::StrCat("--http_port=", *port));
  HttpServerProcess process{StartServer(std::move(flags)), *port};
  // It listens for gRPC first.
  for (int i = 0; i < 10'000 && !IsListening(process.port); ++i) usleep(1000);
  return process;
}

GrpcWebReply CallWeb(int port, const std::string& path, const std::string& request) {
  HttpClient client(port);
  const auto reply = client.Call(PostOf(path, FrameOf(request)));
  EXPECT_TRUE(reply.has_value());
  return reply.has_value() ? ReadGrpcWeb(*reply) : GrpcWebReply();
}

std::string Metrics(int port) {
  HttpClient client(port);
  const auto reply = client.Call(GetOf("/metrics"));
  EXPECT_TRUE(reply.has_value());
  return reply.has_value() ? reply->body : "";
}

// The value of a metric with exactly these labels; -1 if there is none.
double MetricIn(const std::string& page, const std::string& name) {
  for (const absl::string_view line : absl::StrSplit(page, '\n')) {
    double value = 0;
    if (absl::StartsWith(line, name + " ") &&
        absl::SimpleAtod(line.substr(name.size() + 1), &value)) {
      return value;
    }
  }
  return -1;
}

void ExpectStops(ServerProcess& server) {
  const absl::Status stopped = server.Stop();
  EXPECT_TRUE(stopped.ok()) << stopped;
}

TEST(ProcessHttp, IsOffByDefault) {
  const auto server = StartServer();
  ASSERT_NE(server, nullptr);
  EXPECT_EQ(PortIn(server->LogTail()), 0);
  ExpectStops(*server);
}

TEST(ProcessHttp, ServesTheSameStore) {
  const auto [server, port] = StartWithHttp();
  ASSERT_NE(server, nullptr);
  EXPECT_EQ(CallWeb(port, kPutArtifacts, PutRequest(10)).code, 0);
  EXPECT_EQ(ArtifactCount(*server), 1);
  ExpectServes(*server);
  const GrpcWebReply all = CallWeb(port, kGetArtifacts, "");
  mlmd::GetArtifactsResponse artifacts;
  ASSERT_EQ(all.messages.size(), 1U);
  ASSERT_TRUE(artifacts.ParseFromString(all.messages[0]));
  EXPECT_EQ(artifacts.artifacts_size(), 2);
  for (const char* page : {"/healthz", "/readyz"}) {
    EXPECT_EQ(HttpClient(port).Call(GetOf(page))->body, "ok\n") << page;
  }
  ExpectStops(*server);
}

TEST(ProcessHttp, CountsCallsOfBothTransports) {
  const auto [server, port] = StartWithHttp();
  ASSERT_NE(server, nullptr);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(CallWeb(port, kPutArtifacts, PutRequest(10)).code, 0);
  ExpectServes(*server);
  EXPECT_EQ(CallWeb(port, kPutArtifacts, "\xff").code, 3);
  const std::string page = Metrics(port);
  const std::string put = "service=\"ml_metadata.MetadataStoreService\",method=\"PutArtifacts\"";
  EXPECT_EQ(MetricIn(page, absl::StrCat("pedigree_calls_total{", put, ",code=\"OK\"}")), 4);
  EXPECT_EQ(
      MetricIn(page, absl::StrCat("pedigree_calls_total{", put, ",code=\"INVALID_ARGUMENT\"}")), 1);
  EXPECT_EQ(MetricIn(page, absl::StrCat("pedigree_call_duration_seconds_count{", put, "}")), 5);
  EXPECT_EQ(
      MetricIn(page, absl::StrCat("pedigree_call_duration_seconds_bucket{", put, ",le=\"+Inf\"}")),
      5);
  EXPECT_GT(MetricIn(page, absl::StrCat("pedigree_call_duration_seconds_sum{", put, "}")), 0);
  EXPECT_EQ(MetricIn(page, "pedigree_calls_under_way"), 0);
  EXPECT_EQ(MetricIn(page, "pedigree_nodes{kind=\"artifact\"}"), 4);
  EXPECT_EQ(MetricIn(page, "pedigree_store_accepts_writes"), 1);
  EXPECT_EQ(MetricIn(page, "pedigree_commit_group_writes_sum"), 4);
  EXPECT_GE(MetricIn(page, "pedigree_log_syncs_total"), 4);
  EXPECT_EQ(MetricIn(page, "pedigree_commit_duration_seconds_count"), 4);
  EXPECT_EQ(MetricIn(page, "pedigree_http_answers_total{status=\"200\"}"), 4);
  EXPECT_GE(MetricIn(page, "pedigree_http_connections"), 1);
  EXPECT_GT(MetricIn(page, "pedigree_memtable_bytes"), 0);
  EXPECT_GT(MetricIn(page, "pedigree_log_file_bytes"), 0);
  EXPECT_EQ(MetricIn(page, "pedigree_backups_total{result=\"ok\"}"), 0);
  EXPECT_EQ(MetricIn(page, "pedigree_backup_running"), 0);
  EXPECT_GT(MetricIn(page, "process_resident_memory_bytes"), 1 << 20);
  EXPECT_GT(MetricIn(page, "process_start_time_seconds"), 1.7e9);
  EXPECT_GT(MetricIn(page, "process_open_fds"), 5);
  EXPECT_TRUE(absl::StrContains(page, "pedigree_build_info{version=\""));
  ExpectStops(*server);
}

// Every line is a comment or a sample, every sample's family has a help and a type, and a counter
// is called so.
TEST(ProcessHttp, MetricsAreWrittenAsPrometheusWantsThem) {
  const auto [server, port] = StartWithHttp();
  ASSERT_NE(server, nullptr);
  ExpectServes(*server);
  std::string family;
  std::string type;
  int samples = 0;
  for (const absl::string_view line : absl::StrSplit(Metrics(port), '\n', absl::SkipEmpty())) {
    const std::vector<std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 3));
    if (words[0] == "#" && words[1] == "HELP") {
      family = words[2];
      EXPECT_FALSE(words[3].empty());
    } else if (words[0] == "#") {
      EXPECT_EQ(words[1], "TYPE");
      EXPECT_EQ(words[2], family);
      type = words[3];
      EXPECT_EQ(absl::EndsWith(family, "_total"), type == "counter") << family;
      EXPECT_TRUE(absl::StartsWith(family, "pedigree_") || absl::StartsWith(family, "process_"));
    } else {
      EXPECT_TRUE(absl::StartsWith(line, family)) << line;
      double value = 0;
      EXPECT_TRUE(absl::SimpleAtod(line.substr(line.rfind(' ') + 1), &value)) << line;
      ++samples;
    }
  }
  EXPECT_GT(samples, 80);
  ExpectStops(*server);
}

// As many files as this process may have open.
size_t RaiseFileLimit() {
  rlimit files = {};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  return files.rlim_cur;
}

TEST(ProcessHttp, TenThousandIdleConnectionsHarmNobody) {
  const size_t count = std::min<size_t>(10'000, RaiseFileLimit() / 2);
  if (count < 10'000) std::cout << "only " << count << " connections: few files may be open\n";
  const auto [server, port] = StartWithHttp();
  ASSERT_NE(server, nullptr);
  const double before = MetricIn(Metrics(port), "process_resident_memory_bytes");
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<HttpClient>(port));
    ASSERT_TRUE(clients.back()->is_connected()) << i;
  }
  ExpectServes(*server);
  const std::string page = Metrics(port);
  EXPECT_GE(MetricIn(page, "pedigree_http_connections"), static_cast<double>(count + 1));
  EXPECT_EQ(MetricIn(page, "pedigree_http_connections_refused_total"), 0);
  const double each =
      (MetricIn(page, "process_resident_memory_bytes") - before) / static_cast<double>(count);
  std::cout << each << " bytes for each idle connection\n";
  EXPECT_LT(each, 4096);
  // They are idle, not dead; and once used they are small again.
  for (size_t i = 0; i < count; i += 100) {
    EXPECT_EQ(clients[i]->Call(GetOf("/healthz"))->status, 200) << i;
  }
  EXPECT_EQ(CallWeb(port, kPutArtifacts, PutRequest(10)).code, 0);
  clients.clear();
  ExpectServes(*server);
  ExpectStops(*server);
}

TEST(ProcessHttp, ClientsThatMisbehaveDoNotHarmThoseOfGrpc) {
  const auto [server, port] = StartWithHttp({"--max_message_bytes=1MiB"});
  ASSERT_NE(server, nullptr);
  std::mt19937 random(RandomSeed());
  std::vector<std::unique_ptr<HttpClient>> open;
  for (int i = 0; i < 100; ++i) {
    auto client = std::make_unique<HttpClient>(port);
    std::string garbage(1 + random() % 5000, '\0');
    for (char& c : garbage) c = static_cast<char>(random());
    switch (i % 4) {
      case 0:
        client->Send(garbage);
        break;
      case 1:  // Half of a call.
        client->Send(PostOf(kPutArtifacts, FrameOf(PutRequest(1000))).substr(0, 700));
        break;
      case 2:  // Too much of one.
        client->Send(PostOf(kPutArtifacts, FrameOf(PutRequest(2 << 20))));
        break;
      case 3:
        client->Send(PostOf(kPutArtifacts, FrameOf(garbage)));
        client->Close(HttpClient::Ending::kReset);
        break;
    }
    open.push_back(std::move(client));
  }
  ExpectServes(*server);
  EXPECT_EQ(CallWeb(port, kPutArtifacts, PutRequest(2 << 20)).code, 8);
  open.clear();
  ExpectServes(*server);
  ExpectStops(*server);
}

TEST(ProcessHttp, AStopKeepsEveryAcknowledgedWriteAndEndsSoon) {
  const auto [server, port] = StartWithHttp();
  ASSERT_NE(server, nullptr);
  HttpClient idle(port);
  EXPECT_EQ(idle.Call(GetOf("/healthz"))->status, 200);
  std::mutex mutex;
  std::vector<int64_t> acknowledged;  // Guarded by mutex.
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, at = port] {
      HttpClient client(at);
      while (true) {
        const auto reply = client.Call(PostOf(kPutArtifacts, FrameOf(PutRequest(10))));
        if (!reply.has_value()) return;
        const GrpcWebReply answer = ReadGrpcWeb(*reply);
        if (answer.code != 0) {
          EXPECT_EQ(answer.code, 14) << answer.message;
          return;
        }
        mlmd::PutArtifactsResponse ids;
        ids.ParseFromString(answer.messages[0]);
        std::lock_guard<std::mutex> lock(mutex);
        acknowledged.push_back(ids.artifact_ids(0));
      }
    });
  }
  for (int i = 0; i < 30'000; ++i) {
    usleep(1000);
    std::lock_guard<std::mutex> lock(mutex);
    if (acknowledged.size() >= 300) break;
  }
  ExpectStops(*server);
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(idle.WaitForEnd());
  EXPECT_GE(acknowledged.size(), 300U);

  ASSERT_TRUE(server->Restart().ok());
  mlmd::GetArtifactsByIDRequest request;
  for (const int64_t id : acknowledged) request.add_artifact_ids(id);
  mlmd::GetArtifactsByIDResponse artifacts;
  RawClient client(server->address());
  ASSERT_TRUE(client.Call("GetArtifactsByID", request, &artifacts).ok());
  EXPECT_EQ(static_cast<size_t>(artifacts.artifacts_size()), acknowledged.size());
  ExpectStops(*server);
}

TEST(ProcessHttp, ListensOnTheLoopbackAddressBesideAUnixSocket) {
  const TempDirectory directory;
  Program program({.path = kPedigreed,
                   .args = {"--listen=unix:" + directory.Below("socket"), "--http_port=0",
                            "--data_dir=" + directory.Below("data")}});
  ASSERT_TRUE(program.WaitForOutput(std::string(kHttpPort))) << program.Output();
  ASSERT_TRUE(program.WaitForOutput("\n"));
  EXPECT_EQ(HttpClient(PortIn(program.Output())).Call(GetOf("/readyz"))->status, 200);
  program.Signal(SIGTERM);
  EXPECT_TRUE(program.WaitForEnd().value().ok()) << program.Output();
}

TEST(ProcessHttp, RefusesAPortThatIsTaken) {
  const auto [server, port] = StartWithHttp();
  ASSERT_NE(server, nullptr);
  const TempDirectory directory;
  ExpectRefuses(Flags(directory.Below("data"), {absl::StrCat("--http_port=", port)}),
                {"cannot listen for HTTP", absl::StrCat(port), "in use"});
  ExpectStops(*server);
}

X509* ReadCertificate(const std::string& pem_text) {
  BIO* pem = BIO_new_mem_buf(pem_text.data(), static_cast<int>(pem_text.size()));
  X509* certificate = PEM_read_bio_X509(pem, nullptr, nullptr, nullptr);
  BIO_free(pem);
  return certificate;
}

void Present(const Identity& client, SSL_CTX* context) {
  X509* certificate = ReadCertificate(client.certificate);
  SSL_CTX_use_certificate(context, certificate);
  X509_free(certificate);
  BIO* pem = BIO_new_mem_buf(client.key.data(), static_cast<int>(client.key.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(pem, nullptr, nullptr, nullptr);
  BIO_free(pem);
  SSL_CTX_use_PrivateKey(context, key);
  EVP_PKEY_free(key);
}

// The answer to a request over TLS, "" if the server cannot be trusted with these roots. `client`
// may be null.
std::string CallOverTls(int port, const std::string& request, const std::string& roots,
                        const Identity* client = nullptr) {
  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_client_method()),
                                                             SSL_CTX_free);
  X509* root = ReadCertificate(roots);
  if (client != nullptr) Present(*client, context.get());
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), root);
  X509_free(root);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  const std::unique_ptr<BIO, void (*)(BIO*)> bio(BIO_new_ssl_connect(context.get()), BIO_free_all);
  BIO_set_conn_hostname(bio.get(), absl::StrCat("127.0.0.1:", port).c_str());
  if (BIO_do_connect(bio.get()) <= 0) return "";
  BIO_write(bio.get(), request.data(), static_cast<int>(request.size()));
  std::string answer;
  char bytes[4096];
  for (int got = 0; (got = BIO_read(bio.get(), bytes, sizeof(bytes))) > 0;) {
    answer.append(bytes, static_cast<size_t>(got));
    if (absl::EndsWith(answer, "\r\n\r\nok\n")) break;
  }
  return answer;
}

std::string GetOverTls(int port, const std::string& path, const std::string& roots) {
  return CallOverTls(port, GetOf(path, "Connection: close\r\n"), roots);
}

TEST(ProcessHttp, SpeaksTlsWhereGrpcDoes) {
  const TempDirectory directory;
  const Identity identity = MakeIdentity("pedigree.test");
  WriteFile(directory.Below("config.pbtxt"), SslConfig(identity));
  Program program({.path = kPedigreed,
                   .args = Flags(directory.Below("data"),
                                 {"--http_port=0", "--metadata_store_server_config_file=" +
                                                       directory.Below("config.pbtxt")})});
  ASSERT_TRUE(program.WaitForOutput(std::string(kHttpPort))) << program.Output();
  const int port = PortIn(program.Output());
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(absl::EndsWith(GetOverTls(port, "/healthz", identity.certificate), "\r\n\r\nok\n"));
  }
  EXPECT_EQ(GetOverTls(port, "/healthz", MakeIdentity("pedigree.test").certificate), "");
  // Plain text, and those who connect and say nothing, keep nobody.
  HttpClient plain(port);
  EXPECT_FALSE(plain.Call(GetOf("/healthz")).has_value());
  HttpClient silent(port);
  EXPECT_TRUE(absl::EndsWith(GetOverTls(port, "/readyz", identity.certificate), "\r\n\r\nok\n"));
  program.Signal(SIGTERM);
  EXPECT_TRUE(program.WaitForEnd().value().ok()) << program.Output();
}

TEST(ProcessHttp, LeavesInTheJournalWhomTlsHasProved) {
  const TempDirectory directory;
  const Identity identity = MakeIdentity("pedigree.test");
  const Identity client = MakeIdentity("bob");
  WriteFile(
      directory.Below("config.pbtxt"),
      absl::StrCat("ssl_config { server_key: \"", absl::CEscape(identity.key), "\" server_cert: \"",
                   absl::CEscape(identity.certificate), "\" custom_ca: \"",
                   absl::CEscape(client.certificate), "\" client_verify: true }"));
  Program program({.path = kPedigreed,
                   .args = Flags(directory.Below("data"),
                                 {"--http_port=0", "--metadata_store_server_config_file=" +
                                                       directory.Below("config.pbtxt")})});
  ASSERT_TRUE(program.WaitForOutput(std::string(kHttpPort))) << program.Output();
  const std::string request =
      PostOf(kPutArtifacts, FrameOf(PutRequest(3)), "Connection: close\r\n");
  const int port = PortIn(program.Output());
  const std::string answer = CallOverTls(port, request, identity.certificate, &client);
  EXPECT_TRUE(absl::StrContains(answer, "grpc-status:0")) << answer;
  program.Signal(SIGTERM);
  EXPECT_TRUE(program.WaitForEnd().value().ok()) << program.Output();

  StoreOptions options;
  options.data_dir = directory.Below("data");
  auto store = Store::Open(options);
  ASSERT_TRUE(store.ok()) << store.status();
  std::vector<std::string> who;
  const absl::Status read = (*store)->Read(Blocking::kAllowed, [&](const Reader& reader) {
    return reader.VisitJournal(1, Direction::kAscending, [&](const JournalEntry& entry) {
      who.emplace_back(entry.tls_identity);
      return true;
    });
  });
  EXPECT_TRUE(read.ok()) << read;
  EXPECT_EQ(who, std::vector<std::string>{"bob"});
}

}  // namespace
}  // namespace pedigree::testing
