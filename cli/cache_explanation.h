// Whether a step was answered from the cache, and if not, why: `pedigree cache explain`.
//
// The server says what a look-up finds now. Why a step ran when it did is read from the history:
// which executions had its fingerprint before it, and in what it differs from the last run of the
// same step.
// Threads: as the connection.
//
//   auto explanation = ExplainStep(connection, execution_id);
//   Print(ExplanationText(*explanation, Screen::OfStandardOutput()));
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/connection.h"
#include "cli/text.h"
#include "ml_metadata/proto/metadata_store.pb.h"
#include "pedigree/v1/cache.pb.h"

namespace pedigree::cli {

// A step as the cache sees it.
struct Step {
  ml_metadata::Execution execution;
  std::vector<ml_metadata::Event> inputs;
  std::string fingerprint;
  std::string name_space;
  std::string pipeline;
  std::string run;  // The name of its run; empty if it is in none.
};

// One with the same fingerprint that was there before, and why it was no hit.
struct EarlierStep {
  Step step;
  std::string reason;
};

// A field in which two runs of a step differ: "inputs.salt", "input dataset".
struct Difference {
  std::string field;
  std::string before;  // Empty if there was none.
  std::string now;
};

struct StepExplanation {
  Step step;
  // Where its result was taken from.
  std::optional<Step> cached_from;
  // The rest only of a step with a fingerprint that ran itself. The newest first, at most
  // kMostEarlier.
  std::vector<EarlierStep> earlier;
  std::optional<Step> previous;  // The last run of the same step with another fingerprint.
  std::vector<Difference> differences;
  std::optional<v1::LookupResponse> lookup;  // What a look-up of its fingerprint finds now.
};

inline constexpr int kMostEarlier = 5;

// NotFound if there is no such execution; otherwise as Connection::Call().
absl::StatusOr<StepExplanation> ExplainStep(Connection* connection, int64_t execution_id);

// Why an execution that has the step's fingerprint, and came before it, was no hit.
std::string WhyNoHit(const Step& earlier, const Step& step);
// In what is recorded of both, but for what differs between any two runs.
std::vector<Difference> DifferencesOf(const Step& before, const Step& now);

// One line: "ran", "was taken from the cache", "was not cached: ...".
std::string VerdictOf(const StepExplanation& explanation);
std::string ExplanationText(const StepExplanation& explanation, const Screen& screen);

}  // namespace pedigree::cli
