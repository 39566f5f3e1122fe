#include "store/sha256.h"

#include <openssl/evp.h>

#include <cstdio>
#include <cstdlib>

namespace pedigree {
namespace {

// What OpenSSL refuses here it refuses for want of memory, or because it has no SHA-256 at all.
void Require(bool ok) {
  if (ok) return;
  std::fputs("pedigree: OpenSSL cannot compute a SHA-256\n", stderr);
  std::abort();
}

// A context that knows its algorithm, for one thread.
class Context {
 public:
  Context() : context_(EVP_MD_CTX_new()) {
    Require(context_ != nullptr && EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1);
  }
  ~Context() { EVP_MD_CTX_free(context_); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  Sha256Digest Of(absl::string_view bytes) {
    Sha256Digest digest;
    Require(EVP_DigestInit_ex(context_, nullptr, nullptr) == 1 &&
            EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1 &&
            EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(digest.data()),
                               nullptr) == 1);
    return digest;
  }

 private:
  EVP_MD_CTX* context_;
};

}  // namespace

Sha256Digest Sha256(absl::string_view bytes) {
  thread_local Context context;
  return context.Of(bytes);
}

}  // namespace pedigree
