#include "migrate/problems.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "store/text.h"

namespace pedigree::migrate {
namespace {

const std::array<ProblemFacts, kProblemCount>& AllFacts() {
  using R = Repair;
  static const auto* const facts = new std::array<ProblemFacts, kProblemCount>{{
      {"unknown-type-kind", "a type is of no kind that there is", {R::kDrop}},
      {"nameless-type", "a type has no name", {R::kRename}},
      {"duplicate-type", "a type has name and version of another one", {R::kRename}},
      {"duplicate-type-external-id", "a type has another type's external_id", {R::kClear}},
      {"bad-type-property",
       "a property is declared without a kind of value, or by no type",
       {R::kDrop}},
      {"bad-parent-type", "a parent type is not one that a type can derive from", {R::kDrop}},
      {"bad-struct-type", "input_type or output_type does not parse", {R::kClear}},
      {"bad-id", "an id is below 1 or beyond 2^53", {R::kDrop}},
      {"unknown-type", "a node is of no type of its kind", {R::kDrop}},
      {"duplicate-name", "a node has the name of another one of its type", {R::kRename, R::kClear}},
      {"duplicate-external-id", "a node has another one's external_id", {R::kClear}},
      {"nameless-context", "a context has no name", {R::kRename}},
      {"unknown-state", "a node is in a state that there is not", {R::kClear}},
      {"bad-text", "a text is not UTF-8", {R::kReplace}},
      {"orphan-property", "a property is of no node", {R::kDrop}},
      {"empty-property", "a property has no value", {R::kDrop}},
      {"undeclared-property",
       "the type of a node does not declare a property, or of another kind",
       {R::kMakeCustom, R::kDrop}},
      {"bad-value", "a struct or proto value does not decode", {R::kDrop}},
      {"dangling-event", "an event is of an artifact or execution that there is not", {R::kDrop}},
      {"unknown-event-type", "an event is of no type that there is", {R::kDrop}},
      {"duplicate-event", "an event has artifact, execution and type of another one", {R::kDrop}},
      {"timeless-event", "an event has no time", {R::kZero, R::kDrop}},
      {"orphan-path", "a step of a path is of no event", {R::kDrop}},
      {"bad-path", "a step of an event's path has no index or key", {R::kDrop}},
      {"dangling-link",
       "an attribution, association or parent context is of a node that there is not",
       {R::kDrop}},
      {"duplicate-link",
       "an attribution, association or parent context is there twice",
       {R::kDrop}},
      {"parent-cycle", "a context is its own ancestor", {R::kDrop}},
  }};
  return *facts;
}

std::string NamesOf(const std::vector<Repair>& repairs) {
  return absl::StrJoin(
      repairs, ", ", [](std::string* out, Repair repair) { absl::StrAppend(out, NameOf(repair)); });
}

}  // namespace

const ProblemFacts& FactsOf(Problem problem) { return AllFacts()[static_cast<size_t>(problem)]; }

absl::string_view NameOf(Repair repair) {
  switch (repair) {
    case Repair::kRefuse:
      return "refuse";
    case Repair::kDrop:
      return "drop";
    case Repair::kClear:
      return "clear";
    case Repair::kRename:
      return "rename";
    case Repair::kMakeCustom:
      return "custom";
    case Repair::kZero:
      return "zero";
    case Repair::kReplace:
      break;
  }
  return "replace";
}

absl::StatusOr<Repairs> ParseRepairs(const std::vector<std::string>& words) {
  Repairs repairs;
  for (const std::string& word : words) {
    const std::vector<absl::string_view> parts = absl::StrSplit(word, absl::MaxSplits('=', 1));
    bool is_known = false;
    for (size_t i = 0; i < kProblemCount; ++i) {
      const auto problem = static_cast<Problem>(i);
      const ProblemFacts& facts = FactsOf(problem);
      if (word != "all" && parts[0] != facts.name) continue;
      is_known = true;
      if (parts.size() == 1) {
        repairs.Set(problem, facts.repairs.front());
        continue;
      }
      const auto how = std::find_if(facts.repairs.begin(), facts.repairs.end(),
                                    [&](Repair repair) { return NameOf(repair) == parts[1]; });
      if (how == facts.repairs.end()) {
        return absl::InvalidArgumentError(
            absl::StrCat("--repair ", Quoted(word), ": ", facts.name,
                         " can be repaired by: ", NamesOf(facts.repairs)));
      }
      repairs.Set(problem, *how);
    }
    if (!is_known) {
      return absl::InvalidArgumentError(
          absl::StrCat("--repair ", Quoted(word), ": no such problem\n", DescribeRepairs()));
    }
  }
  return repairs;
}

std::string DescribeRepairs() {
  std::string text = "KIND or KIND=HOW (the first is advised), or all:\n";
  for (const ProblemFacts& facts : AllFacts()) {
    absl::StrAppend(&text, "  ", facts.name, "=", NamesOf(facts.repairs), ": ", facts.what, "\n");
  }
  return text;
}

void Findings::Add(const Finding& finding) {
  if (counts_[static_cast<size_t>(finding.problem)]++ < static_cast<int64_t>(kMostPerKind)) {
    first_.push_back(finding);
  }
  ++total_;
  if (finding.repair == Repair::kRefuse) ++refused_;
}

std::string Findings::ToString() const {
  std::string text;
  for (size_t i = 0; i < kProblemCount; ++i) {
    if (counts_[i] == 0) continue;
    const auto problem = static_cast<Problem>(i);
    const ProblemFacts& facts = FactsOf(problem);
    std::string examples;
    Repair repair = Repair::kRefuse;
    for (const Finding& finding : first_) {
      if (finding.problem != problem) continue;
      repair = finding.repair;
      absl::StrAppend(&examples, "    ", finding.where, "\n");
    }
    absl::StrAppend(&text, "  ", facts.name, ": ", counts_[i], " times ", facts.what, "; ",
                    repair == Repair::kRefuse
                        ? absl::StrCat("--repair ", facts.name, "=", NamesOf(facts.repairs))
                        : absl::StrCat("repaired by: ", NameOf(repair)),
                    "\n", examples);
    const auto rest = counts_[i] - static_cast<int64_t>(kMostPerKind);
    if (rest > 0) absl::StrAppend(&text, "    and ", rest, " more\n");
  }
  return text;
}

}  // namespace pedigree::migrate
