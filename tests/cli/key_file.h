// Ed25519 keys in PEM files. Threads: any.
//
//   const SigningKey key = NewKey(path);
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstdio>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "cli/export/dsse.h"
#include "cli/export/sha256.h"
#include "tests/store/status_testing.h"

namespace pedigree::cli {

// `seed`: 64 hexadecimal digits.
inline void WriteKey(const std::string& seed, const std::string& path) {
  const std::string bytes = absl::HexStringToBytes(seed);
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   bytes.size()),
      &EVP_PKEY_free);
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "w"), &std::fclose);
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(PEM_write_PrivateKey(file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr), 1);
}

// A key that follows from the path.
inline SigningKey NewKey(const std::string& path) {
  const std::string seed = Sha256Hex(path);
  WriteKey(seed, path);
  auto key = SigningKey::Load(path);
  EXPECT_TRUE(IsOk(key));
  return *std::move(key);
}

}  // namespace pedigree::cli
