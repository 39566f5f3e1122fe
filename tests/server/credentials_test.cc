#include "server/credentials.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace pedigree {
namespace {

// Certificates are made at test time, so that none can expire in the repository.
class Identity {
 public:
  // A certificate of `name` for a new key, signed by `issuer`, or by itself if that is null.
  static Identity Make(const std::string& name, const Identity* issuer,
                       EVP_PKEY* key = EVP_EC_gen("P-256")) {
    Identity identity;
    identity.key_.reset(key, EVP_PKEY_free);
    identity.certificate_.reset(X509_new(), X509_free);
    identity.Fill(name, issuer == nullptr ? identity : *issuer);
    return identity;
  }

  std::string KeyPem() const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return Drain(bio);
  }

  std::string EncryptedKeyPem() const {
    BIO* bio = BIO_new(BIO_s_mem());
    char passphrase[] = "secret";
    PEM_write_bio_PrivateKey(bio, key_.get(), EVP_aes_256_cbc(), nullptr, 0, nullptr, passphrase);
    return Drain(bio);
  }

  std::string CertificatePem() const {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate_.get());
    return Drain(bio);
  }

 private:
  static std::string Drain(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    const std::string text(data, static_cast<size_t>(size));
    BIO_free(bio);
    return text;
  }

  void Fill(const std::string& name, const Identity& issuer) {
    X509* x509 = certificate_.get();
    X509_set_version(x509, X509_VERSION_3);
    static int serial = 0;
    ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, key_.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(issuer.certificate_.get()));
    AddExtension(NID_basic_constraints, &issuer == this ? "critical,CA:TRUE" : "CA:FALSE");
    AddExtension(NID_subject_alt_name, absl::StrCat("DNS:", name));
    X509_sign(x509, issuer.key_.get(), EVP_sha256());
  }

  void AddExtension(int id, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value.c_str());
    X509_add_ext(certificate_.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }

  std::shared_ptr<EVP_PKEY> key_;
  std::shared_ptr<X509> certificate_;
};

struct Authority {
  explicit Authority(const std::string& name = "authority")
      : self(Identity::Make(name, nullptr)),
        server(Identity::Make("localhost", &self)),
        client(Identity::Make("client", &self)) {}

  Identity self;
  Identity server;
  Identity client;

  SslOptions ServerOptions() const { return {server.KeyPem(), server.CertificatePem(), "", false}; }

  SslOptions VerifyingServerOptions() const {
    return {server.KeyPem(), server.CertificatePem(), self.CertificatePem(), true};
  }
};

void ExpectRefusal(const SslOptions& ssl, const std::string& why) {
  const auto credentials = MakeServerCredentials(ssl);
  const std::string message(credentials.status().message());
  // What OpenSSL leaves in its queue would be read as an error of gRPC's own TLS code.
  EXPECT_EQ(ERR_peek_error(), 0U);
  EXPECT_TRUE(absl::IsInvalidArgument(credentials.status())) << credentials.status();
  EXPECT_FALSE(absl::StrContains(message, "\n")) << message;
  EXPECT_TRUE(absl::StrContains(message, why)) << message;
}

// A server without methods on a free port of the loopback interface.
class Listener {
 public:
  explicit Listener(const std::optional<SslOptions>& ssl) {
    auto credentials = MakeServerCredentials(ssl);
    EXPECT_TRUE(credentials.ok()) << credentials.status();
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", *credentials, &port_);
    builder.RegisterAsyncGenericService(&service_);
    queue_ = builder.AddCompletionQueue();
    server_ = builder.BuildAndStart();
    EXPECT_NE(server_, nullptr);
    EXPECT_NE(port_, 0);
  }

  ~Listener() {
    server_->Shutdown(std::chrono::system_clock::now());
    queue_->Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_->Next(&tag, &ok)) {
    }
  }

  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Whether a client with these credentials gets a connection.
  bool Admits(const std::shared_ptr<grpc::ChannelCredentials>& credentials) const {
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride("localhost");
    // Channels with equal arguments would share a connection.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto channel =
        grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", port_), credentials, arguments);
    const auto start = std::chrono::system_clock::now();
    auto state = channel->GetState(/*try_to_connect=*/true);
    while (state != GRPC_CHANNEL_READY && state != GRPC_CHANNEL_TRANSIENT_FAILURE) {
      if (!channel->WaitForStateChange(state, start + std::chrono::seconds(20))) return false;
      state = channel->GetState(/*try_to_connect=*/true);
    }
    return state == GRPC_CHANNEL_READY;
  }

 private:
  grpc::AsyncGenericService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

std::shared_ptr<grpc::ChannelCredentials> Trusting(const Identity& authority) {
  return grpc::SslCredentials({authority.CertificatePem(), "", ""});
}

std::shared_ptr<grpc::ChannelCredentials> Presenting(const Identity& client,
                                                     const Identity& authority) {
  return grpc::SslCredentials(
      {authority.CertificatePem(), client.KeyPem(), client.CertificatePem()});
}

TEST(Credentials, PlainTextWithoutSslOptions) {
  const Authority authority;
  const Listener listener(std::nullopt);
  EXPECT_TRUE(listener.Admits(grpc::InsecureChannelCredentials()));
  EXPECT_FALSE(listener.Admits(Trusting(authority.self)));
}

TEST(Credentials, TlsAdmitsWhoTrustsTheServer) {
  const Authority authority;
  const Listener listener(authority.ServerOptions());
  EXPECT_TRUE(listener.Admits(Trusting(authority.self)));
  EXPECT_FALSE(listener.Admits(Trusting(Authority("stranger").self)));
  EXPECT_FALSE(listener.Admits(grpc::InsecureChannelCredentials()));
}

TEST(Credentials, CustomCaAloneAsksForNoClientCertificate) {
  const Authority authority;
  SslOptions ssl = authority.VerifyingServerOptions();
  ssl.client_verify = false;
  const Listener listener(ssl);
  EXPECT_TRUE(listener.Admits(Trusting(authority.self)));
}

TEST(Credentials, ClientVerifyAdmitsOnlyCertificatesOfCustomCa) {
  const Authority authority;
  const Authority stranger("stranger");
  const Listener listener(authority.VerifyingServerOptions());
  EXPECT_TRUE(listener.Admits(Presenting(authority.client, authority.self)));
  EXPECT_FALSE(listener.Admits(Trusting(authority.self)));
  EXPECT_FALSE(listener.Admits(Presenting(stranger.client, authority.self)));
}

TEST(Credentials, CustomCaMayHoldSeveralAuthorities) {
  const Authority authority;
  const Authority other("other authority");
  SslOptions ssl = authority.VerifyingServerOptions();
  ssl.custom_ca = absl::StrCat("# first\n", other.self.CertificatePem(), "\n# second\n",
                               authority.self.CertificatePem());
  const Listener listener(ssl);
  EXPECT_TRUE(listener.Admits(Presenting(authority.client, authority.self)));
  EXPECT_TRUE(listener.Admits(Presenting(other.client, authority.self)));
}

TEST(Credentials, ServerCertMayHoldItsChain) {
  const Authority authority;
  SslOptions ssl = authority.ServerOptions();
  ssl.server_cert += authority.self.CertificatePem();
  const Listener listener(ssl);
  EXPECT_TRUE(listener.Admits(Trusting(authority.self)));
}

TEST(Credentials, RsaKeysWork) {
  const Identity server = Identity::Make("localhost", nullptr, EVP_RSA_gen(2048));
  const Listener listener(SslOptions{server.KeyPem(), server.CertificatePem(), "", false});
  EXPECT_TRUE(listener.Admits(Trusting(server)));
}

TEST(Credentials, RefuseMissingParts) {
  const Authority authority;
  ExpectRefusal({}, "ssl_config.server_key: is missing");
  SslOptions no_certificate = authority.ServerOptions();
  no_certificate.server_cert = "";
  ExpectRefusal(no_certificate, "ssl_config.server_cert: is missing");
  SslOptions no_authority = authority.VerifyingServerOptions();
  no_authority.custom_ca = "";
  ExpectRefusal(no_authority, "ssl_config.custom_ca: is missing; client_verify");
}

TEST(Credentials, RefuseWhatIsNoPem) {
  const Authority authority;
  SslOptions key_file = authority.ServerOptions();
  key_file.server_key = "/etc/tls/tls.key";
  ExpectRefusal(key_file, "ssl_config.server_key: is not a private key in PEM");
  SslOptions certificate_file = authority.ServerOptions();
  certificate_file.server_cert = "/etc/tls/tls.crt";
  ExpectRefusal(certificate_file, "ssl_config.server_cert: holds no PEM certificate");
  SslOptions authority_file = authority.ServerOptions();
  authority_file.custom_ca = "/etc/tls/ca.crt";
  ExpectRefusal(authority_file, "ssl_config.custom_ca: holds no PEM certificate");
}

TEST(Credentials, RefuseSwappedParts) {
  const Authority authority;
  SslOptions ssl = authority.ServerOptions();
  std::swap(ssl.server_key, ssl.server_cert);
  ExpectRefusal(ssl, "ssl_config.server_key: is not a private key in PEM");
}

TEST(Credentials, RefuseDamagedPem) {
  const Authority authority;
  SslOptions key = authority.ServerOptions();
  key.server_key.resize(key.server_key.size() / 2);
  ExpectRefusal(key, "ssl_config.server_key: is not a private key in PEM");
  SslOptions certificate = authority.ServerOptions();
  certificate.server_cert.resize(certificate.server_cert.size() / 2);
  ExpectRefusal(certificate, "ssl_config.server_cert: certificate 1 in it is damaged");
  SslOptions chain = authority.ServerOptions();
  chain.server_cert += authority.self.CertificatePem().substr(0, 200);
  ExpectRefusal(chain, "ssl_config.server_cert: certificate 2 in it is damaged");
}

TEST(Credentials, RefuseAnEncryptedKeyWithoutAsking) {
  const Authority authority;
  SslOptions ssl = authority.ServerOptions();
  ssl.server_key = authority.server.EncryptedKeyPem();
  ExpectRefusal(ssl, "without a passphrase");
}

TEST(Credentials, RefuseAKeyOfAnotherCertificate) {
  const Authority authority;
  SslOptions ssl = authority.ServerOptions();
  ssl.server_key = authority.client.KeyPem();
  ExpectRefusal(ssl, "does not belong to ssl_config.server_key");
}

TEST(Credentials, RefuseAKeyThatIsTooWeak) {
  const Identity server = Identity::Make("localhost", nullptr, EVP_RSA_gen(1024));
  ExpectRefusal({server.KeyPem(), server.CertificatePem(), "", false},
                "OpenSSL refuses it: ee key too small");
}

}  // namespace
}  // namespace pedigree
