// The real program: TLS by a configuration file.
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/server/bytes_client.h"
#include "tests/server/identity.h"
#include "tests/server/refused_start.h"
#include "tests/support/loopback_port.h"

namespace pedigree::testing {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<grpc::Channel> TlsChannel(const std::string& address, const std::string& roots) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = roots;
  grpc::ChannelArguments arguments;
  arguments.SetSslTargetNameOverride("pedigree.test");
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::SslCredentials(options), arguments);
}

TEST(Tls, OfAConfigurationFileIsWhatTheServerSpeaks) {
  const TempDirectory directory;
  const Identity identity = MakeIdentity("pedigree.test");
  WriteFile(directory.Below("config.pbtxt"), SslConfig(identity));
  const auto port = FreeLoopbackPort();
  ASSERT_TRUE(port.ok());
  const std::string address = absl::StrCat("127.0.0.1:", *port);
  Program program({.path = kPedigreed,
                   .args = Flags(directory.Below("data"), {absl::StrCat("--grpc_port=", *port),
                                                           "--metadata_store_server_config_file=" +
                                                               directory.Below("config.pbtxt")})});
  ASSERT_TRUE(program.WaitForOutput(" serves ")) << program.Output();
  constexpr char kGetArtifacts[] = "/ml_metadata.MetadataStoreService/GetArtifacts";
  BytesClient trusting(TlsChannel(address, identity.certificate));
  const auto reply = trusting.Call(kGetArtifacts, "");
  EXPECT_TRUE(reply.status.ok()) << reply.status.error_message();

  BytesClient wary(TlsChannel(address, MakeIdentity("pedigree.test").certificate));
  EXPECT_EQ(wary.Call(kGetArtifacts, "").status.error_code(), grpc::StatusCode::UNAVAILABLE);
  BytesClient plain(NewChannel(address));
  EXPECT_EQ(plain.Call(kGetArtifacts, "").status.error_code(), grpc::StatusCode::UNAVAILABLE);

  EXPECT_FALSE(absl::StrContains(program.Output(), "PRIVATE KEY"));
  program.Signal(SIGTERM);
  EXPECT_TRUE(program.WaitForEnd().value().ok()) << program.Output();
}

TEST(Tls, ThatCannotWorkIsRefusedBeforeTheStoreIsMade) {
  const TempDirectory directory;
  const std::string config = directory.Below("config.pbtxt");
  const auto refuses = [&](const std::string& text, const std::string& part) {
    WriteFile(config, text);
    ExpectRefusesInOneLine(
        Flags(directory.Below("data"), {"--metadata_store_server_config_file=" + config}), {part});
    EXPECT_FALSE(fs::exists(directory.Below("data")));
  };
  Identity identity = MakeIdentity("a");
  refuses("ssl_config { }", "ssl_config.server_key");
  identity.key = MakeIdentity("b").key;
  refuses(SslConfig(identity), "does not belong");
  refuses("ssl_config {", config);
}

}  // namespace
}  // namespace pedigree::testing
