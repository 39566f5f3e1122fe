// Keys and certificates that a test makes for itself, and the configuration that names them.
//
// Threading: free functions without state.
//
// Example:
//   const Identity identity = MakeIdentity("pedigree.test");
//   WriteFile(directory.Below("config.pbtxt"), SslConfig(identity));
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace pedigree::testing {

// A key and a certificate for it that it signed itself, good for an hour.
struct Identity {
  std::string key;
  std::string certificate;
};

inline std::string Drain(BIO* bio) {
  char* data = nullptr;
  const auto size = static_cast<size_t>(BIO_get_mem_data(bio, &data));
  std::string text(data, size);
  BIO_free(bio);
  return text;
}

inline Identity MakeIdentity(const char* name) {
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

inline std::string SslConfig(const Identity& identity) {
  return absl::StrCat("ssl_config { server_key: \"", absl::CEscape(identity.key),
                      "\" server_cert: \"", absl::CEscape(identity.certificate), "\" }");
}

}  // namespace pedigree::testing
