// The real program: TLS by a configuration file.
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <signal.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/server/bytes_client.h"
#include "tests/server/refused_start.h"
#include "tests/support/loopback_port.h"

namespace pedigree::testing {
namespace {

namespace fs = std::filesystem;

// A key and a certificate for it that it signed itself, good for an hour.
struct Identity {
  std::string key;
  std::string certificate;
};

std::string Drain(BIO* bio) {
  char* data = nullptr;
  const auto size = static_cast<size_t>(BIO_get_mem_data(bio, &data));
  std::string text(data, size);
  BIO_free(bio);
  return text;
}

Identity MakeIdentity(const char* name) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* x509 = X509_new();
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
  X509_set_pubkey(x509, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(x509, X509_get_subject_name(x509));
  X509_sign(x509, key, EVP_sha256());
  Identity identity;
  BIO* key_bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(key_bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  identity.key = Drain(key_bio);
  BIO* certificate_bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(certificate_bio, x509);
  identity.certificate = Drain(certificate_bio);
  X509_free(x509);
  EVP_PKEY_free(key);
  return identity;
}

std::string SslConfig(const Identity& identity) {
  return absl::StrCat("ssl_config { server_key: \"", absl::CEscape(identity.key),
                      "\" server_cert: \"", absl::CEscape(identity.certificate), "\" }");
}

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
