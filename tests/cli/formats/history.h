// Histories as AuditService.Export answers them, without a server: recorded ones of MLMD
// (tests/data/mlmd-databases/*.expected.json), and random ones with what formats stumble over.
//
// Threads: one.
//
//   History history = RecordedHistory("kfp_two_runs");
//   for (const v1::ExportRecord& record : history.Records(v1::STEPS)) ...
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "pedigree/v1/audit.pb.h"
#include "tests/store/random.h"

namespace pedigree::cli {

struct History {
  v1::ExportHeader header;
  std::vector<v1::ExportRecord> types;
  std::map<int64_t, v1::ExportedContext> contexts;
  std::map<int64_t, v1::ExportedArtifact> artifacts;
  std::map<int64_t, v1::ExportedExecution> executions;
  std::vector<v1::ExportedEvent> events;
  int most_uses = 1'000'000;  // Of one record of a step.

  std::vector<v1::ExportRecord> Records(v1::ExportShape shape) const;
  // Adds an event with the next number.
  void AddEvent(int64_t execution_id, int64_t artifact_id, ml_metadata::Event::Type type);
};

// Aborts the test if there is none of that name.
History RecordedHistory(const std::string& name);

// Some steps with events, cycles included; texts that are no UTF-8 or would be a formula, NaN,
// times that are missing or absurd, digests, uris of every kind.
History RandomHistory(Random& random, int executions);

}  // namespace pedigree::cli
