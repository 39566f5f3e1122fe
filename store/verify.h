// Checks that a store is what it should be: every key is one of the format, every record decodes
// and fits its type, every index entry has its record, every record has its index entries, every
// event its number, and the journal's chain fits.
//
// Reads the whole store once, in the order of its keys, and looks up what each of them refers to;
// memory grows by a bit per event only. Runs beside readers and writers, on one version.
//
//   auto report = store->Verify();
//   if (!report->ok()) for (const auto& problem : report->problems) ...
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "store/reader.h"

namespace pedigree {

struct VerifyReport {
  int64_t nodes[3] = {0, 0, 0};  // By IndexOf(kind).
  int64_t types = 0;
  int64_t events = 0;
  int64_t links = 0;  // Attributions, associations and parents.
  int64_t tasks = 0;
  int64_t journal_entries = 0;
  int64_t index_entries = 0;
  int64_t problem_count = 0;
  std::vector<std::string> problems;  // The first kMaxProblems of them.

  static constexpr size_t kMaxProblems = 100;
  bool ok() const { return problem_count == 0; }
};

class Verifier;

// The pass in steps, for who tells how far it is. Memory grows by a bit per event. Threads: one at
// a time.
class VerifyPass {
 public:
  // REQUIRES: somebody keeps the reader's version for as long as this is used.
  explicit VerifyPass(const Reader& reader);
  ~VerifyPass();

  // Checks about so many more keys. Whether all has been checked now; after that, or an error, no
  // step may follow.
  absl::StatusOr<bool> Step(int64_t keys);
  // Checked so far.
  int64_t keys() const;
  // What has been found so far.
  const VerifyReport& report() const;

 private:
  std::unique_ptr<Verifier> verifier_;
};

// Errors only if the store cannot be read; what it finds wrong is in the report.
absl::StatusOr<VerifyReport> VerifyVersion(const Reader& reader);

}  // namespace pedigree
