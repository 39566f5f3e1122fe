// Signs bytes with Ed25519, in DSSE envelopes (secure-systems-lab/dsse, protocol v1).
//
// A signature is over the pre-authentication encoding (PAE) of the payload's type and the payload:
//   "DSSEv1" SP len(type) SP type SP len(payload) SP payload
// The key's id is the SHA-256 of its public key (the 32 bytes), hexadecimal. Ed25519 has no
// randomness: the same payload and key make the same envelope. Values; any thread.
//
//   auto key = SigningKey::Load("ed25519.pem");
//   std::string json = SignedEnvelope("application/vnd.in-toto+json", statement, *key);
//   auto payload = OpenEnvelope(json, "application/vnd.in-toto+json", public_key);
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct evp_pkey_st;  // EVP_PKEY

namespace pedigree::cli {

class PublicKey {
 public:
  // A PEM file of a public key, or of a private key with its public one.
  // Errors: InvalidArgument if it holds no Ed25519 key; as FileError (store/durable_file.h).
  static absl::StatusOr<PublicKey> Load(const std::string& path);

  const std::string& id() const { return id_; }
  // Whether the signature (64 bytes) is that of the bytes.
  bool Verify(absl::string_view bytes, absl::string_view signature) const;

 private:
  friend class SigningKey;
  explicit PublicKey(std::shared_ptr<evp_pkey_st> key);

  std::shared_ptr<evp_pkey_st> key_;
  std::string id_;
};

class SigningKey {
 public:
  // A PEM file of a private Ed25519 key without a passphrase, e.g. by
  // `openssl genpkey -algorithm ed25519`. Errors as PublicKey::Load().
  static absl::StatusOr<SigningKey> Load(const std::string& path);

  const PublicKey& public_key() const { return public_key_; }
  // The signature, 64 bytes.
  std::string Sign(absl::string_view bytes) const;

 private:
  explicit SigningKey(std::shared_ptr<evp_pkey_st> key) : public_key_(std::move(key)) {}

  PublicKey public_key_;
};

// The pre-authentication encoding.
std::string DssePae(absl::string_view payload_type, absl::string_view payload);

// An envelope as JSON on one line, ended by a newline, with one signature.
std::string SignedEnvelope(absl::string_view payload_type, absl::string_view payload,
                           const SigningKey& key);

// The payload of an envelope that has a signature by this key.
// Errors: InvalidArgument if the bytes are no envelope, or of another type; PermissionDenied if no
// signature is by this key.
absl::StatusOr<std::string> OpenEnvelope(absl::string_view envelope, absl::string_view payload_type,
                                         const PublicKey& key);

}  // namespace pedigree::cli
