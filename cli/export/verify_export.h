// Checks an export against its manifest, and the manifest against its signature.
//
// One bit that is another in any of the files is found: the files by their digests, the manifest by
// its own, the envelope by its signature, which stands in the one form that this program writes.
// Without a key a forged export passes; whom it is by, only the signature shows.
// Pure functions over files; any thread.
//
//   auto result = VerifyExport("dir", &public_key);
//   if (result.ok() && result->problems.empty()) ...
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/export/dsse.h"

namespace pedigree::cli {

struct VerifiedExport {
  std::string format;
  std::map<std::string, int64_t> counts;
  int64_t bytes = 0;
  size_t files = 0;
  bool is_signed = false;  // By the key that was given.
  std::vector<std::string> problems;
};

// `to` is what --to of the export was; `key` may be null.
// Errors: NotFound if no manifest is there; as FileError. Everything else is a problem.
absl::StatusOr<VerifiedExport> VerifyExport(const std::string& to, const PublicKey* key);

}  // namespace pedigree::cli
