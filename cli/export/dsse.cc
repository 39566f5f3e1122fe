#include "cli/export/dsse.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "cli/export/sha256.h"
#include "cli/input_file.h"
#include "store/text.h"

namespace pedigree::cli {
namespace {

constexpr size_t kKeyBytes = 32;
constexpr size_t kSignatureBytes = 64;

using Key = std::shared_ptr<EVP_PKEY>;
using PemReader = EVP_PKEY* (*)(FILE*, EVP_PKEY**, pem_password_cb*, void*);

// Asking for a passphrase would stop a job for ever.
int NoPassphrase(char*, int, int, void*) { return -1; }

absl::StatusOr<Key> ReadKey(const std::string& path, absl::string_view what, PemReader read) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (file == nullptr) return InputFileError(errno, "read the key", path);
  const Key key(read(file.get(), nullptr, &NoPassphrase, nullptr), &EVP_PKEY_free);
  if (key == nullptr || EVP_PKEY_id(key.get()) != EVP_PKEY_ED25519) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(path), " holds no ", what,
                     " of Ed25519 as PEM without a passphrase: make one by `openssl genpkey "
                     "-algorithm ed25519 -out key.pem`"));
  }
  return key;
}

// Empty if the text is not base64.
std::string FromBase64(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  std::string bytes;
  if (found == object.end() || !found->is_string()) return "";
  if (!absl::Base64Unescape(found->get_ref<const std::string&>(), &bytes)) return "";
  return bytes;
}

}  // namespace

PublicKey::PublicKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {
  std::string bytes(kKeyBytes, '\0');
  size_t size = bytes.size();
  EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(bytes.data()), &size);
  id_ = Sha256Hex(bytes);
}

absl::StatusOr<PublicKey> PublicKey::Load(const std::string& path) {
  auto key = ReadKey(path, "public key", &PEM_read_PUBKEY);
  if (absl::IsInvalidArgument(key.status())) {
    auto pair = ReadKey(path, "public key", &PEM_read_PrivateKey);
    if (pair.ok()) key = std::move(pair);
  }
  if (!key.ok()) return key.status();
  return PublicKey(*std::move(key));
}

bool PublicKey::Verify(absl::string_view bytes, absl::string_view signature) const {
  if (signature.size() != kSignatureBytes) return false;
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   &EVP_MD_CTX_free);
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                          signature.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                          bytes.size()) == 1;
}

absl::StatusOr<SigningKey> SigningKey::Load(const std::string& path) {
  auto key = ReadKey(path, "private key", &PEM_read_PrivateKey);
  if (!key.ok()) return key.status();
  return SigningKey(*std::move(key));
}

std::string SigningKey::Sign(absl::string_view bytes) const {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   &EVP_MD_CTX_free);
  std::string signature(kSignatureBytes, '\0');
  size_t size = signature.size();
  EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, public_key_.key_.get());
  EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                 reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  return signature;
}

std::string DssePae(absl::string_view payload_type, absl::string_view payload) {
  return absl::StrCat("DSSEv1 ", payload_type.size(), " ", payload_type, " ", payload.size(), " ",
                      payload);
}

std::string SignedEnvelope(absl::string_view payload_type, absl::string_view payload,
                           const SigningKey& key) {
  const std::string signature = key.Sign(DssePae(payload_type, payload));
  nlohmann::ordered_json envelope;
  envelope["payloadType"] = std::string(payload_type);
  envelope["payload"] = absl::Base64Escape(payload);
  envelope["signatures"] = nlohmann::ordered_json::array();
  envelope["signatures"].push_back(
      {{"keyid", key.public_key().id()}, {"sig", absl::Base64Escape(signature)}});
  return envelope.dump() + "\n";
}

absl::StatusOr<std::string> OpenEnvelope(absl::string_view envelope, absl::string_view payload_type,
                                         const PublicKey& key) {
  const auto json = nlohmann::json::parse(envelope.begin(), envelope.end(), nullptr,
                                          /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("payloadType") || !json["payloadType"].is_string() ||
      !json.contains("signatures") || !json["signatures"].is_array()) {
    return absl::InvalidArgumentError("the bytes are no DSSE envelope");
  }
  if (json["payloadType"].get_ref<const std::string&>() != payload_type) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the envelope holds ", Quoted(json["payloadType"].get_ref<const std::string&>()), ", not ",
        Quoted(payload_type)));
  }
  std::string payload = FromBase64(json, "payload");
  const std::string signed_bytes = DssePae(payload_type, payload);
  for (const auto& signature : json["signatures"]) {
    // The key's id is a hint that nobody signs: every signature is tried.
    if (!signature.is_object()) continue;
    if (key.Verify(signed_bytes, FromBase64(signature, "sig"))) return payload;
  }
  return absl::PermissionDeniedError(
      absl::StrCat("no signature of the envelope is by the key ", key.id()));
}

}  // namespace pedigree::cli
