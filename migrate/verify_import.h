// The proof that a store has what its source has: counts per table, and a digest per kind of row.
//
// Both sides are read on their own: the source's columns through its checks and repairs
// (history.h), the store through the functions that its answers come from; neither knows what the
// import did. Rows are compared as canonical bytes (canonical.h). Where a digest differs, the rows
// that differ are looked for and named. The store is also checked in itself (Store::Verify).
// Threads: one.
//
// A server is read by the protocol's calls, and what its store is in itself is not looked at.
//
//   auto proof = VerifyImport(source.get(), *store, repairs, &progress);
//   if (proof->ok()) WriteFile("proof.json", proof->ToJson());
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "migrate/digest.h"
#include "migrate/history.h"
#include "migrate/problems.h"
#include "migrate/progress.h"
#include "migrate/source.h"
#include "store/store.h"

namespace pedigree::migrate {

// What has a digest of its own.
enum class DigestOf : uint8_t {
  kTypes,
  kArtifacts,
  kExecutions,
  kContexts,
  kAttributions,
  kAssociations,
  kParentContexts,
  kEvents,
};
inline constexpr size_t kDigestCount = 8;
absl::string_view NameOf(DigestOf digest);

// What one side has.
struct HistoryDigest {
  TableCounts counts = {};
  Digest digests[kDigestCount];
};

struct ImportProof {
  std::string source;
  int schema_version = 0;
  std::string made_at;  // In UTC.
  TableCounts source_rows = {};
  HistoryDigest expected;  // Of the source, after repairs.
  HistoryDigest actual;    // Of the store.
  Findings repaired;
  std::vector<std::string> differences;  // "artifact 7: the store has ..., the source ..."
  std::vector<std::string> store_problems;

  bool ok() const;
  // For people, and for programs.
  std::string ToTable() const;
  std::string ToJson() const;
};

// Rows that differ and are named, at most, of each kind.
inline constexpr size_t kMostDifferences = 20;

// Errors: FailedPrecondition if the source has problems that are not to be repaired; as Source and
// Store. Differences are none.
absl::StatusOr<ImportProof> VerifyImport(Source* source, const Store& store, const Repairs& repairs,
                                         Progress* progress);
// The same for a server that `open_server` reads anew each time; also errors of that.
absl::StatusOr<ImportProof> VerifyImport(Source* source, const SourceOpener& open_server,
                                         const Repairs& repairs, Progress* progress);

}  // namespace pedigree::migrate
