#include "server/credentials.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace pedigree {
namespace {

// One deleter for the OpenSSL types in use here.
struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

absl::Status Refuse(absl::string_view field, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("ssl_config.", field, ": ", why));
}

// The newest entry of OpenSSL's error queue in words, such as "ee key too small".
std::string OpenSslReason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason == nullptr ? "unknown reason" : reason;
}

// Answers "no passphrase": OpenSSL would otherwise ask for one on the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

Owned<BIO> ReadFrom(const std::string& pem) {
  return Owned<BIO>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

absl::Status CheckPresent(absl::string_view field, const std::string& pem) {
  if (pem.empty()) return Refuse(field, "is missing; give the PEM text itself, not a file name");
  // OpenSSL counts in int.
  if (pem.size() > std::numeric_limits<int>::max()) return Refuse(field, "is too long");
  return absl::OkStatus();
}

absl::StatusOr<Owned<EVP_PKEY>> ParseKey(absl::string_view field, const std::string& pem) {
  if (absl::Status status = CheckPresent(field, pem); !status.ok()) return status;
  Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(ReadFrom(pem).get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr) {
    return Refuse(field, "is not a private key in PEM without a passphrase");
  }
  return key;
}

// Every certificate in `pem`, at least one.
absl::StatusOr<std::vector<Owned<X509>>> ParseCertificates(absl::string_view field,
                                                           const std::string& pem) {
  if (absl::Status status = CheckPresent(field, pem); !status.ok()) return status;
  const Owned<BIO> input = ReadFrom(pem);
  std::vector<Owned<X509>> certificates;
  ERR_clear_error();
  while (X509* next = PEM_read_bio_X509(input.get(), nullptr, NoPassphrase, nullptr)) {
    certificates.emplace_back(next);
  }
  // "No start line" is how OpenSSL says that nothing more follows; all else is a damaged block.
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
    return Refuse(field, absl::StrCat("certificate ", certificates.size() + 1,
                                      " in it is damaged: ", OpenSslReason()));
  }
  if (certificates.empty()) return Refuse(field, "holds no PEM certificate");
  return certificates;
}

// Tries key and certificate in a context like the one that gRPC will make, which also applies
// OpenSSL's security level.
absl::Status CheckServerPair(const SslOptions& ssl) {
  absl::StatusOr<Owned<EVP_PKEY>> key = ParseKey("server_key", ssl.server_key);
  if (!key.ok()) return key.status();
  absl::StatusOr<std::vector<Owned<X509>>> chain =
      ParseCertificates("server_cert", ssl.server_cert);
  if (!chain.ok()) return chain.status();
  X509* certificate = chain->front().get();
  if (X509_check_private_key(certificate, key->get()) != 1) {
    return Refuse("server_cert", "its first certificate does not belong to ssl_config.server_key");
  }
  const Owned<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) {
    return absl::InternalError(absl::StrCat("OpenSSL gives no TLS context: ", OpenSslReason()));
  }
  if (SSL_CTX_use_certificate(context.get(), certificate) != 1) {
    return Refuse("server_cert", absl::StrCat("OpenSSL refuses it: ", OpenSslReason()));
  }
  if (SSL_CTX_use_PrivateKey(context.get(), key->get()) != 1) {
    return Refuse("server_key", absl::StrCat("OpenSSL refuses it: ", OpenSslReason()));
  }
  return absl::OkStatus();
}

absl::Status CheckAuthorities(const SslOptions& ssl) {
  if (ssl.custom_ca.empty()) {
    if (!ssl.client_verify) return absl::OkStatus();
    return Refuse("custom_ca", "is missing; client_verify checks client certificates against it");
  }
  return ParseCertificates("custom_ca", ssl.custom_ca).status();
}

absl::Status CheckSslOptions(const SslOptions& ssl) {
  absl::Status status = CheckServerPair(ssl);
  if (status.ok()) status = CheckAuthorities(ssl);
  // The queue is per thread, and gRPC's own TLS code on this thread would read what is left in it.
  ERR_clear_error();
  return status;
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const std::optional<SslOptions>& ssl) {
  if (!ssl.has_value()) return grpc::InsecureServerCredentials();
  if (absl::Status status = CheckSslOptions(*ssl); !status.ok()) return status;
  grpc::SslServerCredentialsOptions options(
      ssl->client_verify ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                         : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  options.pem_root_certs = ssl->custom_ca;
  options.pem_key_cert_pairs.push_back({ssl->server_key, ssl->server_cert});
  return grpc::SslServerCredentials(options);
}

}  // namespace pedigree
