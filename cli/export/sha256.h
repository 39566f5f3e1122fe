// SHA-256 of bytes that come in pieces.
//
// Threads: one.
//
//   Sha256Stream digest;
//   digest.Add(bytes);
//   std::string hex = digest.Hex();   // of what has been added so far
#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

struct evp_md_ctx_st;

namespace pedigree::cli {

class Sha256Stream {
 public:
  Sha256Stream();

  void Add(absl::string_view bytes);
  // 64 hexadecimal digits. More may be added afterwards.
  std::string Hex() const;

 private:
  std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> context_;
};

std::string Sha256Hex(absl::string_view bytes);

}  // namespace pedigree::cli
