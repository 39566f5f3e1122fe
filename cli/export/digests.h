// The digests that an artifact carries: of its content, as far as the store was told.
//
// Pure functions: any thread.
//
//   Digests digests = DigestsOf(artifact);   // digests.by_algorithm["sha256"] == "9f86d0..."
#pragma once

#include <map>
#include <string>

#include "ml_metadata/proto/metadata_store.pb.h"

namespace pedigree::cli {

struct Digests {
  // By in-toto's names of algorithms (sha256, sha384, sha512, sha1, md5); lower case hexadecimal.
  std::map<std::string, std::string> by_algorithm;
  // Two places tell different digests of one algorithm: nothing can be said then, and
  // by_algorithm is empty.
  bool conflicting = false;

  // Whether one of them (SHA-2) identifies the content even to somebody who wants to be deceived.
  bool HasStrong() const;
};

// From properties and custom properties, and the uri:
//   sha256, sha384, sha512, sha1, md5, each also with _digest, _hash, _sum or sum behind it,
//   without regard to case and to '-' for '_': hexadecimal of the right length
//   digest, content_digest, checksum, content_hash: "sha256:<hexadecimal>"
//   uri: ends with "@sha256:<hexadecimal>", as references to container images do
// Anything else is no digest, whatever it is called.
Digests DigestsOf(const ml_metadata::Artifact& artifact);

}  // namespace pedigree::cli
