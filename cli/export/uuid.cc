#include "cli/export/uuid.h"

#include <openssl/evp.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace pedigree::cli {

std::string UuidV5(const UuidBytes& name_space, absl::string_view name) {
  std::string input(name_space.begin(), name_space.end());
  input.append(name.data(), name.size());
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest = {};
  EVP_Digest(input.data(), input.size(), digest.data(), nullptr, EVP_sha1(), nullptr);
  digest[6] = static_cast<unsigned char>((digest[6] & 0x0F) | 0x50);  // Version 5.
  digest[8] = static_cast<unsigned char>((digest[8] & 0x3F) | 0x80);  // The variant of the RFC.
  const std::string hex =
      absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest.data()), 16));
  const absl::string_view all = hex;
  return absl::StrCat(all.substr(0, 8), "-", all.substr(8, 4), "-", all.substr(12, 4), "-",
                      all.substr(16, 4), "-", all.substr(20));
}

}  // namespace pedigree::cli
