// What can be wrong with a history, and what may be done about it.
//
// Each kind of problem breaks a rule of the peer's own, or of this store's, so that the rows cannot
// be taken over as they are. Nothing is repaired unless it is asked for; every change is reported.
// Value types; any thread.
//
//   absl::StatusOr<Repairs> repairs = ParseRepairs({"dangling-event", "undeclared-property=drop"});
//   if (repairs->Of(Problem::kDanglingEvent) == Repair::kDrop) ...
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace pedigree::migrate {

enum class Problem : uint8_t {
  kUnknownTypeKind,
  kNamelessType,
  kDuplicateType,
  kDuplicateTypeExternalId,
  kBadTypeProperty,
  kBadParentType,
  kBadStructType,
  kBadId,
  kUnknownType,
  kDuplicateName,
  kDuplicateExternalId,
  kNamelessContext,
  kUnknownState,
  kBadText,
  kOrphanProperty,
  kEmptyProperty,
  kUndeclaredProperty,
  kBadValue,
  kDanglingEvent,
  kUnknownEventType,
  kDuplicateEvent,
  kTimelessEvent,
  kOrphanPath,
  kBadPath,
  kDanglingLink,
  kDuplicateLink,
  kParentCycle,
};
inline constexpr size_t kProblemCount = 27;

enum class Repair : uint8_t {
  kRefuse,      // Import nothing.
  kDrop,        // Leave the row out.
  kClear,       // Leave the column out.
  kRename,      // Append "~" and the row's id to the name.
  kMakeCustom,  // Make it a custom property.
  kZero,        // Set the time to 0.
  kReplace,     // Put U+FFFD for each wrong byte.
};

struct ProblemFacts {
  absl::string_view name;  // As in --repair.
  absl::string_view what;  // For people.
  // What can be done, the advised one first.
  std::vector<Repair> repairs;
};
const ProblemFacts& FactsOf(Problem problem);
absl::string_view NameOf(Repair repair);

class Repairs {
 public:
  Repair Of(Problem problem) const { return repairs_[static_cast<size_t>(problem)]; }
  void Set(Problem problem, Repair repair) { repairs_[static_cast<size_t>(problem)] = repair; }

 private:
  std::array<Repair, kProblemCount> repairs_ = {};  // kRefuse
};

// Each of `words` is KIND, KIND=HOW, or all. InvalidArgument names the word and what there is.
absl::StatusOr<Repairs> ParseRepairs(const std::vector<std::string>& words);

// The lines that explain --repair.
std::string DescribeRepairs();

// One row with a problem.
struct Finding {
  Problem problem;
  Repair repair;
  std::string where;  // "event 7 of artifact 3 and execution 4"
};
using ReportFinding = std::function<void(const Finding& finding)>;

// Counts of findings, and the first of each kind in words.
class Findings {
 public:
  static constexpr size_t kMostPerKind = 20;

  void Add(const Finding& finding);
  int64_t count(Problem problem) const { return counts_[static_cast<size_t>(problem)]; }
  int64_t total() const { return total_; }
  int64_t refused() const { return refused_; }
  const std::vector<Finding>& first() const { return first_; }

  // One line per kind, with examples: the list of a refusal, or of what was repaired.
  std::string ToString() const;

 private:
  std::array<int64_t, kProblemCount> counts_ = {};
  int64_t total_ = 0;
  int64_t refused_ = 0;
  std::vector<Finding> first_;
};

}  // namespace pedigree::migrate
